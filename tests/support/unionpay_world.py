"""UnionPay's switch beside us, reached by the real adapter over a real TCP line."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from backend.channels.day_file import DayFile
from backend.channels.unionpay import TerminalKey, UnionPay
from backend.channels.unionpay_line import Line
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from backend.sandbox.unionpay.server import Lines
from backend.sandbox.unionpay.switch import OWN_FAULTS, Switch, Terminal
from backend.unionpay_trace.repository import TraceRepository
from backend.unionpay_trace.store import SqlTraces
from protocol.crypto.keys import generate
from protocol.money import Money
from tests.support.iso8583_messages import MID, TID
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop, ShopClock

OPENING_MINOR = 100_000
TOKEN, ACCOUNT = "tok_card_of_li_lei", "CARD-1"
MASTER_KEY = bytes.fromhex("70F2A84CCBC2AE8625CBB0F2C22AB923")
HOUR_MS = 3_600_000


def a_switch(clock: ShopClock, path: Path | str = ":memory:") -> Switch:
    """A switch with one terminal and one card."""
    numbers = count(1)
    house: House = furnish(
        "unionpay",
        Books(path),
        clock=clock,
        key=generate("ES256"),
        peers={},
        faults=OWN_FAULTS,
    )
    switch = Switch(
        house,
        terminals={TID: Terminal(TID, MID, MASTER_KEY)},
        new_key=lambda: next(numbers).to_bytes(16, "big"),
    )
    house.books.open_account(ACCOUNT, "李雷", Money(OPENING_MINOR, "CNY"), day=switch.day())
    switch.book.bind(TOKEN, ACCOUNT)
    return switch


class NoFiles:
    """Where no day file is asked for."""

    async def fetch(self, day: date) -> DayFile:
        raise AssertionError(day)


@dataclass
class UnionPayWorld:
    """A switch that listens, our shop's database, and the adapter between them."""

    switch: Switch
    shop: Shop
    port: int
    lines: Lines
    adapter: UnionPay
    timeout_ms: int

    def left_minor(self) -> int:
        """What the card holds."""
        return self.switch.house.books.balance(ACCOUNT).amount_minor

    def arm(self, **faults: int) -> None:
        """Set the switch's faults."""
        self.switch.house.faults.arm(faults)

    async def restart(self) -> None:
        """Our program ends and comes back: nothing stays but the database."""
        await self.adapter.close()
        self.adapter = adapter_of(self.shop, self.port, timeout_ms=self.timeout_ms)

    def next_day(self) -> None:
        """Let the switch's day end."""
        self.shop.clock.at_ms += 24 * HOUR_MS
        self.switch.close_days()


def sql_traces(shop: Shop) -> SqlTraces:
    """The terminal's numbers in a shop's database."""

    async def submit(command: Any) -> Any:
        return shop.do(command)

    async def run_read(read: Callable[[], Any]) -> Any:
        return read()

    return SqlTraces(
        submit=submit,
        run_read=run_read,
        repository=TraceRepository(shop.reader),
        tid=TID,
        mid=MID,
    )


def adapter_of(shop: Shop, port: int, *, timeout_ms: int) -> UnionPay:
    """The adapter on a shop's database."""
    patience = timedelta(milliseconds=timeout_ms)
    return UnionPay(
        line=Line(lambda: ("127.0.0.1", port), timeout=patience),
        traces=sql_traces(shop),
        key=TerminalKey(MASTER_KEY),
        clock=shop.clock,
        files=NoFiles(),
    )


@asynccontextmanager
async def unionpay_world(
    root: Path, *, timeout_ms: int = 300, url: str = ""
) -> AsyncIterator[UnionPayWorld]:
    """A world of its own; everything in it is closed at the end."""
    shop = Shop(url or migrated_sqlite(root / "ours.db"))
    switch = a_switch(shop.clock, root / "switch.db")
    lines = Lines(switch)
    server = await asyncio.start_server(lines.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    adapter = adapter_of(shop, port, timeout_ms=timeout_ms)
    world = UnionPayWorld(switch, shop, port, lines, adapter, timeout_ms)
    try:
        yield world
    finally:
        await world.adapter.close()
        server.close()
        await lines.close()
        await server.wait_closed()
        switch.house.books.close()
        shop.close()
