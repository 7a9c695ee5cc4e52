"""The writer's SQLite: a few statements of many rows each.

An INSERT of n rows steps once, so the interpreter lock is given up once, not n times; with
executemany the event loop and the writer hand it to and fro for every row. Chunk sizes are powers
of two, or small, so that sqlite3's statement cache knows them all. What is alike in all rows of a
large group is bound once: binding a text is a call, a lock and a copy.

Rule: key columns come first in every table (``tables.table_ref`` insists).
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from backend.db.alike import AlikeColumns
from backend.db.limits import (
    KEYS_PER_SELECT_MAX,
    PARAMETERS_PER_STATEMENT_MAX,
    WAL_PAGES_UNCOPIED_MAX,
)
from backend.db.log_room import LogRoom
from backend.db.store import Kind, StoreError
from backend.db.tables import Key, TableRef, Values
from backend.db.wal_copier import WalCopier

_ROWS_PER_STATEMENT_MAX = 64
"""Longer and shorter statements both cost more for each row (docs/performance-engine.md)."""
_ROWS_OF_ANY_COUNT_MAX = 8
"""So few rows go in one statement whatever their count: a lone payment's, above all."""
# A value too large, or text that is not Unicode, is refused before SQLite sees it.
_CONSTRAINT_DATATYPE = 3091  # sqlite.org/rescode.html; Python 3.11 has no name for it
_BAD_VALUES = frozenset({sqlite3.SQLITE_CONSTRAINT_NOTNULL, _CONSTRAINT_DATATYPE})
_NO_VERSION = -1
_ERRORS = (sqlite3.Error, OverflowError, ValueError)


class SqliteStore:
    """One connection in manual transaction mode. Implements ``Store``."""

    has_rivals = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._copier = WalCopier(engine)
        self._room = LogRoom(_file_of(engine))
        self._alike = AlikeColumns()
        self._rows = 0
        self._version = _NO_VERSION
        self._connect()

    def begin(self) -> None:
        """BEGIN IMMEDIATE: from here on nobody else can write. A lost connection is replaced."""
        if not self._pooled.is_valid:
            self._connect_again()
        self._run("BEGIN IMMEDIATE")
        self._room.keep()

    def has_news(self) -> bool:
        """Whether another connection has committed since the last call, by SQLite's own count."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except _ERRORS as error:
            raise _as_store_error(error) from error
        is_known = version == self._version
        self._version = version
        return not is_known

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """By primary key, ``KEYS_PER_SELECT_MAX`` at a time."""
        found: list[Values] = []
        for start in range(0, len(keys), KEYS_PER_SELECT_MAX):
            found += self._fetch(table, keys[start : start + KEYS_PER_SELECT_MAX])
        return found

    def start_fetch(self, table: TableRef, keys: Sequence[Key]) -> None:
        """Does nothing: SQLite reads in ``fetch`` itself."""

    def insert(self, table: TableRef, rows: Sequence[Values], suffix: Values = ()) -> None:
        """INSERT … VALUES of many rows; the suffix, and all else that is alike, is bound once."""
        execute = self._connection.execute
        self._rows += len(rows)
        once = tuple(range(table.width - len(suffix), table.width))
        own: Iterable[Values] = rows
        if len(rows) >= _ROWS_PER_STATEMENT_MAX:
            columns = list(zip(*rows, strict=True))
            alike = self._alike.among(table, columns)
            once, suffix = alike + once, (*(columns[at][0] for at in alike), *suffix)
            own = zip(*(columns[at] for at in range(table.width) if at not in once), strict=True)
        values = list(chain.from_iterable(own))
        width, start = table.width - len(once), 0
        try:
            for count in _counts(len(rows), table.width):
                end = start + count * width
                execute(_insert(table, count, once), [*suffix, *values[start:end]])
                start = end
        except _ERRORS as error:
            raise _as_store_error(error) from error

    def update(self, table: TableRef, rows: Sequence[Values]) -> None:
        """UPDATE of whole rows, one by one: faster here than FROM (VALUES …)."""
        self._one_by_one(_update(table), table, rows)

    def add(self, table: TableRef, rows: Sequence[Values]) -> None:
        """UPDATE by differences, one by one."""
        self._one_by_one(_add(table), table, rows)

    def start_commit(self) -> None:
        """Does nothing: SQLite commits in ``commit`` itself."""

    def commit(self) -> None:
        """COMMIT: WAL with synchronous=FULL, so the disk has it when this returns."""
        self._run("COMMIT")
        self._copier.committed(self._rows)
        self._rows = 0

    def rollback(self) -> None:
        """ROLLBACK, if a transaction is open; a connection that cannot is closed, which undoes
        the group, too, and replaced at the next begin."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._pooled.invalidate()

    def twin(self) -> None:
        """None: SQLite has one writer."""

    def close(self) -> None:
        """Give the connections back to the pool."""
        self._copier.close()
        self._pooled.close()

    def _connect(self) -> None:
        self._pooled = self._engine.raw_connection()
        connection = self._pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None
        connection.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES_UNCOPIED_MAX}")
        self._connection = connection
        self._version = _NO_VERSION

    def _connect_again(self) -> None:
        try:
            self._connect()
        except (DBAPIError, sqlite3.Error) as error:
            raise StoreError("failed", f"not connected: {error}") from error

    def _fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """The last key is repeated up to a power of two."""
        count = 1 << (len(keys) - 1).bit_length()
        padded: list[Any] = [*keys, *[keys[-1]] * (count - len(keys))]
        flat = padded if len(table.key_columns) == 1 else list(chain.from_iterable(padded))
        try:
            return self._connection.execute(select_statement(table, count), flat).fetchall()
        except _ERRORS as error:
            raise _as_store_error(error) from error

    def _run(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except _ERRORS as error:
            raise _as_store_error(error) from error

    def _one_by_one(self, statement: str, table: TableRef, rows: Sequence[Values]) -> None:
        width = len(table.key_columns)
        self._rows += len(rows)
        try:
            self._connection.executemany(statement, [row[width:] + row[:width] for row in rows])
        except _ERRORS as error:
            raise _as_store_error(error) from error


def _file_of(engine: Engine) -> Path | None:
    name = engine.url.database
    return None if name in {None, "", ":memory:"} else Path(str(name))


def _counts(rows: int, width: int) -> Iterator[int]:
    """How many rows go into each statement."""
    size = min(
        _ROWS_PER_STATEMENT_MAX, 1 << ((PARAMETERS_PER_STATEMENT_MAX // width).bit_length() - 1)
    )
    while rows:
        while size > rows:
            size = rows if rows <= _ROWS_OF_ANY_COUNT_MAX else size >> 1
        yield size
        rows -= size


# Names in these statements come from our own table definitions, never from outside.
# ruff: noqa: S608


@cache
def select_statement(table: TableRef, count: int) -> str:
    """Fetch so many rows by primary key."""
    keys = table.key_columns
    if len(keys) == 1:
        where = f"{keys[0]} IN ({','.join('?' * count)})"
        return f"SELECT {','.join(table.columns)} FROM {table.name} WHERE {where}"
    # Not ``(a, b) IN (VALUES …)``: for that SQLite reads the whole table. CROSS JOIN keeps the
    # order of the loops: each wanted key once, then one search by the primary key.
    return (
        f"WITH wanted({','.join(keys)}) AS (VALUES {_marks(len(keys), count)})"
        f" SELECT {','.join(f'found.{column}' for column in table.columns)}"
        f" FROM (SELECT DISTINCT * FROM wanted) AS wanted CROSS JOIN {table.name} AS found"
        f" ON {' AND '.join(f'found.{key}=wanted.{key}' for key in keys)}"
    )


@cache
def _insert(table: TableRef, count: int, once: tuple[int, ...]) -> str:
    """The first parameters are those of the columns at these places, for all rows."""
    numbers = iter(range(len(once) + 1, len(once) + 1 + count * (table.width - len(once))))
    shared = {at: number for number, at in enumerate(once, 1)}
    rows = [
        ",".join(f"?{shared.get(at) or next(numbers)}" for at in range(table.width))
        for _ in range(count)
    ]
    return f"INSERT INTO {table.name} ({','.join(table.columns)}) VALUES ({'),('.join(rows)})"


@cache
def _update(table: TableRef) -> str:
    keys = table.key_columns
    changes = ",".join(f"{column}=?" for column in table.columns if column not in keys)
    return f"UPDATE {table.name} SET {changes} WHERE {_match(table)}"


@cache
def _add(table: TableRef) -> str:
    changes = ",".join(f"{column}={column}+?" for column in table.additive)
    return f"UPDATE {table.name} SET {changes} WHERE {_match(table)}"


def _match(table: TableRef) -> str:
    return " AND ".join(f"{column}=?" for column in table.key_columns)


def _marks(width: int, count: int) -> str:
    return ",".join([f"({','.join('?' * width)})"] * count)


def _as_store_error(error: Exception) -> StoreError:
    kind: Kind = "failed"
    code = getattr(error, "sqlite_errorcode", 0)
    if code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        kind = "conflict"
    elif code & 0xFF == sqlite3.SQLITE_FULL:
        kind = "full"
    elif isinstance(error, sqlite3.IntegrityError) and code not in _BAD_VALUES:
        kind = "collision"
    elif not isinstance(error, (sqlite3.OperationalError, sqlite3.DatabaseError)) or isinstance(
        error, (sqlite3.ProgrammingError, sqlite3.DataError, sqlite3.IntegrityError)
    ):
        kind = "refused"
    return StoreError(kind, str(error))
