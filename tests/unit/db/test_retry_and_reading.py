"""Retries are bounded and only for what another writer caused; readers cannot write."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.db.engine import open_engine
from backend.db.limits import GROUP_TRIES_MAX, RETRY_DELAY_MS_MAX
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.retry import delay_ms, with_retries
from backend.db.store import StoreError


class Flaky:
    """Fails so many times with this error, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.left, self.error, self.waits = failures, error, list[int]()

    def __call__(self) -> str:
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "done"


def test_a_conflict_is_tried_again_and_the_waits_grow() -> None:
    action = Flaky(GROUP_TRIES_MAX - 1, StoreError("conflict", "40001"))
    assert with_retries(action, wait_ms=action.waits.append) == "done"
    assert action.waits == sorted(action.waits)
    assert delay_ms(50) == RETRY_DELAY_MS_MAX


def test_tries_are_bounded_and_other_errors_are_not_tried_again() -> None:
    action = Flaky(99, StoreError("conflict", "40P01"))
    with pytest.raises(StoreError):
        with_retries(action, wait_ms=action.waits.append)
    assert len(action.waits) == GROUP_TRIES_MAX - 1
    action = Flaky(1, StoreError("failed", "disk full"))
    with pytest.raises(StoreError, match="disk full"):
        with_retries(action, wait_ms=action.waits.append)
    assert action.waits == []


def test_a_locked_sqlite_is_a_conflict(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'locked.db'}"
    engine = open_engine(url)
    first, second = open_store(engine), open_store(engine)
    second._connection.execute("PRAGMA busy_timeout=0")  # type: ignore[attr-defined]
    first.begin()
    with pytest.raises(StoreError) as refused:
        second.begin()
    assert refused.value.kind == "conflict"
    first.rollback()
    for store in (first, second):
        store.close()
    engine.dispose()


@pytest.mark.asyncio
async def test_a_reader_sees_one_moment_and_cannot_write(migrated_url: str) -> None:
    engine, reader = open_engine(migrated_url), Reader.open(migrated_url)
    insert = text("INSERT INTO ledger_chain (chain, seq, hash) VALUES (:name, 1, :hash)")
    count = text("SELECT count(*) AS n FROM ledger_chain")
    with reader.snapshot() as moment:
        assert moment.execute(count).scalar() == 0
        with engine.begin() as connection:
            connection.execute(insert, {"name": "a", "hash": b""})
        assert moment.execute(count).scalar() == 0
        with pytest.raises(DBAPIError):
            moment.execute(insert, {"name": "b", "hash": b""})
    async with asyncio.timeout(10):
        assert await reader.fetch(count) == [{"n": 1}]
    assert reader.one(text("SELECT 1 AS n WHERE 1 = 0")) is None
    reader.close()
    engine.dispose()


def test_only_files_and_known_databases_are_opened() -> None:
    for url in ("sqlite://", "sqlite:///:memory:", "mysql://x/y"):
        with pytest.raises(ValueError):
            open_engine(url)
