"""The engine's rate with five million payments stored, against ten thousand.

The stored payments are made by a few statements in key order with the disk's guarantees off; every
table and index that a payment has gets its rows: key, payment, outbox, three transfers, and the
ledger's groups with leaves and lists of their real sizes. (Their hashes are zeros: this store is
for measuring, not for ``ledger verify``.)
"""

import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median

from sqlalchemy import Engine

from bench.engine_kit import MERCHANTS, USERS, opened, pay, payments, started
from bench.result import Result
from protocol.clock import DAY_MS

FEW, MANY = 10_000, 5_000_000
CALLERS, ROUNDS, PAID = 512, 5, 10_240
GROUP = 512


def run(scale: float = 1.0) -> list[Result]:
    """Rates in turn on both stores, which grow by a few thousand payments meanwhile."""
    many = round(MANY * scale)
    with tempfile.TemporaryDirectory(prefix="tillway-bench-") as name:
        few_file, many_file = Path(name) / "few.db", Path(name) / "many.db"
        with (
            opened(f"sqlite:///{few_file}") as (few_engine, few_store),
            opened(f"sqlite:///{many_file}") as (many_engine, many_store),
        ):
            _fill(few_engine, FEW)
            took = _fill(many_engine, many)
            rates: tuple[list[float], list[float]] = ([], [])
            with started(few_store) as with_few, started(many_store) as with_many:
                for _ in range(ROUNDS):
                    for writer, found in zip((with_few, with_many), rates, strict=True):
                        found.append(pay(writer, CALLERS, payments(PAID)).per_second)
        size_gb = many_file.stat().st_size / 1e9
    beside = f"{median(rates[1]):,.0f}/s against {median(rates[0]):,.0f}/s"
    ratios = [slower / quicker for quicker, slower in zip(*rates, strict=True)]
    return [
        Result(
            "engine_5m_vs_10k_rows",
            median(ratios),
            "ratio",
            f"at least 0.8; {beside}; {many:,} payments, {size_gb:.1f} GB, made in {took:.0f} s",
        )
    ]


def _fill(engine: Engine, number: int) -> float:
    """Store so many payments of the last days; returns the seconds it took."""
    connection = engine.raw_connection()
    raw = connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.isolation_level = None
    began = time.perf_counter()
    raw.execute("PRAGMA synchronous=OFF")
    guards = raw.execute(
        "SELECT name, sql FROM sqlite_master WHERE type='trigger' AND name LIKE '%no_replace'"
    ).fetchall()
    raw.execute("BEGIN IMMEDIATE")
    for guard, _ in guards:
        raw.execute(f"DROP TRIGGER {guard}")
    since_ms = time.time_ns() // 1_000_000 - 30 * DAY_MS
    for start in range(0, number, 100_000):
        bounds = {"start": start, "end": min(start + 100_000, number), "since": since_ms}
        bounds["step"] = max(1, 30 * DAY_MS // number)
        for statement in _STATEMENTS:
            raw.execute(statement, bounds)
    for _, sql in guards:
        raw.execute(sql)
    raw.execute("COMMIT")
    raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.execute("PRAGMA synchronous=FULL")
    connection.close()
    return time.perf_counter() - began


# Ids have the length and the order of minted ones, and are below all that are minted now.
_ID = "printf('01AAAAAAAA%016d', n)"
_USER = f"'usr_' || (n * 7919 % {USERS})"
_MERCHANT = f"'mch_' || (n * 104729 % {MERCHANTS})"
_AT = ":since + n * :step"
_NUMBERS = (
    """numbers(n) AS (SELECT :start UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :end)"""
)
# Names in these statements are our own tables' and columns'.
_KEYS = f"""
WITH RECURSIVE {_NUMBERS}
INSERT INTO bench_key
SELECT 'req_' || {_ID}, lower(hex(randomblob(32))), 'pay_' || {_ID}, {_AT} FROM numbers
"""
_PAYMENTS = f"""
WITH RECURSIVE {_NUMBERS}
INSERT INTO bench_payment
SELECT 'pay_' || {_ID}, 'captured', 'pay_code', {_MERCHANT}, {_USER}, 10000, 60, 0, 'CNY', 'T0001',
    '1', 'coffee', NULL, {_AT}, {_AT} FROM numbers
"""
_OUTBOX = f"""
WITH RECURSIVE {_NUMBERS}
INSERT INTO bench_outbox
SELECT 'pay_' || {_ID}, 'payment.captured', {_MERCHANT},
    printf('{{"payment_id":"pay_%s","amount_minor":10000}}', {_ID}), 'pending', {_AT}, 0
FROM numbers
"""
_TRANSFERS = f"""
WITH RECURSIVE {_NUMBERS}, legs(leg) AS (VALUES (1), (2), (3))
INSERT INTO ledger_transfer
SELECT 'pay_' || {_ID} || ':' || leg, 1,
    CASE leg
        WHEN 1 THEN 'C:CUST:' || {_USER} || ':CNY'
        WHEN 2 THEN 'C:MPEND:' || {_MERCHANT} || ':CNY'
        ELSE 'O:DUE_CLIENT:CNY'
    END,
    CASE leg
        WHEN 1 THEN 'C:MPEND:' || {_MERCHANT} || ':CNY'
        WHEN 2 THEN 'C:UNSWEPT:CNY'
        ELSE 'O:MDR:CNY'
    END,
    CASE leg WHEN 1 THEN 10000 ELSE 60 END, 'CNY', 'balance_paid', 'posted', NULL, NULL,
    '2026-09-30', {_AT}, 'stored', n / {GROUP} + 1
FROM numbers CROSS JOIN legs
"""
_GROUPS = f"""
WITH RECURSIVE {_NUMBERS}
INSERT INTO ledger_group
SELECT 'stored', n / {GROUP} + 1, zeroblob(32), zeroblob(32), zeroblob(32), {3 * GROUP}, {_AT},
    printf('%.*c', {3 * GROUP * 33}, 'x'), zeroblob({GROUP * 32})
FROM numbers WHERE n % {GROUP} = 0
"""
_STATEMENTS = (_KEYS, _PAYMENTS, _OUTBOX, _TRANSFERS, _GROUPS)
