"""Reading for everybody but the writer: connections that cannot write.

A ``snapshot`` sees one moment of the database however long it lasts; writers go on meanwhile. One
question sees one moment anyhow, and is asked without a transaction around it.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Executable, Select, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError

from backend.db.engine import open_engine
from backend.db.limits import READ_PAGE_ROWS, READ_ROWS_MAX
from backend.db.tables import Row
from protocol.errors import CallerError, OperatingError

_BEGIN = {"postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ", "sqlite": "BEGIN"}


class Reader:
    """Read-only access to one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._begin = _BEGIN[engine.dialect.name]

    @classmethod
    def open(cls, url: str) -> "Reader":
        """A reader with an engine of its own; ``close`` it."""
        return cls(open_engine(url, read_only=True))

    @classmethod
    @contextmanager
    def opened(cls, url: str) -> "Iterator[Reader]":
        """A reader for the time of a command-line program. ``CallerError("config_invalid")`` for a
        URL that leads to no database of ours, or to one of another release, in words and not in a
        trace."""
        try:
            reader = cls.open(url)
        except (ArgumentError, ValueError) as error:
            raise CallerError("config_invalid", f"database: {error}") from None
        try:
            _check_release(reader)
            yield reader
        finally:
            reader.close()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One read transaction at one moment. ``CallerError("field_invalid")`` for a value that
        this database cannot look up."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(self._begin)
            with _looking_up():
                yield connection
            connection.rollback()

    @contextmanager
    def lasting(self) -> Iterator[Connection]:
        """A connection to keep for many small questions, each of which sees its own moment. It
        costs a tenth of a snapshot a question; use it from one thread at a time."""
        with self._engine.connect() as connection:
            yield connection

    def rows(self, statement: Executable, **parameters: Any) -> list[Row]:  # noqa: ANN401
        """All rows as dictionaries. ``OperatingError("answer_too_large")`` above ``READ_ROWS_MAX``:
        nobody takes a part for the whole (``pages`` is for many); ``CallerError("field_invalid")``
        for a value that this database cannot look up."""
        with self._engine.connect() as connection, _looking_up():
            found = connection.execute(statement, parameters).mappings()
            rows = [dict(row) for row in found.fetchmany(READ_ROWS_MAX + 1)]
        if len(rows) > READ_ROWS_MAX:
            raise OperatingError("answer_too_large", f"more than {READ_ROWS_MAX} rows")
        return rows

    async def pages(
        self, statement: Select[Any], key: ColumnElement[Any]
    ) -> AsyncIterator[list[Row]]:
        """Every row, however many, in order of a column that is unique and part of the answer;
        at most ``READ_PAGE_ROWS`` at a time are in memory.

        Each page is a read of its own from the last key on: rows that come or go meanwhile may or
        may not be seen, those that stay are seen exactly once.
        """
        after: Any = None
        while True:
            page = statement if after is None else statement.where(key > after)
            rows = await self.fetch(page.order_by(key).limit(READ_PAGE_ROWS))
            if rows:
                yield rows
            if len(rows) < READ_PAGE_ROWS:
                return
            after = rows[-1][key.name]

    def one(self, statement: Executable, **parameters: Any) -> Row | None:  # noqa: ANN401
        """The first row, or None."""
        found = self.rows(statement, **parameters)
        return found[0] if found else None

    async def fetch(self, statement: Executable, **parameters: Any) -> list[Row]:  # noqa: ANN401
        """``rows`` without holding up the event loop."""
        return await asyncio.to_thread(self.rows, statement, **parameters)

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


@contextmanager
def _looking_up() -> Iterator[None]:
    """What cannot even be asked for is the caller's mistake. Bytes that come back and are no text
    are not: they are damage."""
    try:
        yield
    except (DataError, UnicodeEncodeError):
        raise CallerError("field_invalid", "a value that cannot be looked up") from None


def _check_release(reader: Reader) -> None:
    # Imported here: Alembic takes a tenth of a second from commands that open no database.
    from backend.db.migrate import is_upgraded

    try:
        reader.one(text("SELECT max(version_num) FROM alembic_version"))
        with reader.snapshot() as connection:
            is_of_this_release = is_upgraded(connection)
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        raise CallerError("config_invalid", f"not a database of ours: {reason}") from None
    except UnicodeDecodeError:  # SQLite names the table, whose name is no text any more
        raise CallerError(
            "config_invalid", "not a database of ours: its schema is damaged"
        ) from None
    if not is_of_this_release:
        advice = "a database of another release: upgrade first, by starting the backend"
        raise CallerError("config_invalid", advice)
