"""The journal's SQLite file: WAL, synchronous=FULL, numbered migrations, one connection.

WAL with synchronous=NORMAL may lose the last commits with the power, which is not for money.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from protocol.errors import OperatingError
from terminal.limits import SQLITE_BUSY_MS

UNWRITABLE = "journal_unwritable"

_FILE_MODE = 0o600


def open_database(path: Path | None) -> sqlite3.Connection:
    """Open (or make) the journal and bring its schema up to date. None is a memory twin.

    ``journal_unwritable`` if the disk would not take it."""
    if path is not None:
        path.touch(mode=_FILE_MODE, exist_ok=True)
    connection = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # a forgotten pay code's bytes go, too
        _migrate(connection)
    except sqlite3.Error as error:
        connection.close()
        if _is_of_the_disk(error):
            raise OperatingError(UNWRITABLE, str(error)) from error
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside is committed together, or not at all; ``journal_unwritable`` if the disk
    would not take it."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        # A full disk ends a transaction by itself, or leaves it open: none may be left behind.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if _is_of_the_disk(error):
            raise OperatingError(UNWRITABLE, str(error)) from error
        raise


def _is_of_the_disk(error: BaseException) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _migrate(connection: sqlite3.Connection) -> None:
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, script in _scripts():
        if number <= done:
            continue
        connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")


def _scripts() -> list[tuple[int, str]]:
    folder = resources.files("terminal.journal") / "migrations"
    found = [
        (int(entry.name.split("_", 1)[0]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)
