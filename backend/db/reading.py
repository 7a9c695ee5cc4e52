"""Reading for everybody but the writer: connections that cannot write.

A ``snapshot`` sees one moment of the database however long it lasts; writers go on meanwhile.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Executable

from backend.db.engine import open_engine
from backend.db.limits import READ_ROWS_MAX
from backend.db.tables import Row


class Reader:
    """Read-only access to one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> "Reader":
        """A reader with an engine of its own; ``close`` it."""
        return cls(open_engine(url, read_only=True))

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """One read transaction at one moment."""
        with self._engine.connect() as connection:
            if self._engine.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
                connection.begin()
            else:
                # sqlite3 opens a transaction for writes only; reads need it said.
                connection.exec_driver_sql("BEGIN")
            yield connection
            connection.rollback()

    def rows(self, statement: Executable, **parameters: Any) -> list[Row]:  # noqa: ANN401
        """All rows as dictionaries, at most ``READ_ROWS_MAX``."""
        with self.snapshot() as connection:
            found = connection.execute(statement, parameters).mappings().fetchmany(READ_ROWS_MAX)
            return [dict(row) for row in found]

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
