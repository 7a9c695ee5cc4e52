"""Matching, and naming what does not match. Pure.

Three ways for the channel: our order, our posting, the channel's row. Then funds: the reserve's
statement against our postings on RESERVE. Then position: the statement's closing balance against
our balance. Nothing is corrected here; every break is named and kept.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from backend.channels.day_file import DayRow
from backend.channels.iso20022 import StatementEntry


class BreakClass(StrEnum):
    """What is wrong with a pair, or with a row that has none."""

    LONG_MISSING_ORDER = "LONG_MISSING_ORDER"
    """The institution has it, we do not."""
    SHORT_MISSING_CHANNEL = "SHORT_MISSING_CHANNEL"
    """We have it, the institution does not."""
    AMOUNT = "AMOUNT"
    DUPLICATE = "DUPLICATE"
    """The institution has the same reference twice."""
    LEDGER = "LEDGER"
    """Our order and our own posting differ."""
    POSITION = "POSITION"
    """The closing balance is not ours."""


@dataclass(frozen=True, slots=True)
class Break:
    """One difference, with both sides' amounts (None where a side has nothing)."""

    kind: BreakClass
    source: str
    reference: str
    ours_minor: int | None
    theirs_minor: int | None


@dataclass(frozen=True, slots=True)
class Matched:
    """How many agreed, and everything that did not."""

    count: int
    breaks: tuple[Break, ...]


def match_rows(
    source: str, *, ours: Mapping[str, int], theirs: Iterable[tuple[str, int]]
) -> Matched:
    """Match signed amounts by reference. A second row with a reference is a duplicate."""
    rows = list(theirs)
    seen = Counter(reference for reference, _ in rows)
    first = dict(reversed(rows))
    breaks, count = [], 0
    for reference, amount in first.items():
        mine = ours.get(reference)
        if mine is None:
            breaks.append(Break(BreakClass.LONG_MISSING_ORDER, source, reference, None, amount))
        elif mine != amount:
            breaks.append(Break(BreakClass.AMOUNT, source, reference, mine, amount))
        else:
            count += 1
        if seen[reference] > 1:
            breaks.append(Break(BreakClass.DUPLICATE, source, reference, mine, amount))
    for reference, mine in ours.items():
        if reference not in first:
            breaks.append(Break(BreakClass.SHORT_MISSING_CHANNEL, source, reference, mine, None))
    return Matched(count, tuple(sorted(breaks, key=lambda found: (found.kind, found.reference))))


def match_orders(source: str, *, orders: Mapping[str, int], posted: Mapping[str, int]) -> Matched:
    """Our orders against our own postings: every difference is our own mistake."""
    breaks = [
        Break(BreakClass.LEDGER, source, reference, orders.get(reference), posted.get(reference))
        for reference in sorted(orders.keys() | posted.keys())
        if orders.get(reference) != posted.get(reference)
    ]
    agreed = sum(orders[reference] == posted.get(reference) for reference in orders)
    return Matched(agreed, tuple(breaks))


def match_position(source: str, *, ours_minor: int, theirs_minor: int, account: str) -> Matched:
    """The balances themselves."""
    if ours_minor == theirs_minor:
        return Matched(1, ())
    found = Break(BreakClass.POSITION, source, account, ours_minor, theirs_minor)
    return Matched(0, (found,))


def file_amounts(rows: Iterable[DayRow]) -> list[tuple[str, int]]:
    """A channel's rows as (reference, signed amount)."""
    return [(row.reference, row.signed_minor) for row in rows]


def statement_amounts(entries: Iterable[StatementEntry]) -> list[tuple[str, int]]:
    """The statement's entries as (reference, signed amount)."""
    return [(entry.reference, entry.amount.amount_minor) for entry in entries]
