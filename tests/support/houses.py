"""What institutions of the sandbox need in a test: a clock, keys, the reserve bank, a socket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import uvicorn
from fastapi import FastAPI

from backend.channels.institution import Institution
from backend.channels.signed_http import by_kid
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from protocol.crypto.keys import generate
from protocol.errors import OperatingError

OURS, THEIRS = generate("ES256"), generate("ES256")
CHINA_OFFSET_MS = 8 * 3_600_000


@dataclass
class HandClock:
    """Time that a test sets, in China's days and hours."""

    ms: int = 0

    def now_ms(self) -> int:
        return self.ms

    def at(self, day: date, hour: int = 10, minute: int = 0) -> None:
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        self.ms = int(moment.timestamp()) * 1000 - CHINA_OFFSET_MS


@dataclass
class NearReserve:
    """``SettlementAgent`` that moves what it is told, once a reference, in its own account."""

    moved: dict[str, SettlementOrder] = field(default_factory=dict)
    silent: int = 0
    queues: int = 0

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        if self.silent:
            self.silent -= 1
            raise OperatingError("timeout", "no answer")
        if self.queues:
            self.queues -= 1
            return SettlementWord("waiting")
        assert self.moved.setdefault(order.reference, order) == order
        return SettlementWord("settled")

    def nets(self, account: str) -> Mapping[str, int]:
        """What came to an account, by reference; negative: what left it."""
        return {
            order.reference: order.amount.amount_minor * (1 if order.creditor == account else -1)
            for order in self.moved.values()
            if account in {order.creditor, order.debtor}
        }


def near_house(name: str, clock: HandClock, *faults: str, books: Books | None = None) -> House:
    """An institution's furniture in memory."""
    return furnish(
        name,
        books or Books(":memory:"),
        clock=clock,
        key=THEIRS,
        peers=by_kid(OURS.public),
        faults=faults,
    )


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The app on a socket of its own: its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


@asynccontextmanager
async def line_to(app: FastAPI) -> AsyncIterator[Institution]:
    """Our adapter's line to an app that listens."""
    async with served(app) as url:
        line = Institution(url=url, key=OURS, peer=THEIRS.public)
        try:
            yield line
        finally:
            await line.close()
