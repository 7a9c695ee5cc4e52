"""SQLite's log is copied beside the writer: the database file itself has the rows soon after."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.db import wal_copier
from backend.db.engine import open_engine
from backend.db.sqlite_store import SqliteStore
from backend.ledger.tables import CHAIN
from tests.kit.patience import PATIENCE_S
from tests.support.migrated import migrated_sqlite

LONG_MS = 3_600_000


def rows_without_log(path: Path) -> int:
    """What the database file says to somebody who knows nothing of a log."""
    connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        found: int = connection.execute("SELECT count(*) FROM ledger_chain").fetchone()[0]
    finally:
        connection.close()
    return found


def copiers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "wal-copier"]


def commit(store: SqliteStore, *chains: str) -> None:
    store.begin()
    store.insert(CHAIN, [(chain, 1, b"") for chain in chains])
    store.commit()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "backend.db"
    migrated_sqlite(path)
    return path


@pytest.fixture
def store(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    monkeypatch.setattr(wal_copier, "WAL_ROWS_PER_COPY", 3)
    engine = open_engine(f"sqlite:///{path}")
    store = SqliteStore(engine)
    yield store
    store.close()
    engine.dispose()
    assert not copiers()


def await_copy(path: Path, rows: int) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while rows_without_log(path) < rows:
        assert time.monotonic() < ends_at, "the log was not copied"


def test_the_log_is_copied_when_enough_rows_are_in_it_and_the_writer_rests(
    path: Path, store: SqliteStore
) -> None:
    commit(store, "a", "b")
    assert not copiers()
    assert rows_without_log(path) == 0
    commit(store, "c")
    await_copy(path, 3)
    commit(store, "d")
    assert len(store.fetch(CHAIN, ["a", "b", "c", "d"])) == 4


def test_no_copy_is_made_before_the_writer_rests(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_copier, "WAL_COPY_LULL_MS", LONG_MS)
    commit(store, "a", "b", "c")
    (copier,) = copiers()
    copier.join(timeout=0.1)
    assert rows_without_log(path) == 0


def test_with_too_many_rows_in_the_log_the_writers_rest_is_not_waited_for(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_copier, "WAL_COPY_LULL_MS", LONG_MS)
    monkeypatch.setattr(wal_copier, "WAL_ROWS_UNCOPIED_MAX", 3)
    commit(store, "a", "b", "c")
    await_copy(path, 3)


@pytest.fixture
def large_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows are a large group, and one lull is no rest after it."""
    monkeypatch.setattr(wal_copier, "WAL_ROWS_PER_LARGE_GROUP", 3)
    monkeypatch.setattr(wal_copier, "WAL_COPY_LULL_MS", 1)
    monkeypatch.setattr(wal_copier, "WAL_COPY_LULLS_AFTER_LARGE_GROUP", LONG_MS)


@pytest.mark.usefixtures("large_groups")
def test_the_time_between_two_large_groups_is_no_rest(path: Path, store: SqliteStore) -> None:
    commit(store, "a", "b", "c")
    (copier,) = copiers()
    copier.join(timeout=0.1)
    assert rows_without_log(path) == 0


@pytest.mark.usefixtures("large_groups")
def test_large_groups_are_copied_together_when_too_many_rows_are_in_the_log(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_copier, "WAL_ROWS_UNCOPIED_MAX", 6)
    commit(store, "a", "b", "c")
    commit(store, "d", "e", "f")
    await_copy(path, 6)


@pytest.mark.usefixtures("large_groups")
def test_the_rest_after_large_groups_is_a_longer_one(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_copier, "WAL_COPY_LULLS_AFTER_LARGE_GROUP", 3)
    commit(store, "a", "b", "c")
    await_copy(path, 3)
