"""What the terminal remembers of its board's firmware. The caller holds the transaction."""

import json
import sqlite3
from dataclasses import asdict

from terminal.domain.firmware import FirmwareState, Wish


class FirmwareStore:
    """One row of the journal's file."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def wish(self) -> Wish:
        """How far the last wish is."""
        row = self._db.execute("SELECT wish FROM firmware").fetchone()
        kept = json.loads(row["wish"])
        return Wish(**{**kept, "state": FirmwareState(kept["state"])}) if kept else Wish()

    def save(self, wish: Wish) -> None:
        """Keep it."""
        self._db.execute("UPDATE firmware SET wish = ?", (json.dumps(asdict(wish)),))

    def next_report(self) -> int:
        """The number of the next report."""
        row = self._db.execute("UPDATE firmware SET reports = reports + 1 RETURNING reports")
        return int(row.fetchone()[0])
