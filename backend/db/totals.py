"""Counts and sums of the newest rows that a query finds, added up by the database.

Rule: no more than ``limit`` rows are read, whoever asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from backend.db.reading import Reader
from backend.db.tables import Row


@dataclass(frozen=True, slots=True)
class Totals:
    """A row for each combination of the ``by`` columns: these, ``count``, and the sums."""

    rows: list[Row]
    is_all: bool
    """Whether nothing older was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summing:
    """Which columns group the rows, and which are added up."""

    by: tuple[str, ...]
    summed: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have to be read."""
        return (*self.by, *self.summed)


def newest_totals(
    reader: Reader, found: Select[Any], what: Summing, *, order: Sequence[Any], limit: int
) -> Totals:
    """The totals of the first ``limit`` rows in this order, for which there is an index."""
    rows = _added(reader, found.order_by(*order).limit(limit), what)
    return Totals(rows, sum(row["count"] for row in rows) < limit)


def newest_keys_totals(
    reader: Reader, found: Select[Any], what: Summing, *, key: ColumnElement[str], limit: int
) -> Totals:
    """The totals of the rows that have one of the ``limit`` highest keys of their table: for
    queries without an index by time. Keys rise with time (``protocol.ids``)."""
    lowest = reader.one(select(key).order_by(key.desc()).offset(limit - 1).limit(1))
    if lowest is None:
        return Totals(_added(reader, found, what), is_all=True)
    return Totals(_added(reader, found.where(key >= lowest[key.name]), what), is_all=False)


def _added(reader: Reader, found: Select[Any], what: Summing) -> list[Row]:
    """Counts and sums as integers: PostgreSQL sums 64-bit integers to decimals."""
    rows = found.subquery()
    keys = [rows.c[name] for name in what.by]
    query = select(
        *keys,
        func.count().label("count"),
        *(func.sum(rows.c[name]).label(name) for name in what.summed),
    )
    added = reader.rows(query.group_by(*keys).order_by(*keys))
    return [row | {name: int(row[name]) for name in ("count", *what.summed)} for row in added]
