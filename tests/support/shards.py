"""A few shards in one process, that can be killed at any step and begun again, for tests."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from backend.db.command import Command, Read
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.working_set import WorkingSet
from backend.ledger import model
from backend.ledger.repository import LedgerRepository
from backend.ledger.rules import Event, balance_paid, top_up
from backend.shards.founding import found, own_place
from backend.shards.model import Crossing, Order, Place
from backend.shards.relay import Relay
from backend.shards.repository import ShardReader, Stage
from backend.shards.service import Charge, seals_of
from backend.shards.verify import ShardsReport, verify_shards
from protocol.errors import CallerError
from tests.support.books import DATE, ManualClock, Post


class Killed(BaseException):
    """The process is gone."""


@dataclass(slots=True)
class Fate:
    """Kills at the n-th step (0: never); from then on nothing is done any more."""

    kill_at: int = 0
    steps: int = 0
    is_dead: bool = False

    def step(self) -> None:
        self.steps += 1
        self.is_dead = self.is_dead or self.steps == self.kill_at
        if self.is_dead:
            raise Killed


@dataclass(slots=True)
class Shops:
    """The payees: some are closed. Implements ``Payee``."""

    closed: frozenset[str] = frozenset()

    def reads(self, crossing: Crossing) -> list[Read]:
        return []

    def credit(self, ws: WorkingSet, crossing: Crossing, now_ms: int) -> None:
        if crossing.owner in self.closed:
            raise CallerError("merchant_unknown")


@dataclass(slots=True)
class Shard:
    """One shard's database, its writer and its relay."""

    place: Place
    engine: Engine
    writer: GroupCommitWriter
    reader: Reader
    relay: Relay
    asked: list[ShardReader]


@dataclass(slots=True)
class Shards:
    """All of them."""

    all: list[Shard] = field(default_factory=list)

    def home(self, owner: str) -> Shard:
        return self.all[self.all[0].place.map.shard_of(owner)]

    def fund(self, user_id: str, amount_minor: int) -> None:
        event = Event(f"fund_{user_id}", "CNY", DATE)
        transfers = top_up(event, user_id=user_id, channel_id="NUCC", settlement_date=DATE,
                           amount_minor=amount_minor)  # fmt: skip
        self.home(user_id).writer.apply([Post(transfers)])[0].value()

    def pay(self, order: Order) -> Any:
        """Pay where the payer lives: in one transfer, or by a crossing. True, or the crossing."""
        return self.home(order.user_id).writer.apply([self.payment(order)])[0].value()

    def payment(self, order: Order) -> Command:
        shard = self.home(order.user_id)
        if shard is not self.home(order.owner):
            return Charge(shard.place, order)
        event = Event(order.event_id, order.currency, order.business_date)
        return Post(
            balance_paid(event, user_id=order.user_id, merchant_id=order.owner,
                         amount_minor=order.amount_minor, fee_minor=order.fee_minor)
        )  # fmt: skip

    async def carry(self) -> None:
        """Let the relays work until nothing moves."""
        while any([await shard.relay.step() for shard in self.all]):
            pass

    def balance(self, owner: str, code: str = "CUST") -> int:
        prefix = f"C:{code}:{owner}:CNY"
        with self.home(owner).reader.snapshot() as connection:
            rows = list(LedgerRepository(connection).accounts(prefix))
        return model.balance(rows[0]) if rows else 0

    def stage(self, order: Order) -> Stage | None:
        home = self.home(order.user_id)
        return home.asked[home.place.number].stage(order.event_id)

    def was_posted(self, order: Order) -> bool:
        """Whether an order that crosses nothing was paid."""
        with self.home(order.user_id).reader.snapshot() as connection:
            return bool(LedgerRepository(connection).transfers(event_id=order.event_id, limit=1))

    def report(self) -> ShardsReport:
        return verify_shards([shard.reader for shard in self.all])


def order(event_id: str, user_id: str, owner: str, amount_minor: int = 1_000) -> Order:
    """An order with a fee of 0.6 %."""
    fee_minor = amount_minor * 6 // 1000
    return Order(event_id, user_id, owner, amount_minor, fee_minor, "CNY", DATE, "")


def founded(urls: Sequence[str]) -> None:
    """Make these databases the shards of one ledger."""
    found(urls, founding="test", clock=ManualClock())


@contextmanager
def open_shards(
    urls: Sequence[str],
    *,
    shops: Shops | None = None,
    fate: Fate | None = None,
    is_threaded: bool = False,
) -> Iterator[Shards]:
    """Begin on founded databases, with no memory of what was before. ``is_threaded``: the writers
    are started by the caller; else every command is a group, done in place, step by step."""
    fate = fate or Fate()
    readers = [Reader.open(url) for url in urls]
    shards = Shards()
    for number, url in enumerate(urls):
        place = own_place(url, urls)
        engine = open_engine(url)
        writer = GroupCommitWriter(open_store(engine), clock=ManualClock(), seals=seals_of(place))
        asked = [ShardReader(reader) for reader in readers]
        relay = Relay(
            place,
            submit=writer.submit if is_threaded else _submit(writer, fate),
            run_read=_run_read(fate),
            own=asked[number],
            peers={peer: asked[peer] for peer in place.peers},
            payee=shops or Shops(),
        )
        shards.all.append(Shard(place, engine, writer, readers[number], relay, asked))
    try:
        yield shards
    finally:
        for shard in shards.all:
            shard.writer.close()
            shard.engine.dispose()
            for each in shard.asked:
                each.close()
        for reader in readers:
            reader.close()


def _submit(writer: GroupCommitWriter, fate: Fate) -> Callable[[Command], Awaitable[Any]]:
    """One commit, with a place to die before it and another between it and its answer."""

    async def submit(command: Command) -> Any:
        fate.step()
        outcome = writer.apply([command])[0]
        fate.step()
        return outcome.value()

    return submit


def _run_read(fate: Fate) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    async def run_read(read: Callable[[], Any]) -> Any:
        fate.step()
        return read()

    return run_read
