"""What the terminal remembers of its settings. The caller holds the journal's transaction."""

import json
import sqlite3
from dataclasses import fields

from terminal.domain.settings import SettingsState, Standing

_NAMES = tuple(field.name for field in fields(Standing))


class SettingsStore:
    """One row of the journal's file."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def standing(self) -> Standing:
        """How the terminal stands."""
        row = self._db.execute("SELECT standing FROM settings").fetchone()
        kept = json.loads(row["standing"])
        if not kept:
            return Standing()
        return Standing(**{**kept, "state": SettingsState(kept["state"])})

    def save(self, standing: Standing) -> None:
        """Keep it."""
        kept = {name: getattr(standing, name) for name in _NAMES}
        self._db.execute("UPDATE settings SET standing = ?", (json.dumps(kept),))

    def next_report(self) -> int:
        """The number of the next report."""
        row = self._db.execute("UPDATE settings SET reports = reports + 1 RETURNING reports")
        return int(row.fetchone()[0])
