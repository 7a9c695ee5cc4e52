"""Durable files: a transaction that finds no room leaves nothing behind, itself neither."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from backend.sandbox.institution.books import Books
from hub.durable import open_durable, transaction
from hub.ocpp.journal import ChargeJournal, open_journal
from tests.support.full_disk import no_larger_files

Opened = tuple[sqlite3.Connection, Callable[[], AbstractContextManager[None]]]


def hub_file(path: Path) -> Opened:
    connection = open_durable(path)
    return connection, lambda: transaction(connection)


def charges(path: Path) -> Opened:
    connection = open_journal(path)
    return connection, ChargeJournal(connection).transaction


def institution(path: Path) -> Opened:
    books = Books(path)
    return books.db, books.transaction


@pytest.mark.parametrize("opened", [hub_file, charges, institution])
def test_with_room_again_it_goes_on(tmp_path: Path, opened: Callable[[Path], Opened]) -> None:
    connection, begin = opened(tmp_path / "kept.db")
    connection.execute("CREATE TABLE kept (number INTEGER, said BLOB) STRICT")

    def keep(number: int) -> None:
        with begin():
            connection.execute("INSERT INTO kept VALUES (?, zeroblob(3000))", (number,))

    with no_larger_files(250_000) as grow:
        kept = 0
        with suppress(sqlite3.OperationalError):
            while kept < 1_000:
                keep(kept)
                kept += 1
        assert 0 < kept < 1_000
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError, match=r"full|disk I/O"):
                keep(kept)
        grow()
        keep(kept)
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (kept + 1,)
    connection.close()


def test_what_fails_inside_is_undone(tmp_path: Path) -> None:
    connection, begin = hub_file(tmp_path / "kept.db")
    connection.execute("CREATE TABLE kept (number INTEGER) STRICT")

    def break_off() -> None:
        with begin():
            connection.execute("INSERT INTO kept VALUES (1)")
            raise LookupError

    with pytest.raises(LookupError):
        break_off()
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    connection.close()
