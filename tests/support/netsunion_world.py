"""The clearing house in the test's own process, and our adapter to it over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn

from backend.channels.epcc import ids
from backend.channels.netsunion import NetsUnion
from backend.channels.signed_http import by_kid
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.house import House, furnish
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from backend.sandbox.institution.signed import deliver_late
from backend.sandbox.netsunion.clearing_house import ClearingHouse, Members
from backend.sandbox.netsunion.server import OWN_FAULTS, build_app
from protocol.clock import Clock
from protocol.crypto.keys import SigningKey, VerifyKey, generate
from protocol.errors import OperatingError
from protocol.money import Money
from tests.support.shop import ShopClock

OPENING_MINOR, TOKEN, ACCOUNT = 100_000, "SGN-PAYER-1", "6217000000000000001"
BANK = "C1010511000021"
DAY_MS = 86_400_000


@dataclass
class FakeReserveBank:
    """``SettlementAgent`` that notes what it was told; ``deaf`` counts orders it does not hear."""

    told: list[SettlementOrder] = field(default_factory=list)
    deaf: int = 0

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        if self.deaf:
            self.deaf -= 1
            raise OperatingError("timeout")
        self.told.append(order)
        return SettlementWord("settled")


@dataclass
class NetsUnionWorld:
    """A clearing house, a payer with an agreement, and us."""

    house: House
    clearing: ClearingHouse
    adapter: NetsUnion
    clock: ShopClock
    reserve_bank: FakeReserveBank

    def arm(self, **counts: int) -> None:
        self.house.faults.arm(counts)

    def left_minor(self) -> int:
        return self.house.books.balance(ACCOUNT).amount_minor

    async def next_day(self) -> None:
        """Midnight passes at the clearing house."""
        self.house.clock.advance(DAY_MS)
        self.clearing.close_days()
        await self.clearing.outbox.tell(self.reserve_bank)

    async def deliver_late(self) -> int:
        return await deliver_late(self.house)


def clearing_house(
    clock: Clock, key: SigningKey, peers: Mapping[str, VerifyKey], *, traffic_count: int = 0
) -> ClearingHouse:
    """A clearing house with one customer of one member bank."""
    house = furnish(
        "netsunion", Books(":memory:"), clock=clock, key=key, peers=peers, faults=OWN_FAULTS
    )
    clearing = ClearingHouse(house, Members(traffic_count=traffic_count))
    opening = Money(OPENING_MINOR, "CNY")
    clearing.customers.open(ACCOUNT, "李雷", BANK, opening, day=clearing.today())
    clearing.book.bind(TOKEN, ACCOUNT)
    return clearing


@asynccontextmanager
async def serving(clearing: ClearingHouse, peers: Mapping[str, VerifyKey]) -> AsyncIterator[str]:
    """Where it listens: a port of its own."""
    app = build_app(clearing, peers)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110  # uvicorn says it by a flag
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()
        clearing.house.books.close()


@asynccontextmanager
async def netsunion_world(
    *, suite: str = "SM2-SM3", traffic_count: int = 0
) -> AsyncIterator[NetsUnionWorld]:
    """The world, served on a port of its own."""
    clock, ours, key = ShopClock(), generate(suite), generate(suite)
    peers = by_kid(ours.public)
    clearing = clearing_house(clock, key, peers, traffic_count=traffic_count)
    async with serving(clearing, peers) as url:
        adapter = NetsUnion(url=lambda: url, key=ours, peer=key.public, clock=clock)
        try:
            yield NetsUnionWorld(clearing.house, clearing, adapter, clock, FakeReserveBank())
        finally:
            await adapter.close()


def batch_of(world: NetsUnionWorld) -> str:
    """The present batch."""
    return ids.batch_id(world.clearing.today())
