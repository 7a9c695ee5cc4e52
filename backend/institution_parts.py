"""The other institutions, built by hand: an adapter for each that is configured.

Beside ``bootstrap`` because a backend may run without any: then only balances pay.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.channels.ecny import EcnyChannel
from backend.channels.facts import ChannelFacts
from backend.channels.http_channel import HttpChannel
from backend.channels.institution import Institution
from backend.channels.model import ADVANCING_BANK, CUP, ECNY, FUND, NUCC
from backend.channels.ports import BankPort, ChannelPort
from backend.channels.signed_http import read_key
from backend.channels.unionpay import TerminalKey, UnionPay
from backend.channels.unionpay_files import UnionPayFiles
from backend.channels.unionpay_line import Line
from backend.config import Settings
from backend.institution_settings import InstitutionSettings, UnionPaySettings
from backend.payments.services import Services
from backend.unionpay_trace.repository import TraceRepository
from backend.unionpay_trace.store import SqlTraces
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError

_MASTER_KEY_BYTES, _HEX_CHARS_MAX = 16, 64
Close = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Institutions:
    """Who keeps the reserve, and the channels by their ids."""

    bank: BankPort
    channels: Mapping[str, ChannelPort]
    closing: tuple[Close, ...]

    async def close(self) -> None:
        """End every connection."""
        for close in reversed(self.closing):
            await close()


def configured_channels(settings: Settings) -> frozenset[str]:
    """The ids of the channels that a backend with these settings has. None without a bank."""
    if not settings.institution_url:
        return frozenset()
    found = settings.institutions
    named = {
        ADVANCING_BANK: settings.institution_url,
        FUND: settings.institution_url,
        NUCC: settings.institution_url,
        CUP: found.unionpay,
        ECNY: found.ecny,
    }
    return frozenset(name for name, where in named.items() if where)


def open_institutions(
    settings: Settings, *, services: Services, key: SigningKey
) -> Institutions | None:
    """The adapters; None where no bank is configured. Nothing is connected before it is asked."""
    if not settings.institution_url:
        return None
    return _Opening(settings, services, key).open()


class _Opening:
    """Builds the adapters of one backend."""

    def __init__(self, settings: Settings, services: Services, key: SigningKey) -> None:
        self._settings = settings
        self._services = services
        self._key = key
        self._facts: Mapping[str, ChannelFacts] = settings.routing.facts()
        self._channels: dict[str, ChannelPort] = {}
        self._closing: list[Close] = []

    def open(self) -> Institutions:
        """Everything that is configured."""
        settings, found = self._settings, self._settings.institutions
        bank = Institution(
            url=settings.institution_url, key=self._key, peer=read_key(settings.institution_key)
        )
        self._closing.append(bank.close)
        fund = bank if found.fund is None else self._line_to(found.fund)
        for name, prefix, institution in (
            (NUCC, "/card", bank),
            (ADVANCING_BANK, "/fund", fund),
            (FUND, "/advance", fund),
        ):
            facts = self._facts[name]
            self._channels[name] = HttpChannel(institution, prefix=prefix, facts=facts)
        if found.ecny is not None:
            self._channels[ECNY] = EcnyChannel(self._line_to(found.ecny), facts=self._facts[ECNY])
        if found.unionpay is not None:
            self._channels[CUP] = self._unionpay(found.unionpay)
        return Institutions(bank, self._channels, tuple(self._closing))

    def _line_to(self, where: InstitutionSettings) -> Institution:
        line = Institution(url=where.find, key=self._key, peer=where.peer)
        self._closing.append(line.close)
        return line

    def _unionpay(self, where: UnionPaySettings) -> UnionPay:
        services = self._services
        adapter = UnionPay(
            line=Line(lambda: where.find_line("iso8583")),
            traces=SqlTraces(
                submit=services.submit,
                run_read=services.run_read,
                repository=TraceRepository(services.reader),
                tid=where.terminal,
                mid=where.merchant,
            ),
            key=TerminalKey(_master_key(where.master_key_file)),
            clock=services.clock,
            files=UnionPayFiles(self._line_to(where)),
            facts=self._facts[CUP],
        )
        self._closing.append(adapter.close)
        return adapter


def _master_key(path: Path) -> bytes:
    """The terminal's master key; ``config_invalid`` without its content where it is none."""
    try:
        if path.stat().st_mode & 0o077:
            raise CallerError("config_invalid", f"{path} must not be readable by others")
        with path.open("r", encoding="ascii") as file:
            key = bytes.fromhex(file.read(_HEX_CHARS_MAX))
    except (OSError, ValueError):
        raise CallerError("config_invalid", "institutions.unionpay.master_key_file") from None
    if len(key) != _MASTER_KEY_BYTES:
        raise CallerError("config_invalid", "institutions.unionpay.master_key_file")
    return key
