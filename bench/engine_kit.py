"""What the engine's benchmarks share: payments, a database with money in it, and callers."""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from statistics import quantiles

import uvloop
from sqlalchemy import Engine

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.migrate import upgrade_engine
from backend.db.open_store import open_store
from backend.db.store import Store
from backend.db.tables import BackendTable
from backend.ledger.service import LedgerSeal
from bench.payment_command import MODELS, FillUp, PayFromBalance
from protocol.ids import PAYMENT as PAYMENT_PREFIX
from protocol.ids import RANDOM_BYTES, REQUEST, mint

USERS, MERCHANTS = 10_000, 100
_OPENING = 1_024
"""So many payments, drawn as all are, reach every merchant."""
_ids = count()


class SystemClock:
    """The machine's time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Round:
    """One run of many callers: payments a second, and each answer's time."""

    per_second: float
    latencies_ms: list[float]

    def p(self, percent: int) -> float:
        """A percentile of the answers' times."""
        return quantiles(self.latencies_ms, n=100, method="inclusive")[percent - 1]


def payments(number: int, *, merchants: int = MERCHANTS) -> list[PayFromBalance]:
    """Commands with time-ordered ids, payers and merchants drawn from a printed seed."""
    dice = random.Random(number)
    made = []
    for _ in range(number):
        now_ms, tail = time.time_ns() // 1_000_000, next(_ids).to_bytes(RANDOM_BYTES, "big")
        made.append(
            PayFromBalance(
                request_id=mint(REQUEST, time_ms=now_ms, random_bytes=tail),
                payment_id=mint(PAYMENT_PREFIX, time_ms=now_ms, random_bytes=tail),
                user_id=f"usr_{dice.randrange(USERS)}",
                merchant_id=f"mch_{dice.randrange(merchants)}",
                amount_minor=dice.randrange(100, 20_000),
            )
        )
    return made


@contextmanager
def opened(url: str) -> Iterator[tuple[Engine, Store]]:
    """A database with money on every payer's account, and with every merchant's account open: two
    groups at once that open the same account run one after the other on PostgreSQL."""
    engine = open_engine(url)
    upgrade_engine(engine)
    for model in MODELS:
        BackendTable.metadata.tables[str(model.__tablename__)].create(engine, checkfirst=True)
    store = open_store(engine)
    writer = GroupCommitWriter(store, clock=SystemClock(), seals=[LedgerSeal()])
    for outcome in writer.apply([FillUp(f"usr_{user}", 10**9) for user in range(USERS)]):
        outcome.value()
    for outcome in writer.apply(payments(_OPENING)):
        outcome.value()
    _rest(engine)
    try:
        yield engine, store
    finally:
        store.close()
        engine.dispose()


def _rest(engine: Engine) -> None:
    """Nothing of the filling up is left to be copied while payments are measured."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def started(store: Store) -> Iterator[GroupCommitWriter]:
    """A writer at work on a store, which it closes at the end: a closed store is not used again,
    for its log would be copied by nobody but the groups themselves."""
    writer = GroupCommitWriter(store, clock=SystemClock(), seals=[LedgerSeal()])
    writer.start()
    try:
        yield writer
    finally:
        writer.close()


def pay(writer: GroupCommitWriter, callers: int, commands: Sequence[PayFromBalance]) -> Round:
    """Let this many callers pay, each waiting for its own commit before its next payment."""
    todo = iter(commands)
    latencies: list[float] = []

    async def caller() -> None:
        for command in todo:
            began = time.perf_counter()
            await writer.submit(command)
            latencies.append((time.perf_counter() - began) * 1000)

    async def all_callers() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return time.perf_counter() - began

    took = uvloop.run(all_callers())
    return Round(len(commands) / took, latencies)


def run_callers(store: Store, callers: int, commands: Sequence[PayFromBalance]) -> Round:
    """One round of ``pay`` with a writer of its own, after which the store is closed."""
    with started(store) as writer:
        return pay(writer, callers, commands)
