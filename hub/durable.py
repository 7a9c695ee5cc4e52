"""SQLite files of the hub whose commits survive a crash and a power cut: how they are opened, and
what is all or nothing in them.

WAL with synchronous=NORMAL may lose the last commits with the power, which is not for money
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.limits import DURABLE_BUSY_TIMEOUT_MS

MEMORY = ":memory:"


def open_durable(path: Path | str, *, cached_statements: int = 128) -> sqlite3.Connection:
    """Open (or make) a file that is its owner's alone, as the WAL that takes its mode; its threads
    take turns by their caller's care."""
    if path != MEMORY:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=cached_statements
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {DURABLE_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # an answered pay code's bytes go, too
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, durable when the block ends."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # A full disk ends a transaction by itself, or leaves it open: none may be left behind.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
