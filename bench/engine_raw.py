"""Plain ``sqlite3`` writing the very same rows as the engine: what could be reached at best.

The raw writer replays what the engine wrote, recorded at its store: the same rows to the same
tables in the same groups, by ``executemany``, decided by nobody and awaited by nobody.
"""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backend.db.group_commit import GroupCommitWriter
from backend.db.store import Store
from backend.db.tables import Key, TableRef, Values
from backend.ledger.service import LedgerSeal
from bench.engine_kit import SystemClock, opened, payments

GROUP = 512


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

    def has_news(self) -> bool:
        """As the store inside."""
        return self.inner.has_news()

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """Reads are not noted."""
        return self.inner.fetch(table, keys)

    def start_fetch(self, table: TableRef, keys: Sequence[Key]) -> None:
        """As the store inside."""
        self.inner.start_fetch(table, keys)

    def insert(self, table: TableRef, rows: Sequence[Values], suffix: Values = ()) -> None:
        """Note and do."""
        self.groups[-1].append((_insert(table), table, [row + suffix for row in rows]))
        self.inner.insert(table, rows, suffix)

    def update(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Note and do."""
        self.groups[-1].append((_update(table), table, [_key_last(table, row) for row in rows]))
        self.inner.update(table, rows)

    def add(self, table: TableRef, rows: Sequence[Values]) -> None:
        """Note and do."""
        self.groups[-1].append((_add(table), table, [_key_last(table, row) for row in rows]))
        self.inner.add(table, rows)

    def start_commit(self) -> None:
        """As the store inside."""
        self.inner.start_commit()

    def twin(self) -> None:
        """None: all groups are noted here."""

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
    path = folder / f"raw{time.monotonic_ns()}.db"
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
