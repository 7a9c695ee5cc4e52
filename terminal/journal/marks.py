"""Marks in the terminal's database. The caller holds the transaction."""

import sqlite3

from terminal.domain.mark import Mark, MarkedAs

_MARK = "subject, marked_as, reason, by_name, at_ms, amount_minor"
_LATEST = "mark_id IN (SELECT MAX(mark_id) FROM marks GROUP BY subject)"


class Marks:
    """What supervisors took unknown outcomes for."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._db = database

    def add(self, mark: Mark) -> None:
        """Another word about a payment. The same word of the same person is kept once."""
        last = self.of(mark.subject)
        if last is not None and (last.marked_as, last.reason, last.by_name) == (
            mark.marked_as, mark.reason, mark.by_name,
        ):  # fmt: skip
            return
        self._db.execute(
            "INSERT INTO marks (subject, marked_as, reason, by_name, at_ms, amount_minor)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (mark.subject, mark.marked_as, mark.reason, mark.by_name, mark.at_ms,
             mark.amount_minor),
        )  # fmt: skip

    def of(self, subject: str) -> Mark | None:
        """The latest word about a payment."""
        found = self._marks(f"subject = ? AND {_LATEST}", (subject,))
        return found[0] if found else None

    def between(self, from_ms: int, until_ms: int) -> list[Mark]:
        """The latest words about payments that were marked in that time, oldest first."""
        return self._marks(f"at_ms >= ? AND at_ms <= ? AND {_LATEST}", (from_ms, until_ms))

    def _marks(self, where: str, values: tuple[str | int, ...]) -> list[Mark]:
        rows = self._db.execute(
            f"SELECT {_MARK} FROM marks WHERE {where} ORDER BY mark_id",  # noqa: S608
            values,
        )
        return [Mark(**{**dict(row), "marked_as": MarkedAs(row["marked_as"])}) for row in rows]
