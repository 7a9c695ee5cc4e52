"""The payment engine in one process on SQLite, beside raw ``sqlite3`` writing the very same rows.

The raw writer replays what the engine wrote, recorded at its store: the same rows to the same
tables in the same groups, by ``executemany``, decided by nobody and awaited by nobody. Rounds are
interleaved, and medians are given.
"""

import asyncio
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import uvloop
from sqlalchemy import Engine

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.migrate import upgrade_engine
from backend.db.open_store import open_store
from backend.db.store import Store
from backend.db.tables import BackendTable, Key, TableRef, Values
from backend.ledger.service import LedgerSeal
from bench.payment_command import MODELS, FillUp, PayFromBalance
from bench.result import Result
from protocol.ids import PAYMENT as PAYMENT_PREFIX
from protocol.ids import RANDOM_BYTES, REQUEST, mint
from tests.support.postgres import start_cluster

USERS, MERCHANTS = 10_000, 100
CALLERS = (1, 32, 256, 512, 2048)
ROUNDS = 3
GROUP = 512
# TigerBeetle's own Python client, one transfer a payment, measured on a machine of this size.
TIGERBEETLE = {1: 204, 32: 1_590, 256: 6_960, 2048: 7_631}

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
    """A database with money on every payer's account."""
    engine = open_engine(url)
    upgrade_engine(engine)
    for model in MODELS:
        BackendTable.metadata.tables[str(model.__tablename__)].create(engine)
    store = open_store(engine)
    writer = GroupCommitWriter(store, clock=SystemClock(), seals=[LedgerSeal()])
    for outcome in writer.apply([FillUp(f"usr_{user}", 10**9) for user in range(USERS)]):
        outcome.value()
    try:
        yield engine, store
    finally:
        store.close()
        engine.dispose()


def run_callers(store: Store, callers: int, commands: Sequence[PayFromBalance]) -> Round:
    """Let this many callers pay, each waiting for its own commit before its next payment."""
    writer = GroupCommitWriter(store, clock=SystemClock(), seals=[LedgerSeal()])
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

    writer.start()
    took = uvloop.run(all_callers())
    writer.close()
    return Round(len(commands) / took, latencies)


@dataclass(slots=True)
class Recorder:
    """A store that notes what is written. Implements ``Store``."""

    inner: Store
    has_rivals: bool = False
    groups: list[list[tuple[str, TableRef, list[Values]]]] = field(default_factory=list)

    def begin(self) -> None:
        """Note a new group."""
        self.groups.append([])
        self.inner.begin()

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """Reads are not noted."""
        return self.inner.fetch(table, keys)

    def insert(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Note and do."""
        self.groups[-1].append((_insert(table), table, list(rows)))
        self.inner.insert(table, rows)

    def update(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Note and do."""
        self.groups[-1].append((_update(table), table, [_key_last(table, row) for row in rows]))
        self.inner.update(table, rows)

    def add(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Note and do."""
        self.groups[-1].append((_add(table), table, [_key_last(table, row) for row in rows]))
        self.inner.add(table, rows)

    def commit(self) -> None:
        """As the inner store."""
        self.inner.commit()

    def rollback(self) -> None:
        """As the inner store."""
        self.inner.rollback()

    def close(self) -> None:
        """As the inner store."""
        self.inner.close()


def record(folder: Path, number: int) -> Recorder:
    """What the engine writes for so many payments in groups of ``GROUP``."""
    with opened(f"sqlite:///{folder / 'record.db'}") as (_, store):
        recorder = Recorder(store)
        writer = GroupCommitWriter(
            recorder, clock=SystemClock(), seals=[LedgerSeal()], commands_per_group_max=GROUP
        )
        for outcome in writer.apply(payments(number)):
            outcome.value()
    return recorder


def run_raw(folder: Path, recorder: Recorder, number: int) -> float:
    """Write the recorded groups with plain sqlite3; payments a second."""
    path = folder / f"raw{next(_ids)}.db"
    with opened(f"sqlite:///{path}") as (engine, _):
        connection = engine.raw_connection()
        raw = connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.isolation_level = None
        began = time.perf_counter()
        for group in recorder.groups:
            raw.execute("BEGIN IMMEDIATE")
            for statement, _, rows in group:
                raw.executemany(statement, rows)
            raw.execute("COMMIT")
        took = time.perf_counter() - began
        connection.close()
    return number / took


def commit_times_ms(folder: Path, number: int = 500) -> list[float]:
    """How long the disk takes for the smallest commit: one row, WAL, synchronous=FULL."""
    engine = open_engine(f"sqlite:///{folder / 'fsync.db'}")
    connection = engine.raw_connection()
    raw = connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.isolation_level = None
    raw.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    times = []
    for _ in range(number):
        body = os.urandom(1024)
        began = time.perf_counter()
        raw.execute("INSERT INTO t (body) VALUES (?)", (body,))
        times.append((time.perf_counter() - began) * 1000)
    connection.close()
    engine.dispose()
    return times


def run(scale: float = 1.0) -> list[Result]:
    """All figures of the engine."""
    with tempfile.TemporaryDirectory(prefix="tillway-bench-") as name:
        folder = Path(name)
        number = round(20_480 * scale)
        recorder = record(folder, number)
        raw: list[float] = []
        fsync: list[float] = []
        rounds: dict[int, list[Round]] = {callers: [] for callers in CALLERS}
        for turn in range(ROUNDS):
            raw.append(run_raw(folder, recorder, number))
            for callers in CALLERS:
                fewer = min(number, max(500, callers * 40))
                with opened(f"sqlite:///{folder / f'engine{turn}_{callers}.db'}") as (_, store):
                    rounds[callers].append(run_callers(store, callers, payments(fewer)))
            sub = folder / str(turn)
            sub.mkdir()
            fsync.append(quantiles(commit_times_ms(sub), n=100)[98])
        return _results(raw, rounds, fsync)


def run_postgres(scale: float = 1.0) -> list[Result]:
    """The same payments on a private PostgreSQL with fsync on."""
    number = round(10_240 * scale)
    cluster = start_cluster()
    try:
        found = []
        for name, merchants in (("spread", MERCHANTS), ("hot", 1)):
            rates = []
            for turn in range(ROUNDS):
                with opened(cluster.create_database(f"bench_{name}_{turn}")) as (_, store):
                    made = payments(number, merchants=merchants)
                    rates.append(run_callers(store, GROUP, made).per_second)
            found.append(median(rates))
    finally:
        cluster.stop()
    spread, hot = found
    return [
        Result("engine_postgres_512", spread, "payments/s", "COPY and unnest, fsync on"),
        Result("engine_postgres_hot_vs_spread", hot / spread, "ratio", "at least 0.9"),
    ]


def _results(raw: list[float], rounds: dict[int, list[Round]], fsync: list[float]) -> list[Result]:
    found = [Result("raw_sqlite3_group_512", median(raw), "payments/s", "same rows, executemany")]
    for callers, runs in rounds.items():
        per_second = median(one.per_second for one in runs)
        p50, p99 = (median(one.p(percent) for one in runs) for percent in (50, 99))
        peer = TIGERBEETLE.get(callers)
        against = f"p50 {p50:.1f} ms, p99 {p99:.1f} ms"
        if peer:
            against += f"; TigerBeetle's Python client {peer}/s, measured before"
        found.append(Result(f"engine_sqlite_{callers}", per_second, "payments/s", against))
    ratio = median(one.per_second / plain for one, plain in zip(rounds[512], raw, strict=True))
    found.append(Result("engine_sqlite_512_vs_raw", ratio, "ratio", "at least 0.5"))
    single = median(one.p(99) / disk for one, disk in zip(rounds[1], fsync, strict=True))
    found.append(Result("engine_single_p99_vs_fsync", single, "ratio", "at most 2"))
    return found


def _key_last(table: TableRef, row: Values) -> Values:
    width = len(table.key_columns)
    return row[width:] + row[:width]


# The statements of the raw writer name our own tables only.


def _insert(table: TableRef) -> str:
    marks = ",".join("?" * len(table.columns))
    return f"INSERT INTO {table.name} ({','.join(table.columns)}) VALUES ({marks})"


def _update(table: TableRef) -> str:
    changed = [column for column in table.columns if column not in table.key_columns]
    return _where_key(table, [f"{column}=?" for column in changed])


def _add(table: TableRef) -> str:
    return _where_key(table, [f"{column}={column}+?" for column in table.additive])


def _where_key(table: TableRef, changes: list[str]) -> str:
    match = " AND ".join(f"{column}=?" for column in table.key_columns)
    return f"UPDATE {table.name} SET {','.join(changes)} WHERE {match}"
