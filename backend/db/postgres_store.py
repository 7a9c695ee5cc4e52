"""The writer's PostgreSQL: rows come out by ``= ANY``, go in and change by unnest.

Several backends may write at once, each with its own store:

* rows that a command may change are locked by the read, FOR NO KEY UPDATE in key order;
* additive tables (balances) are read without a lock and changed by differences at the flush, one
  row after the other in the order of the keys given, which is every writer's; the table's CHECK
  refuses a sum below the floor, and the group is decided again on fresh rows. So a hot account is
  locked from flush to commit only;
* questions and changes are sent without waiting (``postgres_pipeline``): the server works on one
  table's rows while the next ones are put together, and what it refused is told by ``commit``;
* no wait is without an end: a lock, a statement, and on the server a group that was abandoned.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, cast

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from backend.db.alike import is_alike
from backend.db.limits import (
    POSTGRES_IDLE_IN_GROUP_MS_MAX,
    POSTGRES_LOCK_TIMEOUT_MS,
    POSTGRES_STATEMENT_TIMEOUT_MS,
)
from backend.db.postgres_pipeline import Pipeline, as_array
from backend.db.retry import POSTGRES_CONFLICTS
from backend.db.store import Kind, StoreError
from backend.db.tables import Key, TableRef, Values

# The writer only ever looks rows up by primary key. The planner, with statistics of yesterday or
# none, likes to read a whole table instead: forty times slower on ten thousand accounts.
_BY_KEY_ONLY = ("enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off",
                "jit = off")  # fmt: skip
_BAD_VALUES = (psycopg.DataError, ValueError, OverflowError)
_NOT_NULL = "23502"
_DISK_FULL = "53100"
_ERRORS = (psycopg.Error, ValueError, OverflowError)
_COLLISIONS = frozenset({"23505", "23514"})


class PostgresStore:
    """One connection in autocommit mode with explicit transactions. Implements ``Store``."""

    has_rivals = True

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connect()

    def begin(self) -> None:
        """BEGIN at READ COMMITTED; a lost connection is replaced here."""
        if self._connection.closed:
            self._connect_again()
        self._is_committing = False
        self._asked.clear()
        self._run("BEGIN")

    def has_news(self) -> bool:
        """Always: other backends may write at any time."""
        return True

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        """By primary key, locked where the table says so."""
        if not self._asked:
            self.start_fetch(table, keys)
        asked = self._asked.popleft()
        assert asked is keys, "rows come in the order in which they were asked for"
        try:
            return self._pipeline.receive_rows()
        except _ERRORS as error:
            raise _as_store_error(error) from error

    def start_fetch(self, table: TableRef, keys: Sequence[Key]) -> None:
        """Send the question, when all changes sent before it are done."""
        if not self._asked:
            self._finish()
        columns: Iterable[Any] = [keys]
        if len(table.key_columns) > 1:
            columns = zip(*cast(Sequence[Values], keys), strict=True)
        self._send(_select(table), columns)
        self._asked.append(keys)

    def insert(self, table: TableRef, rows: Sequence[Values], suffix: Values = ()) -> None:
        """INSERT … SELECT FROM unnest; what is alike in all rows goes once."""
        columns = [*zip(*rows, strict=True), *((value,) for value in suffix)]
        alike = (False, *map(is_alike, columns[1:]))
        shown = [column[:1] if one else column for column, one in zip(columns, alike, strict=True)]
        self._change(_insert(table, alike), shown)

    def update(self, table: TableRef, rows: Sequence[Values]) -> None:
        """UPDATE … FROM unnest of whole rows, which the read has locked."""
        self._change(_update(table), zip(*rows, strict=True))

    def add(self, table: TableRef, rows: Sequence[Values]) -> None:
        """UPDATE … FROM unnest of differences. The join is a loop over the arrays (others are
        forbidden, see ``_BY_KEY_ONLY``), so rows are locked in the arrays' order."""
        self._change(_add(table), zip(*rows, strict=True))

    def start_commit(self) -> None:
        """Send COMMIT. If it cannot be sent, ``commit`` finds that out."""
        with suppress(StoreError):
            self._send_commit()

    def commit(self) -> None:
        """Return when all that was sent is done; raises the first error."""
        if not self._is_committing:
            self._send_commit()
        self._finish()

    def twin(self) -> "PostgresStore":
        """Another connection to the same database."""
        return PostgresStore(self._engine)

    def rollback(self) -> None:
        """ROLLBACK; a broken connection is closed and replaced at the next begin."""
        with suppress(psycopg.Error):
            self._pipeline.finish()
        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._connection.close()

    def close(self) -> None:
        """Give the connection back to the pool."""
        self._pooled.close()

    def _connect_again(self) -> None:
        if self._pooled.is_valid:
            self._pooled.invalidate()
        try:
            self._connect()
        except (DBAPIError, psycopg.Error) as error:
            raise StoreError("failed", f"not connected: {error}") from error

    def _connect(self) -> None:
        self._pooled = self._engine.raw_connection()
        connection = self._pooled.driver_connection
        assert isinstance(connection, psycopg.Connection)
        connection.rollback()
        connection.autocommit = True
        for setting in (*_BY_KEY_ONLY, *_time_limits()):
            connection.execute(f"SET {setting}".encode())
        self._connection: psycopg.Connection[Any] = connection
        self._pipeline = Pipeline(connection)
        self._asked: deque[Sequence[Key]] = deque()
        self._is_committing = False

    def _send_commit(self) -> None:
        """COMMIT, with synchronous_commit as the server is set (on)."""
        self._change("COMMIT")
        self._is_committing = True

    def _run(self, statement: str) -> None:
        self._send(statement)
        self._finish()

    def _finish(self) -> None:
        try:
            self._pipeline.finish()
        except _ERRORS as error:
            raise _as_store_error(error) from error

    def _change(self, statement: str, columns: Iterable[Values] = ()) -> None:
        self._send(statement, columns)
        try:
            self._pipeline.push()
        except _ERRORS as error:
            raise _as_store_error(error) from error

    def _send(self, statement: str, columns: Iterable[Values] = ()) -> None:
        try:
            self._pipeline.send(statement, [as_array(column) for column in columns])
        except _ERRORS as error:
            raise _as_store_error(error) from error


def _time_limits() -> tuple[str, ...]:
    return (
        f"lock_timeout = {POSTGRES_LOCK_TIMEOUT_MS}",
        f"statement_timeout = {POSTGRES_STATEMENT_TIMEOUT_MS}",
        f"idle_in_transaction_session_timeout = {POSTGRES_IDLE_IN_GROUP_MS_MAX}",
    )


# Names in these statements come from our own table definitions, never from outside.
# ruff: noqa: S608


@cache
def _select(table: TableRef) -> str:
    keys = table.key_columns
    if len(keys) == 1:
        where = f"{keys[0]} = ANY({_arrays(table, keys)[0]})"
    else:
        arrays = ",".join(_arrays(table, keys))
        where = f"({','.join(keys)}) IN (SELECT * FROM unnest({arrays}))"
    tail = f" ORDER BY {','.join(keys)} FOR NO KEY UPDATE" if table.lock else ""
    return f"SELECT {','.join(table.columns)} FROM {table.name} WHERE {where}{tail}"


def _insert(table: TableRef, alike: tuple[bool, ...]) -> str:
    arrays = _arrays(table, table.columns)
    own = [name for name, once in zip(table.columns, alike, strict=True) if not once]
    values = [
        f"({array})[1]" if once else f"v.{name}"
        for name, array, once in zip(table.columns, arrays, alike, strict=True)
    ]
    unnested = [array for array, once in zip(arrays, alike, strict=True) if not once]
    return (
        f"INSERT INTO {table.name} ({','.join(table.columns)}) SELECT {','.join(values)}"
        f" FROM unnest({','.join(unnested)}) AS v({','.join(own)})"
    )


@cache
def _update(table: TableRef) -> str:
    changes = ",".join(f"{c}=v.{c}" for c in table.columns if c not in table.key_columns)
    return _from_unnest(table, table.columns, changes)


@cache
def _add(table: TableRef) -> str:
    changes = ",".join(f"{c}={table.name}.{c}+v.{c}" for c in table.additive)
    return _from_unnest(table, table.key_columns + table.additive, changes)


def _from_unnest(table: TableRef, columns: tuple[str, ...], changes: str) -> str:
    match = " AND ".join(f"{table.name}.{c}=v.{c}" for c in table.key_columns)
    return (
        f"UPDATE {table.name} SET {changes}"
        f" FROM unnest({','.join(_arrays(table, columns))}) AS v({','.join(columns)}) WHERE {match}"
    )


def _arrays(table: TableRef, columns: Sequence[str]) -> list[str]:
    types = dict(zip(table.columns, table.types, strict=True))
    return [f"${place}::{types[name]}[]" for place, name in enumerate(columns, start=1)]


def _is_unknown_type(error: Exception) -> bool:
    """The driver itself cannot write it; from the server this error is about our own schema."""
    return isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None


def _as_store_error(error: Exception) -> StoreError:
    kind: Kind = "failed"
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    if state in POSTGRES_CONFLICTS:
        kind = "conflict"
    elif state == _DISK_FULL:
        kind = "full"
    elif state in _COLLISIONS:
        kind = "collision"
    elif isinstance(error, _BAD_VALUES) or state == _NOT_NULL or _is_unknown_type(error):
        kind = "refused"
    return StoreError(kind, f"{state}: {error}")
