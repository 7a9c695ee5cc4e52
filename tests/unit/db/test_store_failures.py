"""A database that is locked, gone or broken: each command is answered, the next group works."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from backend.db import postgres_store
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.limits import GROUP_TRIES_MAX
from backend.db.open_store import open_store
from backend.db.sqlite_store import SqliteStore
from backend.db.store import StoreError
from backend.ledger.model import Transfer
from backend.ledger.rules import Event, balance_paid
from backend.ledger.service import LedgerSeal
from backend.ledger.tables import CHAIN
from tests.kit.patience import PATIENCE_S
from tests.support.books import DATE, Books, ManualClock, Post, open_books
from tests.support.postgres import Cluster


def pay(name: str) -> list[Transfer]:
    return balance_paid(
        Event(name, "CNY", DATE), user_id="ann", merchant_id="shop", amount_minor=100, fee_minor=1
    )


def codes(books: Books, *names: str) -> list[str | None]:
    """What one group of payments is answered, at the latest when the deadline has come."""
    answered: list[str | None] = []

    def apply() -> None:
        for outcome in books.writer.apply([Post(pay(name)) for name in names]):
            answered.append(getattr(outcome.error, "code", None))

    thread = threading.Thread(target=apply, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive(), "no answer"
    return answered


@pytest.fixture
def books(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """A ledger whose writer is impatient: a stuck lock is given up after a tenth of a second."""
    monkeypatch.setattr(postgres_store, "POSTGRES_LOCK_TIMEOUT_MS", 100)
    with open_books(migrated_url) as opened:
        opened.fund("ann", 10_000)
        yield opened


only_postgres = pytest.mark.parametrize(
    "database_kind", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@only_postgres
def test_a_stray_lock_ends_as_busy_and_not_as_silence(books: Books) -> None:
    with psycopg.connect(dsn(books.url)) as stranger:
        stranger.execute("SELECT * FROM ledger_chain FOR UPDATE")
        assert codes(books, "pay_1", "pay_2") == ["busy", "busy"]
        stranger.rollback()
    assert codes(books, "pay_1", "pay_2") == [None, None]
    assert books.report().is_whole


@only_postgres
def test_a_writer_that_stops_in_the_middle_of_a_group_loses_its_locks(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_store, "POSTGRES_IDLE_IN_GROUP_MS_MAX", 100)
    engine = open_engine(books.url)
    stopped = open_store(engine)
    stopped.begin()
    stopped._run("SELECT * FROM ledger_chain FOR UPDATE")  # type: ignore[attr-defined]
    for _ in range(GROUP_TRIES_MAX):
        if codes(books, "pay_1") == [None]:
            break
    assert books.balance("C:CUST:ann:CNY") == 9_900
    with pytest.raises(StoreError):
        stopped.commit()
    stopped.rollback()
    stopped.begin()
    stopped.rollback()
    stopped.close()
    engine.dispose()


@only_postgres
def test_a_statement_has_an_end(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_store, "POSTGRES_STATEMENT_TIMEOUT_MS", 50)
    engine = open_engine(books.url)
    store = open_store(engine)
    store.begin()
    with pytest.raises(StoreError) as ended:
        store._run("SELECT pg_sleep(30)")  # type: ignore[attr-defined]
    assert ended.value.kind == "conflict"
    store.rollback()
    store.close()
    engine.dispose()


@only_postgres
def test_a_server_that_is_away_fails_group_after_group_and_then_works_again(
    books: Books, postgres_cluster: Cluster
) -> None:
    name = make_url(books.url).database
    with psycopg.connect(postgres_cluster.dsn("postgres"), autocommit=True) as operator:

        def admit(is_admitted: str) -> None:
            operator.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {is_admitted}'.encode())

        admit("false")
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        for group in range(3):
            assert codes(books, f"pay_{group}a", f"pay_{group}b") == ["internal", "internal"]
        admit("true")
    assert codes(books, "pay_1", "pay_2") == [None, None]
    assert books.report().is_whole


class _Stuck(sqlite3.Connection):
    """A connection that cannot roll back."""

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement == "ROLLBACK":
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(statement, *parameters)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_sqlite_connection_that_cannot_roll_back_is_replaced(migrated_url: str) -> None:
    sound = open_engine(migrated_url)
    broken = create_engine(migrated_url, connect_args={"factory": _Stuck})
    store = SqliteStore(broken)
    store.begin()
    store._connection.execute("INSERT INTO ledger_chain VALUES ('lost', 1, x'00')")
    store._engine = sound
    store.rollback()
    assert_is_free(sound)
    store.begin()
    assert store.fetch(CHAIN, ["lost"]) == []
    store.rollback()
    store.close()
    for engine in (sound, broken):
        engine.dispose()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_sqlite_file_that_cannot_be_opened_again_is_a_failure_and_not_a_bug(
    migrated_url: str,
) -> None:
    engine = create_engine(migrated_url, connect_args={"factory": _Stuck})
    store = SqliteStore(engine)
    store.begin()
    store._engine = open_engine(migrated_url.replace("backend.db", "none/backend.db", 1))
    shutil.rmtree(Path(str(store._engine.url.database)).parent)
    store.rollback()
    for _ in range(2):
        with pytest.raises(StoreError) as refused:
            store.begin()
        assert refused.value.kind == "failed"
    store._engine.dispose()
    engine.dispose()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_full_disk_is_busy_and_room_makes_it_go_on(migrated_url: str) -> None:
    engine, made = open_engine(migrated_url), list[sqlite3.Connection]()

    @event.listens_for(engine, "connect")
    def hold(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # not one page more than there are
        made.append(connection)

    writer = GroupCommitWriter(open_store(engine), clock=ManualClock(), seals=[LedgerSeal("main")])
    books = Books(engine, migrated_url, writer, ManualClock())
    try:
        made[-1].execute("PRAGMA max_page_count = 100000")
        books.fund("ann", 50_000)
        made[-1].execute("PRAGMA max_page_count = 1")
        number = 0
        while (said := codes(books, f"p{number}")) == [None]:
            number += 1
            assert number < 400, "the disk is never full"
        assert said == ["busy"]
        made[-1].execute("PRAGMA max_page_count = 100000")
        assert codes(books, f"p{number}") == [None]
    finally:
        writer.close()
        engine.dispose()


def test_a_question_that_fails_tells_no_value_that_it_asked_with(migrated_url: str) -> None:
    engine = open_engine(migrated_url, read_only=True)
    asked = text("SELECT 1 FROM no_table WHERE name = :name")
    with engine.connect() as connection, pytest.raises(DBAPIError) as failed:
        connection.execute(asked, {"name": "韩梅梅"})
    engine.dispose()
    assert "no_table" in str(failed.value)
    assert "韩梅梅" not in str(failed.value)


@only_postgres
@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("INSERT INTO person VALUES ('韩梅梅')", "person_name_check"),
        ("SELECT array_agg(one)::int[] FROM unnest(ARRAY['韩梅梅']) one", "InvalidText"),
    ],
)
def test_a_value_that_postgres_refuses_is_not_told(
    migrated_url: str, asked: str, named: str
) -> None:
    engine = open_engine(migrated_url)
    store = open_store(engine)
    store.begin()
    store._run("CREATE TEMP TABLE person (name text CHECK (length(name) > 9))")  # type: ignore[attr-defined]
    with pytest.raises(StoreError) as refused:
        store._run(asked)  # type: ignore[attr-defined]
    store.rollback()
    store.close()
    engine.dispose()
    assert named in refused.value.detail
    assert "韩梅梅" not in refused.value.detail


def test_postgres_says_that_its_disk_is_full() -> None:
    assert postgres_store._as_store_error(psycopg.errors.DiskFull("no room")).kind == "full"


def assert_is_free(engine: Engine) -> None:
    """Nobody holds SQLite's write lock."""
    other = open_store(engine)
    other.begin()
    other.rollback()
    other.close()


def dsn(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
