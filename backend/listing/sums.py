"""What the rows of a list come to, told by what has really happened."""

from collections.abc import Collection
from dataclasses import dataclass

from backend.db.tables import Row
from backend.db.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """One currency of a list; amounts in minor units."""

    currency: str
    count: int
    """Of those that took or gave money."""
    amount_minor: int
    refunded_minor: int
    """How much of it was given back."""
    others: tuple[Row, ...]
    """The other states with ``count`` and ``amount_minor``: no money moved, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A list's, by currency."""

    each: list[Sum]
    by_state: list[Row]
    """The same by currency and state, whether money moved or not."""
    is_all: bool
    newest: int
    """Of how many rows, the newest ones, where they are not all."""


def sums_of(totals: Totals, *, moved: Collection[str], newest: int) -> Sums:
    """``moved``: the states in which the money has moved."""
    currencies = dict.fromkeys(row["currency"] for row in totals.rows)
    each = [_sum(one, totals.rows, moved) for one in currencies]
    return Sums(each=each, by_state=totals.rows, is_all=totals.is_all, newest=newest)


def _sum(currency: str, rows: list[Row], moved: Collection[str]) -> Sum:
    of_it = [row for row in rows if row["currency"] == currency]
    taken = [row for row in of_it if row["state"] in moved]
    return Sum(
        currency=currency,
        count=sum(row["count"] for row in taken),
        amount_minor=sum(row["amount_minor"] for row in taken),
        refunded_minor=sum(row.get("refunded_minor", 0) for row in taken),
        others=tuple(row for row in of_it if row["state"] not in moved),
    )
