"""Brings a spool of any earlier version to the present one: numbered files, each in a transaction.

``PRAGMA user_version`` is the number of the last one applied. A spool from the future is refused.
"""

import sqlite3
from importlib import resources

from protocol.errors import CallerError


def scripts() -> list[tuple[int, str]]:
    """The migrations in their order: number and SQL."""
    folder = resources.files("hub.spool") / "migrations"
    files = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_", 1)[0]), (folder / name).read_text("utf-8")) for name in files]


def migrate(connection: sqlite3.Connection) -> int:
    """Apply what is missing; returns the version."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    known = scripts()
    if version > known[-1][0]:
        raise CallerError("config_invalid", f"the spool is of a newer version ({version})")
    for number, sql in known:
        if number > version:
            connection.executescript(f"BEGIN;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
            version = number
    return version
