"""The payment engine in one process on SQLite, beside raw ``sqlite3`` writing the very same rows.

Rounds are interleaved, and medians are given.
"""

import os
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles

from backend.db.engine import open_engine
from bench.engine_kit import Round, opened, payments, run_callers
from bench.engine_raw import record, run_raw
from bench.result import Result

CALLERS = (1, 32, 256, 512, 2048)
ROUNDS = 3
COMMITS = 2_000
# TigerBeetle's own Python client, one transfer a payment, measured on a machine of this size.
TIGERBEETLE = {1: 204, 32: 1_590, 256: 6_960, 2048: 7_631}


def commit_times_ms(folder: Path) -> list[float]:
    """How long the disk takes for the smallest commit: one row, WAL, synchronous=FULL. To be taken
    next to what it is compared with: a disk's minutes differ."""
    folder.mkdir()
    engine = open_engine(f"sqlite:///{folder / 'fsync.db'}")
    connection = engine.raw_connection()
    raw = connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.isolation_level = None
    raw.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    times = []
    for _ in range(COMMITS):
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
                fewer = min(number, max(2_000, callers * 40))
                with opened(f"sqlite:///{folder / f'engine{turn}_{callers}.db'}") as (_, store):
                    rounds[callers].append(run_callers(store, callers, payments(fewer)))
                if callers == 1:
                    fsync.append(quantiles(commit_times_ms(folder / f"disk{turn}"), n=100)[98])
        return _results(raw, rounds, fsync)


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
