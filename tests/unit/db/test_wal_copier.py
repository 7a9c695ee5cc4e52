"""SQLite's log is copied beside the writer: the database file itself has the rows soon after."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from backend.db import wal_copier
from backend.db.engine import open_engine
from backend.db.migrate import upgrade
from backend.db.sqlite_store import SqliteStore
from backend.ledger.tables import CHAIN

DEADLINE_S = 20


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


def test_the_log_is_copied_when_enough_rows_are_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal_copier, "WAL_ROWS_PER_COPY", 3)
    path = tmp_path / "backend.db"
    upgrade(f"sqlite:///{path}")
    engine = open_engine(f"sqlite:///{path}")
    store = SqliteStore(engine)
    commit(store, "a", "b")
    assert not copiers()
    assert rows_without_log(path) == 0
    commit(store, "c")
    ends_at = time.monotonic() + DEADLINE_S
    while rows_without_log(path) < 3:
        assert time.monotonic() < ends_at, "the log was not copied"
    commit(store, "d")
    assert len(store.fetch(CHAIN, ["a", "b", "c", "d"])) == 4
    store.close()
    engine.dispose()
    assert not copiers()
