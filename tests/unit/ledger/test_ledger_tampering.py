"""Nothing in the ledger's tables changes unseen: every column of every kind of row, rows that come,
go and change places, guards that are taken down, and single bytes of the file.

A change is made past the guards inside a transaction that is rolled back; the guards are put back
before the ledger is verified, so that it is the change that is found.
"""

import random
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from backend.ledger.derived_tables import BALANCE, CHECKPOINT, FOLLOWER, LOG_NODE
from backend.ledger.report import Report
from backend.ledger.repository import LedgerRepository
from backend.ledger.tables import ACCOUNT, CHAIN, GROUP, HOLD, TRANSFER
from backend.ledger.verify import verify
from tests.support.evidence import populated

TABLES = {
    one.name: one
    for one in (ACCOUNT, TRANSFER, HOLD, GROUP, CHAIN, BALANCE, LOG_NODE, FOLLOWER, CHECKPOINT)
}
# One row of each of these makes "every kind of row".
KINDS = {
    "ledger_account": "book || side",
    "ledger_transfer": "rule || kind",
    "ledger_hold": "state",
    "ledger_group": "(seq = 1) || chain",
    "ledger_chain": "chain",
    "ledger_balance": "substr(account_id, 1, 1) || chain",
    "ledger_log_node": "chain",
    "ledger_follower": "chain",
    "ledger_checkpoint": "chain || size",
}
Row = dict[str, Any]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One populated file for all cases; every change to it is rolled back."""
    path = tmp_path_factory.mktemp("tampering") / "backend.db"
    engine = create_engine(populated(path))
    yield engine
    engine.dispose()


@contextmanager
def past_the_guards(engine: Engine) -> Iterator[Connection]:
    """A connection whose changes no trigger and no CHECK sees, and nobody keeps."""
    with engine.connect() as connection:
        run = connection.exec_driver_sql
        driver: Any = connection.connection.driver_connection
        driver.isolation_level = None
        run("PRAGMA ignore_check_constraints=ON")
        run("BEGIN IMMEDIATE")
        try:
            yield connection
        finally:
            run("ROLLBACK")
            run("PRAGMA writable_schema=OFF")


@contextmanager
def triggers_down(connection: Connection) -> Iterator[None]:
    """Take the triggers down for a change and put them back, word for word."""
    run = connection.exec_driver_sql
    triggers = run("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        run(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        run(sql)


def report_after(engine: Engine, statement: str, *values: Any) -> Report:
    with past_the_guards(engine) as connection:
        with triggers_down(connection):
            connection.exec_driver_sql(statement, values)
        return verify(LedgerRepository(connection))


def rows_of_each_kind(engine: Engine, table: str) -> list[Row]:
    query = f"SELECT * FROM {table} GROUP BY {KINDS[table]}"
    with engine.connect() as connection:
        return [dict(row) for row in connection.exec_driver_sql(query).mappings()]


def whereabouts(table: str, row: Row) -> tuple[str, list[Any]]:
    keys = TABLES[table].key_columns
    return " AND ".join(f"{key} = ?" for key in keys), [row[key] for key in keys]


def changes(value: Any) -> Sequence[Any]:
    """Other values that a careless or a careful hand could put there."""
    if value is None:
        return ("x:1", "None", 1)
    if isinstance(value, int):
        return (value + 1, value - 1, -value, value ^ 1 << 20, value * 10)
    if isinstance(value, bytes):
        return (bytes((value[0] ^ 1,)) + value[1:], value[:-1] + bytes((value[-1] ^ 128,)),
                value[:-1], value + b"\0", b"")  # fmt: skip
    middle = len(value) // 2
    wide = unicodedata.normalize("NFKC", "\uff21")
    return (
        value[:middle] + chr(ord(value[middle]) ^ 1) + value[middle + 1 :] if value else "x",
        f"{value} ", f" {value}", f"{value}\n", value.swapcase(), "", f"{value}\u0301",
        f"{wide}{value}", None,
    )  # fmt: skip


def tampered(engine: Engine, table: str, column: str, row: Row, value: Any) -> Report | None:
    """What verify says when a column has another value; None if the table does not take it or
    keeps what it had."""
    where, keys = whereabouts(table, row)
    with past_the_guards(engine) as connection:
        run = connection.exec_driver_sql
        try:
            with triggers_down(connection):
                run(f"UPDATE {table} SET {column} = ? WHERE {where}", (value, *keys))
        except DBAPIError:
            return None
        find = f"SELECT count(*) FROM {table} WHERE {column} IS ? AND {where}"
        if run(find, (row[column], *keys)).scalar():
            return None
        return verify(LedgerRepository(connection))


def check_one(engine: Engine, table: str, column: str, row: Row, value: Any) -> bool:
    report = tampered(engine, table, column, row, value)
    if report is None:
        return False
    said = f"{table}.{column} {row[column]!r} -> {value!r}: {report.breaks}"
    assert not report.is_whole, said
    if table == "ledger_transfer":
        assert report.first_bad_transfer in {row["id"], first_of_chain(row["id"])}, said
    return True


def first_of_chain(transfer_id: str) -> str:
    return f"{transfer_id.rpartition(':')[0]}:1"


def test_an_untouched_store_is_whole(store: Engine) -> None:
    with past_the_guards(store) as connection, triggers_down(connection):
        pass
    with past_the_guards(store) as connection:
        report = verify(LedgerRepository(connection))
    assert report.breaks == []
    assert (report.holds, report.checkpoints) == (8, 4)
    assert report.balances > 50


@pytest.mark.parametrize("table", TABLES)
def test_no_column_of_any_kind_of_row_changes_unseen(store: Engine, table: str) -> None:
    rng = random.Random(table)
    for index, row in enumerate(rows_of_each_kind(store, table)):
        for column in TABLES[table].columns:
            others = [value for value in changes(row[column]) if value != row[column]]
            rng.shuffle(others)
            tried = 0
            for value in others:
                tried += check_one(store, table, column, row, value)
                if tried and index:
                    break  # every change to one row, one change to each of the others
            assert tried, f"{table}.{column}: nothing was tried"


@pytest.mark.parametrize("table", TABLES)
def test_no_row_goes_unseen(store: Engine, table: str) -> None:
    for row in rows_of_each_kind(store, table):
        where, keys = whereabouts(table, row)
        report = report_after(store, f"DELETE FROM {table} WHERE {where}", *keys)
        assert not report.is_whole, row
        if table == "ledger_transfer":
            assert report.first_bad_transfer == row["id"]


INVENTED: dict[str, dict[str, Any]] = {
    "ledger_account": {"id": "C:CUST:nobody:CNY", "owner": "nobody", "code": "CUST", "book": "C",
                       "side": "credit", "floor_minor": 0, "debits_posted": 0, "credits_posted": 0,
                       "debits_pending": 0, "credits_pending": 0},
    "ledger_transfer": {"id": "zzz_1:1"},
    "ledger_hold": {"id": "zzz_1:1"},
    "ledger_group": {"seq": 999},
    "ledger_chain": {"chain": "north"},
    "ledger_balance": {"group_seq": 999},
    "ledger_log_node": {"place": 999},
    "ledger_follower": {"chain": "north"},
    "ledger_checkpoint": {"size": 7},
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_no_row_comes_unseen(store: Engine, table: str) -> None:
    row = rows_of_each_kind(store, table)[-1] | INVENTED[table]
    marks = ", ".join("?" * len(row))
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
    report = report_after(store, statement, *row.values())
    assert not report.is_whole
    if table == "ledger_transfer":
        assert report.first_bad_transfer == "zzz_1:1"


@pytest.mark.parametrize("table", [name for name in TABLES if name != "ledger_log_node"])
def test_no_two_rows_change_places_unseen(store: Engine, table: str) -> None:
    """All but the keys of two rows are exchanged."""
    with store.connect() as connection:
        query = f"SELECT * FROM {table}"
        rows = [dict(row) for row in connection.exec_driver_sql(query).mappings()]
    rest = [name for name in TABLES[table].columns if name not in TABLES[table].key_columns]
    rng = random.Random(table)
    for _ in range(4):
        one, other = rng.sample(rows, 2)
        if [one[name] for name in rest] == [other[name] for name in rest]:
            continue
        with past_the_guards(store) as connection:
            with triggers_down(connection):
                for place, content in ((one, other), (other, one)):
                    where, keys = whereabouts(table, place)
                    sets = ", ".join(f"{name} = ?" for name in rest)
                    connection.exec_driver_sql(
                        f"UPDATE {table} SET {sets} WHERE {where}",
                        (*(content[name] for name in rest), *keys),
                    )
            report = verify(LedgerRepository(connection))
        assert not report.is_whole, (one, other)
        if table == "ledger_transfer":
            firsts = {first_of_chain(row["id"]) for row in (one, other)}
            assert report.first_bad_transfer in firsts | {one["id"], other["id"]}


def test_of_two_changed_in_one_group_the_one_posted_first_is_named(store: Engine) -> None:
    """By whichever check each of them is found."""
    with past_the_guards(store) as connection:
        with triggers_down(connection):
            run = connection.exec_driver_sql
            run("UPDATE ledger_transfer SET at_ms = at_ms + 1 WHERE id = 'east_pay_5_1:2'")
            run("UPDATE ledger_transfer SET amount_minor = 999 WHERE id = 'east_pay_5_0:3'")
        report = verify(LedgerRepository(connection))
    assert report.first_bad_transfer == "east_pay_5_0:1"
    [changed] = [one.why for one in report.breaks if one.where == "east_pay_5_0:1"]
    assert changed.startswith("this or :2, :3, posted with it, changed after group east/")
    assert "east_pay_5_1:2" in {one.where for one in report.breaks}, "the other is named, too"


def test_a_transfer_that_names_itself_is_named_before_those_posted_with_it(store: Engine) -> None:
    with past_the_guards(store) as connection:
        with triggers_down(connection):
            connection.exec_driver_sql(
                "UPDATE ledger_transfer SET at_ms = at_ms + 1 WHERE id = 'east_pay_5_1:2'"
            )
        report = verify(LedgerRepository(connection))
    assert report.first_bad_transfer == "east_pay_5_1:2"


def guards(store: Engine) -> list[tuple[str, str]]:
    with store.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')"
            " AND tbl_name LIKE 'ledger_%'"
        )
        return [(row[0], row[1]) for row in rows]


def test_no_guard_comes_down_unseen(store: Engine) -> None:
    found = guards(store)
    assert len(found) == len(["view"]) + 3 * len(["transfer", "group", "checkpoint"])
    for kind, name in found:
        with past_the_guards(store) as connection:
            connection.exec_driver_sql(f"DROP {kind} {name}")
            report = verify(LedgerRepository(connection))
        assert [(one.kind, one.where) for one in report.breaks] == [("store", name)]


@pytest.mark.parametrize(
    "words", ["amount_minor > 0", "debit <> credit", "STRICT", "debits_pending >= 0",
              ">= floor_minor", "is append-only"],
)  # fmt: skip
def test_no_rule_of_the_schema_is_weakened_unseen(store: Engine, words: str) -> None:
    weaker = {"STRICT": "", "is append-only": "is read only"}.get(words, "1 = 1")
    with past_the_guards(store) as connection:
        run = connection.exec_driver_sql
        run("PRAGMA writable_schema=ON")
        run("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name LIKE 'ledger_%'",
            (words, weaker))  # fmt: skip
        report = verify(LedgerRepository(connection))
    assert {one.kind for one in report.breaks} == {"store"}


def test_a_trigger_of_somebody_else_is_seen(store: Engine) -> None:
    with past_the_guards(store) as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER skim AFTER INSERT ON ledger_transfer BEGIN"
            " UPDATE ledger_account SET credits_posted = credits_posted + 1; END"
        )
        report = verify(LedgerRepository(connection))
    assert [(one.where, one.why) for one in report.breaks] == [("skim", "is not of our making")]
