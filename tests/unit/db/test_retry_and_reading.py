"""Retries are bounded and only for what another writer caused; readers cannot write."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from backend.db import reading
from backend.db.engine import open_engine
from backend.db.limits import GROUP_TRIES_MAX, RETRY_DELAY_MS_MAX
from backend.db.migrate import upgrade
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.db.retry import delay_ms, with_retries
from backend.db.store import StoreError
from backend.ledger.tables import LedgerChain
from protocol.errors import CallerError, OperatingError
from tests.kit.patience import PATIENCE_S
from tests.support.postgres import Cluster


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
    async with asyncio.timeout(PATIENCE_S):
        assert await reader.fetch(count) == [{"n": 1}]
    assert reader.one(text("SELECT 1 AS n WHERE 1 = 0")) is None
    reader.close()
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)
def test_one_question_pays_for_no_transaction_around_it(database_url: str) -> None:
    level = text("SHOW transaction_isolation")
    reader = Reader.open(database_url)
    with reader.snapshot() as moment:
        assert moment.execute(level).scalar() == "repeatable read"
    assert reader.one(level) == {"transaction_isolation": "read committed"}
    reader.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_reader_never_makes_a_file(database_url: str) -> None:
    file = Path(database_url.removeprefix("sqlite:///"))
    with pytest.raises(CallerError, match="config_invalid"):
        Reader.open(database_url)
    assert list(file.parent.iterdir()) == []
    upgrade(database_url)
    reader = Reader.open(database_url)
    file.unlink()
    with pytest.raises(DBAPIError):
        reader.one(text("SELECT 1"))
    assert not file.exists()
    reader.close()


def test_a_program_told_the_wrong_database_says_so(database_url: str) -> None:
    open_engine(database_url).dispose()
    away = make_url(database_url).set(database="away", port=1).render_as_string(False)
    wrong = [database_url, "nonsense", "mysql://x/y", "sqlite:///none.db"]
    if make_url(database_url).get_backend_name() == "postgresql":
        wrong.append(away)
    for url in wrong:
        with pytest.raises(CallerError, match="config_invalid"), Reader.opened(url):
            pass


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM alembic_version WHERE version_num LIKE 'clearing_%'",
        "UPDATE alembic_version SET version_num = 'clearing_0001' WHERE version_num LIKE 'cl%'",
        "INSERT INTO alembic_version VALUES ('of_a_later_release')",
    ],
)
def test_a_program_told_a_database_of_another_release_says_to_upgrade_first(
    migrated_url: str, statement: str
) -> None:
    engine = open_engine(migrated_url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
    with pytest.raises(CallerError, match="upgrade first"), Reader.opened(migrated_url):
        pass


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_new_database_is_its_owners_alone(database_url: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state' / 'backend.db'}"
    before = os.umask(0)
    try:
        upgrade(url)
        engine = open_engine(url)
        store = open_store(engine)
        store.begin()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode)
                 for file in (tmp_path / "state").iterdir()}  # fmt: skip
        store.rollback()
        store.close()
        engine.dispose()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    assert modes["backend.db"] == 0o600
    assert set(modes.values()) == {0o600}


def test_only_files_and_known_databases_are_opened() -> None:
    for url in ("sqlite://", "sqlite:///:memory:", "mysql://x/y"):
        with pytest.raises(ValueError):
            open_engine(url)


_NUMBERS = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
    SELECT i FROM n"""


def test_an_answer_is_whole_or_an_error(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READ_ROWS_MAX", 3)
    with Reader.opened(migrated_url) as reader:
        assert len(reader.rows(text(_NUMBERS), count=3)) == 3
        with pytest.raises(OperatingError, match="answer_too_large"):
            reader.rows(text(_NUMBERS), count=4)


@pytest.mark.asyncio
async def test_pages_give_every_row_once_and_in_order(
    migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ_PAGE_ROWS", 2)
    table = LedgerChain.__table__  # type: ignore[attr-defined]
    engine = open_engine(migrated_url)
    with Reader.opened(migrated_url) as reader:
        for count in range(6):
            pages = [page async for page in reader.pages(select(table), table.c.chain)]
            assert [row["chain"] for page in pages for row in page] == list("abcdef")[:count]
            assert all(len(page) <= 2 for page in pages)
            with engine.begin() as connection:
                connection.execute(table.insert().values(chain="abcdef"[count], seq=1, hash=b""))
    engine.dispose()


@pytest.mark.parametrize("poison", ["a\x00b", "\ud800"])
def test_a_text_that_cannot_be_looked_up_is_the_callers_mistake_or_nowhere(
    migrated_url: str, poison: str
) -> None:
    table = LedgerChain.__table__  # type: ignore[attr-defined]
    with Reader.opened(migrated_url) as reader:
        try:
            assert reader.one(select(table).where(table.c.chain == poison)) is None
        except CallerError as error:
            assert error.code == "field_invalid"


@pytest.mark.parametrize("poison", ["a\x00b", "\ud800"])
def test_so_it_is_in_a_snapshot_which_answers_the_next_question(
    migrated_url: str, poison: str
) -> None:
    table = LedgerChain.__table__  # type: ignore[attr-defined]
    with Reader.opened(migrated_url) as reader:
        try:
            with reader.snapshot() as connection:
                assert not connection.execute(select(table).where(table.c.chain == poison)).all()
        except CallerError as error:
            assert error.code == "field_invalid"
        with reader.snapshot() as connection:
            assert not connection.execute(select(table)).all()


@pytest.mark.postgres
def test_a_connection_that_comes_back_after_the_end_is_closed(
    postgres_cluster: Cluster, postgres_template: str
) -> None:
    """A thread that reads is not waited for where a program stops."""
    reader = Reader.open(postgres_cluster.create_database("late", template=postgres_template))
    with reader.snapshot() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        reader.close()
        assert not driver.closed
    assert driver.closed
    postgres_cluster.drop_database("late")
