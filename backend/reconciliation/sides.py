"""Both sides of a comparison, on disk: loaded in any order, read back in pairs by reference.

Rule 1: memory is bounded however long the day is. A temporary database of SQLite without a name
        holds both sides, sorts them on disk, and is gone when it is closed.
Rule 2: of rows of theirs with one reference the order is kept in which they came.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Literal, NamedTuple, Self

from backend.reconciliation.limits import (
    EVENTS_PER_DAY_MAX,
    LOADED_AT_ONCE_ROWS,
    LOOKED_UP_AT_ONCE_MAX,
    MATCH_CACHE_KIB_MAX,
)
from protocol.errors import OperatingError

SideName = Literal["ours", "theirs"]
_INSERT: dict[SideName, str] = {
    "ours": "INSERT INTO ours VALUES (?, ?, ?, ?, ?)",
    "theirs": "INSERT INTO theirs VALUES (?, ?, ?, ?, ?)",
}
_IN_ORDER: dict[SideName, str] = {
    "ours": "SELECT * FROM ours ORDER BY reference, rowid",
    "theirs": "SELECT * FROM theirs ORDER BY reference, rowid",
}
_SUM: dict[SideName, str] = {
    "ours": "SELECT coalesce(sum(signed_minor), 0) FROM ours",
    "theirs": "SELECT coalesce(sum(signed_minor), 0) FROM theirs",
}
_SUMMED = "reference, sum(signed_minor), min(currency), NULL, min(date)"
_BY_REFERENCE: dict[SideName, tuple[str, ...]] = {
    side: (
        f"CREATE TABLE summed AS SELECT {_SUMMED} FROM {side} GROUP BY reference",  # noqa: S608  # names of our own
        f"DELETE FROM {side}",  # noqa: S608
        f"INSERT INTO {side} SELECT * FROM summed",  # noqa: S608
        "DROP TABLE summed",
    )
    for side in _INSERT
}


class Side(NamedTuple):
    """One movement as our books, or the channel's file, have it."""

    reference: str
    signed_minor: int
    currency: str
    fee_minor: int | None = None
    date: str = ""


class Pair(NamedTuple):
    """An order and a row with one reference; one of them may be missing. ``number`` counts the
    rows of a reference; only the first has our order beside it."""

    ours: Side | None
    theirs: Side | None
    number: int = 1


class DayMatch:
    """Close it: that removes what it holds."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute(f"PRAGMA cache_size = -{MATCH_CACHE_KIB_MAX}")
        for pragma in ("temp_store = FILE", "journal_mode = OFF", "synchronous = OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        for side in ("ours", "theirs"):
            self._db.execute(
                f"CREATE TABLE {side} (reference TEXT NOT NULL, signed_minor INTEGER NOT NULL,"
                " currency TEXT NOT NULL, fee_minor INTEGER, date TEXT NOT NULL) STRICT"
            )
        self._counts: dict[SideName, int] = {"ours": 0, "theirs": 0}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add_ours(self, rows: Iterable[Side]) -> None:
        """Load orders; more than the bound is ``answer_too_large``, never a part of the day."""
        self._add("ours", rows)

    def add_theirs(self, rows: Iterable[Side]) -> None:
        """Load the other side's rows."""
        self._add("theirs", rows)

    def pairs(self) -> Iterator[Pair]:
        """Every reference in its order, once for each row."""
        all_ours, all_theirs = self._sorted("ours"), self._sorted("theirs")
        ours, theirs = next(all_ours, None), next(all_theirs, None)
        number, last = 0, None
        while ours is not None or theirs is not None:
            if theirs is None or (ours is not None and ours.reference < theirs.reference):
                yield Pair(ours, None)
                ours = next(all_ours, None)
                continue
            number = number + 1 if theirs.reference == last else 1
            last = theirs.reference
            if ours is not None and ours.reference == theirs.reference:
                yield Pair(ours, theirs)
                ours = next(all_ours, None)
            else:
                yield Pair(None, theirs, number)
            theirs = next(all_theirs, None)

    def unknown_references(self) -> Iterator[list[str]]:
        """The references of theirs that are none of ours, a bounded number at a time."""
        found = (
            pair.theirs.reference
            for pair in self.pairs()
            if pair.theirs is not None and pair.ours is None and pair.number == 1
        )
        while some := list(islice(found, LOOKED_UP_AT_ONCE_MAX)):
            yield some

    def sum_minor(self, side: SideName) -> int:
        """The signed sum of a side."""
        query = _SUM[side]
        return int(self._db.execute(query).fetchone()[0])

    def sum_by_reference(self, side: SideName) -> None:
        """Make one row of all rows of a reference: the legs of an event."""
        for statement in _BY_REFERENCE[side]:
            self._db.execute(statement)

    def drop_theirs(self, references: Iterable[str]) -> None:
        """Forget what was undone. All at once: each call reads the whole side."""
        self._db.execute("CREATE TABLE dropped (reference TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.executemany(
            "INSERT OR IGNORE INTO dropped VALUES (?)", ((one,) for one in references)
        )
        self._db.execute("DELETE FROM theirs WHERE reference IN (SELECT reference FROM dropped)")
        self._db.execute("DROP TABLE dropped")

    def _add(self, side: SideName, rows: Iterable[Side]) -> None:
        left = iter(rows)
        while some := list(islice(left, LOADED_AT_ONCE_ROWS)):
            self._counts[side] += len(some)
            if self._counts[side] > EVENTS_PER_DAY_MAX:
                raise OperatingError("answer_too_large", f"more than {EVENTS_PER_DAY_MAX} a day")
            self._db.execute("BEGIN")
            self._db.executemany(_INSERT[side], some)
            self._db.execute("COMMIT")

    def _sorted(self, side: SideName) -> Iterator[Side]:
        rows = self._db.execute(_IN_ORDER[side])
        return map(Side._make, rows)
