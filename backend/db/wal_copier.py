"""Copying SQLite's write-ahead log into the database beside the writer, so that no group waits.

A copy makes the disk busy for some milliseconds, and commits meanwhile take as much longer: it
waits until the writer rests, or until there is so much that it must be done. Between two large
groups there is no rest, only the time that deciding one takes: pages that many groups write are
copied once for all of them.

The log is used from its start again once all of it has been copied and the writer begins. A pass
copies what is committed when it starts; passes follow each other until one has found nothing new.
Should they not keep up, the writer's own connection copies at ``WAL_PAGES_UNCOPIED_MAX``.
"""

import sqlite3
import threading
from contextlib import closing

import structlog
from sqlalchemy import Engine

from backend.db.limits import (
    WAL_COPY_LULL_MS,
    WAL_COPY_LULLS_AFTER_LARGE_GROUP,
    WAL_COPY_PASSES_MAX,
    WAL_ROWS_PER_COPY,
    WAL_ROWS_PER_LARGE_GROUP,
    WAL_ROWS_UNCOPIED_MAX,
)

_log = structlog.get_logger()


class WalCopier:
    """A thread with a connection of its own, started when there is something to copy."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._rows = 0
        self._lulls_wanted = 1
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def committed(self, rows: int) -> None:
        """Note that so many more rows were written to the log."""
        self._rows += rows
        is_large = rows >= WAL_ROWS_PER_LARGE_GROUP
        self._lulls_wanted = WAL_COPY_LULLS_AFTER_LARGE_GROUP if is_large else 1
        if self._rows < WAL_ROWS_PER_COPY or self._wanted.is_set():
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="wal-copier", daemon=True)
            self._thread.start()
        self._wanted.set()

    def close(self) -> None:
        """End the thread; what it leaves in the log is safe there."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        with closing(self._engine.raw_connection()) as pooled:
            connection = pooled.driver_connection
            assert isinstance(connection, sqlite3.Connection)
            while True:
                self._wanted.wait()
                self._await_lull()
                if self._stopping.is_set():
                    return
                self._rows = 0
                self._wanted.clear()
                try:
                    self._copy(connection)
                except sqlite3.Error as error:
                    _log.warning("wal_not_copied", detail=str(error))

    def _await_lull(self) -> None:
        """Wait until nothing was committed for a while, or the log is too long, or the copier
        ends."""
        seen, lulls = self._rows, 0
        while lulls < self._lulls_wanted and seen < WAL_ROWS_UNCOPIED_MAX:
            if self._stopping.wait(WAL_COPY_LULL_MS / 1000):
                return
            lulls = lulls + 1 if self._rows == seen else 0
            seen = self._rows

    def _copy(self, connection: sqlite3.Connection) -> None:
        for _ in range(WAL_COPY_PASSES_MAX):
            _, in_log, copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if in_log == copied or self._stopping.is_set():
                return
