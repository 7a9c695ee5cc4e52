"""A shop's SQLite file becomes a PostgreSQL database: the same rows, for a shop that has grown.

Rule 1: all or nothing. The file is held alone from the first row to the last and is not changed;
        the rows arrive in one transaction, and a backend that starts on PostgreSQL waits for it.
Rule 2: a row counts when it was read back: of every table PostgreSQL must answer what the file
        holds, or nothing is kept.

Rows are copied as they are: columns are text, integers and bytes, and no key comes from a sequence
(``backend.db.tables``).
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from backend.db.engine import is_postgres, open_engine, postgres_line
from backend.db.migrate import POSTGRES_LOCK, is_upgraded, own_tables, upgrade
from protocol.errors import CallerError, OperatingError

_ROWS_AT_ONCE: Final = 2_000
_SUM_BYTES: Final = 16
_SUM_BITS: Final = 8 * _SUM_BYTES

Row = tuple[str | int | bytes | None, ...]
Shape = dict[str, tuple[str, ...]]
"""The columns of each table."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds, in whatever order: how many rows, and the sum of their digests."""

    rows: int = 0
    total: int = 0

    def and_row(self, row: Row) -> "Content":
        """The sum with one row more."""
        digest = blake2b(repr(row).encode(), digest_size=_SUM_BYTES).digest()
        return Content(self.rows + 1, (self.total + int.from_bytes(digest)) % 2**_SUM_BITS)


@dataclass(frozen=True, slots=True)
class Moved:
    """How much there was."""

    tables: int
    rows: int


def move(source: str, target: str) -> Moved:
    """Copy every row of a SQLite database to a PostgreSQL one that holds none.

    ``CallerError``: ``config_invalid`` for other kinds of databases, for a file of another release,
    and for a server that cannot be reached; ``database_in_use`` while a backend has the file open;
    ``database_not_empty``. ``OperatingError("internal")`` for rows that did not arrive as they are.
    """
    file = _file_of(source)
    if not is_postgres(target):
        raise CallerError("config_invalid", "the new database_url is not PostgreSQL's")
    _check_release(source)
    shape = {table.name: tuple(table.columns.keys()) for table in own_tables()}
    with _held_alone(file) as old, _reached(target) as new:
        upgrade(target)
        with new.transaction():
            new.execute("SELECT pg_advisory_xact_lock(%s)", [POSTGRES_LOCK])
            _clear(new, shape)
            moved = _copy_all(old, new, shape)
        new.execute("ANALYZE")
    return moved


@contextmanager
def _reached(target: str) -> Iterator[psycopg.Connection[Row]]:
    """A connection, and PostgreSQL's errors in a sentence."""
    try:
        with psycopg.connect(**postgres_line(target), autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise CallerError("config_invalid", f"PostgreSQL: {_first_line(error)}") from None
    except psycopg.Error as error:
        raise OperatingError("internal", f"PostgreSQL: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _copy_all(old: sqlite3.Connection, new: psycopg.Connection[Row], shape: Shape) -> Moved:
    rows = 0
    for table, columns in shape.items():
        sent = _send(new, table, columns, _read(old, table, columns))
        with new.cursor("arrived") as cursor:
            cursor.itersize = _ROWS_AT_ONCE
            arrived = _content(cursor.execute(_select(table, columns)))
        if arrived != sent:
            raise OperatingError("internal", f"{table}: rows are not as they were in the file")
        rows += sent.rows
    return Moved(len(shape), rows)


def _send(
    new: psycopg.Connection[Row], table: str, columns: Sequence[str], rows: Iterable[Row]
) -> Content:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _names(columns))
    content = Content()
    with new.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            content = content.and_row(row)
    return content


def _content(rows: Iterable[Row]) -> Content:
    content = Content()
    for row in rows:
        content = content.and_row(row)
    return content


def _read(old: sqlite3.Connection, table: str, columns: Sequence[str]) -> Iterator[Row]:
    names = ", ".join(f'"{column}"' for column in columns)
    yield from old.execute(f'SELECT {names} FROM "{table}"')  # noqa: S608  # our tables' own names


def _select(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {}").format(_names(columns), sql.Identifier(table))


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _file_of(source: str) -> Path:
    url = make_url(source)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise CallerError("config_invalid", "the old database_url is not SQLite's")
    file = Path(url.database)
    if not file.is_file():
        raise CallerError("config_invalid", f"there is no database {file}")
    return file


def _check_release(source: str) -> None:
    engine = open_engine(source, read_only=True)
    try:
        with engine.connect() as connection:
            if not is_upgraded(connection):
                advice = "a database of another release: upgrade first, by starting the backend"
                raise CallerError("config_invalid", advice)
    finally:
        engine.dispose()


@contextmanager
def _held_alone(file: Path) -> Iterator[sqlite3.Connection]:
    """The file, which nobody else has open, or will before this is over."""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise CallerError("database_in_use", str(file)) from None
        yield connection
        connection.execute("ROLLBACK")


def _clear(new: psycopg.Connection[Row], shape: Shape) -> None:
    """Take out what a database holds from its founding; ``database_not_empty`` if it holds more."""
    with tempfile.TemporaryDirectory(prefix="tillway-founded-") as folder:
        founded = Path(folder) / "founded.db"
        upgrade(f"sqlite:///{founded}")
        with closing(sqlite3.connect(founded)) as known:
            for table, columns in shape.items():
                usual = _content(_read(known, table, columns))
                found = new.execute(_select(table, columns) + sql.SQL(" LIMIT 100")).fetchall()
                if _content(found) != usual:
                    raise CallerError("database_not_empty", table)
                if usual.rows:
                    new.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
