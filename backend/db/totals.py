"""Counts and sums of what a query finds, added up by the database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from backend.db.reading import Reader
from backend.db.tables import Row


def totals(reader: Reader, found: Select[Any], *, by: str, summed: Sequence[str]) -> list[Row]:
    """A row for each value of the column ``by``, in their order: it, ``count``, and the sum of each
    column of ``summed``, as whole numbers (PostgreSQL's sums of 64-bit integers are decimals)."""
    rows = found.subquery()
    query = select(
        rows.c[by],
        func.count().label("count"),
        *(func.sum(rows.c[one]).label(one) for one in summed),
    )
    added = reader.rows(query.group_by(rows.c[by]).order_by(rows.c[by]))
    return [row | {name: int(row[name]) for name in ("count", *summed)} for row in added]
