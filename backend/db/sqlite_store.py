"""The writer's SQLite: a few statements of many rows each.

A statement of n rows steps once, so the interpreter lock is given up once, not n times; with
executemany the event loop and the writer hand it to and fro for every row. Chunk sizes are powers
of two, so that sqlite3's statement cache knows them all.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Engine

from backend.db.limits import PARAMETERS_PER_STATEMENT_MAX
from backend.db.store import Kind, StoreError
from backend.db.tables import Key, TableRef, Values

_ROWS_PER_STATEMENT_MAX = 256


class SqliteStore:
    """One connection in manual transaction mode. Implements ``Store``."""

    has_rivals = False

    def __init__(self, engine: Engine) -> None:
        self._pooled = engine.raw_connection()
        connection = self._pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        self._connection = connection
        self._connection.isolation_level = None

    def begin(self) -> None:
        """BEGIN IMMEDIATE: from here on nobody else can write."""
        self._run("BEGIN IMMEDIATE")

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """By primary key. The last key is repeated up to a power of two."""
        count = 1 << (len(keys) - 1).bit_length()
        padded: list[Any] = [*keys, *[keys[-1]] * (count - len(keys))]
        flat = padded if len(table.key_columns) == 1 else list(chain.from_iterable(padded))
        try:
            return self._connection.execute(_select(table, count), flat).fetchall()
        except sqlite3.Error as error:
            raise _as_store_error(error) from error

    def insert(self, table: TableRef, rows: Sequence[Values]) -> None:
        """INSERT … VALUES of many rows."""
        self._in_chunks(_insert, table, rows, len(table.columns))

    def update(self, table: TableRef, rows: Sequence[Values]) -> None:
        """UPDATE … FROM (VALUES …) of whole rows."""
        self._in_chunks(_update, table, rows, len(table.columns))

    def add(self, table: TableRef, rows: Sequence[Values]) -> None:
        """UPDATE … FROM (VALUES …) of differences."""
        self._in_chunks(_add, table, rows, len(table.key_columns) + len(table.additive))

    def commit(self) -> None:
        """COMMIT: WAL with synchronous=FULL, so the disk has it when this returns."""
        self._run("COMMIT")

    def rollback(self) -> None:
        """ROLLBACK, if a transaction is open."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Give the connection back to the pool."""
        self._pooled.close()

    def _run(self, statement: str) -> None:
        try:
            self._connection.execute(statement)
        except sqlite3.Error as error:
            raise _as_store_error(error) from error

    def _in_chunks(
        self,
        statement: Callable[[TableRef, int], str],
        table: TableRef,
        rows: Sequence[Values],
        width: int,
    ) -> None:
        execute = self._connection.execute
        try:
            for chunk in _chunks(rows, width):
                execute(statement(table, len(chunk)), tuple(chain.from_iterable(chunk)))
        except (sqlite3.Error, OverflowError) as error:
            raise _as_store_error(error) from error


def _chunks(rows: Sequence[Values], width: int) -> Iterator[Sequence[Values]]:
    size = min(
        _ROWS_PER_STATEMENT_MAX, 1 << ((PARAMETERS_PER_STATEMENT_MAX // width).bit_length() - 1)
    )
    start, left = 0, len(rows)
    while left:
        while size > left:
            size >>= 1
        yield rows[start : start + size]
        start, left = start + size, left - size


# Names in these statements come from our own table definitions, never from outside.
# ruff: noqa: S608


@cache
def _select(table: TableRef, count: int) -> str:
    keys = table.key_columns
    if len(keys) == 1:
        where = f"{keys[0]} IN ({','.join('?' * count)})"
    else:
        where = f"({','.join(keys)}) IN (VALUES {_marks(len(keys), count)})"
    return f"SELECT {','.join(table.columns)} FROM {table.name} WHERE {where}"


@cache
def _insert(table: TableRef, count: int) -> str:
    columns = ",".join(table.columns)
    return f"INSERT INTO {table.name} ({columns}) VALUES {_marks(len(table.columns), count)}"


@cache
def _update(table: TableRef, count: int) -> str:
    columns = table.columns
    place = {column: f"v.column{index}" for index, column in enumerate(columns, 1)}
    changes = ",".join(f"{c}={place[c]}" for c in columns if c not in table.key_columns)
    match = " AND ".join(f"{table.name}.{c}={place[c]}" for c in table.key_columns)
    marks = _marks(len(columns), count)
    return f"UPDATE {table.name} SET {changes} FROM (VALUES {marks}) AS v WHERE {match}"


@cache
def _add(table: TableRef, count: int) -> str:
    columns = table.key_columns + table.additive
    place = {column: f"v.column{index}" for index, column in enumerate(columns, 1)}
    changes = ",".join(f"{c}={table.name}.{c}+{place[c]}" for c in table.additive)
    match = " AND ".join(f"{table.name}.{c}={place[c]}" for c in table.key_columns)
    marks = _marks(len(columns), count)
    return f"UPDATE {table.name} SET {changes} FROM (VALUES {marks}) AS v WHERE {match}"


def _marks(width: int, count: int) -> str:
    return ",".join([f"({','.join('?' * width)})"] * count)


def _as_store_error(error: Exception) -> StoreError:
    kind: Kind = "failed"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        kind = "conflict"
    elif isinstance(error, sqlite3.IntegrityError):
        kind = "collision"
    return StoreError(kind, str(error))
