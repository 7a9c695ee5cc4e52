"""Puts the chargers' central system together, of settings and of what stands in the state
directory."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.ocpp import paying
from hub.ocpp.account import ChargerAccount, ExchangeLocal
from hub.ocpp.book import ChargeBook
from hub.ocpp.early import shown_end
from hub.ocpp.journal import ChargeJournal, open_journal
from hub.ocpp.keeper import Keeper, Registry
from hub.ocpp.limits import PASSWORD_BYTES_MIN
from hub.ocpp.model import Tariff
from hub.ocpp.post import Post
from hub.ocpp.server import OcppServer
from hub.ocpp.settings import ChargerSettings, OcppSettings
from hub.ocpp.time import ChargingTime, HubClock
from protocol.clock import Entropy
from protocol.config_file import read_secret
from protocol.errors import CallerError
from protocol.identity import FILE_NAMES, Identity, read_identity
from protocol.tls import server_context

JOURNAL_NAME = "charges.db"
CHARGERS_NAME = "chargers"
Attach = Callable[[str, Callable[[bytes], None]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OcppParts:
    """What the hub gives: its identity, state directory, the way for envelopes, its
    registry, clock, luck and counter."""

    identity: Identity
    state_dir: Path
    exchange: ExchangeLocal
    attach: Attach
    registry: Registry
    boot_epoch: int
    clock: HubClock
    entropy: Entropy
    refused: Callable[[str, str], None]
    """Counts whom a listener had no place for."""


class CentralSystem:
    """The running central system. ``port`` is where chargers dial in."""

    def __init__(self, book: ChargeBook, keeper: Keeper, server: OcppServer) -> None:
        self.book = book
        self.keeper = keeper
        self._server = server

    @property
    def port(self) -> int:
        """Where chargers dial in."""
        return self._server.port

    def dialled_in(self) -> dict[str, bool]:
        """Each charger of the store, and whether it has a line now."""
        return {name: name in self.book.lines for name in self.book.posts}

    async def charges(self) -> list[dict[str, Any]]:
        """The newest charges, as people and displays are shown them, and when each ended (0: it
        goes on)."""
        found = await self.book.run(lambda journal: journal.latest())
        return [
            {
                **paying.shown(charge),
                "began_at_ms": charge.began_at_ms,
                "ended_at_ms": charge.ended_at_ms,
            }
            for charge in found
        ]

    async def early_ends(self) -> list[dict[str, Any]]:
        """The ends whose beginning has not come, oldest first."""
        return [shown_end(one) for one in await self.book.run(lambda journal: journal.early_ends())]

    async def unread(self) -> list[dict[str, Any]]:
        """What chargers said and nobody could read, oldest first; without their words, which may
        name a card."""
        found = await self.book.run(lambda journal: journal.unread())
        return [
            {"charger": one.charger, "at_ms": one.at_ms, "action": one.action, "why": one.why}
            for one in found
        ]


async def start_central_system(
    settings: OcppSettings, parts: OcppParts, stack: AsyncExitStack
) -> CentralSystem:
    """Begin to serve; what is begun is ended by ``stack``. ``config_invalid`` names a charger
    whose identity is missing or of another name or store, or whose password is too short."""
    journal = ChargeJournal(open_journal(parts.state_dir / JOURNAL_NAME))
    stack.callback(journal.close)
    worker = ThreadPoolExecutor(1, thread_name_prefix="hub-charges")
    stack.callback(worker.shutdown)
    homes = {one.name: parts.state_dir / CHARGERS_NAME / one.name for one in settings.chargers}
    accounts = {name: _account(name, home, parts) for name, home in homes.items()}
    posts = {one.name: _post(one) for one in settings.chargers}
    time = ChargingTime(parts.clock)
    book = ChargeBook(journal, posts, accounts, time=time, worker=worker)
    await book.resume()
    keeper = Keeper(book, parts.registry)
    server = OcppServer(
        book,
        keeper,
        passwords={name: _password(home / "password") for name, home in homes.items()},
        host=settings.host,
        port=settings.port,
        tls=server_context(parts.identity.tls) if settings.tls else None,
        clock=parts.clock,
        refused=parts.refused,
    )
    _hear_news(keeper, accounts, parts.attach)
    await server.start()
    stack.push_async_callback(server.stop)
    _run(keeper.run(), stack)
    return CentralSystem(book, keeper, server)


def _hear_news(keeper: Keeper, accounts: dict[str, ChargerAccount], attach: Attach) -> None:
    for name in accounts:
        attach(name, lambda wire, name=name: keeper.take_news(name, wire))  # type: ignore[misc]


def _run(work: Awaitable[None], stack: AsyncExitStack) -> None:
    task = asyncio.ensure_future(work)

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)


def _post(settings: ChargerSettings) -> Post:
    tariff = Tariff(settings.currency, settings.per_kwh_minor, settings.per_minute_minor)
    return Post(settings.name, settings.merchant_id, tariff, settings.prepay_minor)


def _account(name: str, home: Path, parts: OcppParts) -> ChargerAccount:
    directory = home / "identity"
    files = {
        file: (directory / file).read_bytes() for file in FILE_NAMES if (directory / file).is_file()
    }
    identity = read_identity(files, _secret(home / "passphrase"), directory)
    if (identity.name, identity.store) != (name, parts.identity.store):
        raise CallerError("config_invalid", f"{directory}: the identity of {identity.name}")
    return ChargerAccount(
        identity,
        exchange=parts.exchange,
        hub_key=parts.identity.public,
        boot_epoch=parts.boot_epoch,
        clock=parts.clock,
        entropy=parts.entropy,
    )


def _password(path: Path) -> bytes:
    """What a charger is to know; empty where it has a certificate only."""
    found = _secret(path)
    if found and len(found) < PASSWORD_BYTES_MIN:
        raise CallerError("config_invalid", f"{path}: at least {PASSWORD_BYTES_MIN} characters")
    return found


def _secret(path: Path) -> bytes:
    """A private file's content; empty where there is none."""
    if not path.is_file():
        return b""
    return read_secret(path, path.name)
