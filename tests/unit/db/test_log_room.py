"""SQLite's log has room beyond what is used of it, and whoever recovers it finds every commit."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from backend.db import log_room
from backend.db.engine import open_engine
from backend.db.limits import LOG_ROOM_BYTES_MIN
from backend.db.sqlite_store import SqliteStore
from backend.ledger.tables import CHAIN
from tests.support.migrated import migrated_sqlite

BLOB = bytes(range(256)) * 256


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "backend.db"
    migrated_sqlite(path)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    engine = open_engine(f"sqlite:///{path}")
    store = SqliteStore(engine)
    yield store
    store.close()
    engine.dispose()


def commit(store: SqliteStore, number: int) -> None:
    store.begin()
    store.insert(CHAIN, [(f"chain-{number}", number, BLOB)])
    store.commit()


def length(path: Path) -> int:
    return Path(f"{path}-wal").stat().st_size


def crashed(path: Path, there: Path) -> list[int]:
    """What a machine that lost its power now would find."""
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", f"{there}{suffix}")
    connection = sqlite3.connect(there)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = connection.execute("SELECT seq FROM ledger_chain WHERE chain LIKE 'chain-%'")
        return sorted(row[0] for row in rows)
    finally:
        connection.close()


def test_most_commits_leave_the_logs_length_alone(path: Path, store: SqliteStore) -> None:
    lengths = []
    for number in range(120):  # some 10 MiB
        commit(store, number)
        lengths.append(length(path))
    assert LOG_ROOM_BYTES_MIN < lengths[10] == lengths[40]
    assert len(set(lengths)) < 12


def test_every_commit_is_found_again_whatever_room_was_behind_it(
    path: Path, store: SqliteStore, tmp_path: Path
) -> None:
    done: list[int] = []
    for number in range(12):
        commit(store, number)
        done.append(number)
        assert crashed(path, tmp_path / f"crashed-{number}.db") == done


def test_a_log_that_was_begun_anew_is_not_made_longer(path: Path, store: SqliteStore) -> None:
    for number in range(20):
        commit(store, number)
    before = length(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA wal_checkpoint(PASSIVE)")
    other.close()
    for number in range(20, 40):
        commit(store, number)
    assert length(path) == before


def test_a_log_that_somebody_cut_gets_room_again(path: Path, store: SqliteStore) -> None:
    for number in range(8):
        commit(store, number)
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    other.close()
    assert length(path) == 0
    for number in range(8, 16):
        commit(store, number)
    assert length(path) > 2 * 8 * len(BLOB)


def test_a_disk_that_is_nearly_full_is_left_alone(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = os.statvfs(path)
    little = os.statvfs_result((*free[:4], 10, *free[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _: little)
    lengths = set()
    for number in range(12):
        commit(store, number)
        lengths.add(length(path))
    assert len(lengths) == 12


def test_a_disk_that_refuses_fails_no_commit(
    path: Path, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(log_room, "_extend", refuse)
    with capture_logs() as logs:
        for number in range(8):
            commit(store, number)
    assert [one["event"] for one in logs] == ["log_room_missing"]
    assert crashed(path, tmp_path / "crashed.db") == list(range(8))
