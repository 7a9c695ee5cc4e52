"""Matching, and naming what does not match. Pure; both sides stand in a ``DayMatch``.

Three ways for the channel: our order, our posting, the channel's row. Then funds: the file's sum
against the money that came. Then position: the balances. Nothing is corrected here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from backend.reconciliation.breaks import Break, BreakClass
from backend.reconciliation.limits import BREAKS_PER_CHANNEL_DAY_MAX
from backend.reconciliation.sides import DayMatch, Pair, Side
from protocol.errors import OperatingError


@dataclass(frozen=True, slots=True)
class Known:
    """What our books know of a reference outside the day that is compared."""

    side: Side
    date: str
    is_settled: bool
    """The channel has told us that it moved."""
    is_open: bool = False
    """The channel still owes us a word."""
    is_for_people: bool = False
    """Somebody here has to decide it first: a dispute."""
    is_awaited: bool = False
    """Its own day's file lacked it, or has not been read yet."""


@dataclass(frozen=True, slots=True)
class Matched:
    """How many agreed, and everything that did not."""

    count: int
    breaks: tuple[Break, ...]


def pair_breaks(source: str, day: str, pair: Pair) -> Iterator[Break]:
    """What is wrong with a row that has our order beside it. The second row of a reference and
    those after are duplicates, whatever stands in them."""
    ours, theirs = pair.ours, pair.theirs
    assert theirs is not None
    if pair.number > 1:
        yield Break(
            BreakClass.DUPLICATE, source, theirs.reference, None, theirs.signed_minor, pair.number,
            file_day=day,
        )  # fmt: skip
        return
    assert ours is not None
    yield from _different(source, ours, theirs)
    if theirs.date not in {"", day}:
        yield _break(BreakClass.CUTOFF, source, ours, theirs, ours_date=day)


def long_breaks(source: str, day: str, theirs: Side, known: Known | None) -> Iterator[Break]:
    """What is wrong with a row that has no order of ours on this day. One whose own day's file has
    it, too, is a duplicate: it may not be explained by the date. A row of nothing lacks nothing."""
    if known is None:
        if theirs.signed_minor:
            yield Break(
                BreakClass.LONG_MISSING_ORDER, source, theirs.reference, None, theirs.signed_minor
            )
        return
    if not known.is_settled:
        yield Break(
            BreakClass.LONG_STATUS, source, theirs.reference, None, theirs.signed_minor,
            may_change=known.is_open, is_for_people=known.is_for_people,
        )  # fmt: skip
        return
    if not known.is_awaited:
        yield Break(
            BreakClass.DUPLICATE, source, theirs.reference, None, theirs.signed_minor, 2,
            file_day=day,
        )  # fmt: skip
        return
    yield from _different(source, known.side, theirs)
    yield _break(BreakClass.CUTOFF, source, known.side, theirs, ours_date=known.date)


def short_break(source: str, ours: Side) -> Break:
    """What is wrong with an order of ours that the file lacks."""
    is_refund = ours.signed_minor < 0
    kind = BreakClass.REFUND_PENDING if is_refund else BreakClass.SHORT_MISSING_CHANNEL
    return Break(kind, source, ours.reference, ours.signed_minor, None)


def match_sides(
    source: str, day: str, match: DayMatch, *, known: Mapping[str, Known], moved: frozenset[str]
) -> Matched:
    """All breaks of a channel's day. ``known``: what our books know of rows without an order;
    ``moved``: orders of ours that stood in the file of another day."""
    count, breaks = 0, list[Break]()
    for pair in match.pairs():
        found: Iterable[Break]
        if pair.theirs is None:
            assert pair.ours is not None
            is_elsewhere = pair.ours.reference in moved
            found = () if is_elsewhere else (short_break(source, pair.ours),)
        elif pair.ours is None and pair.number == 1:
            found = long_breaks(source, day, pair.theirs, known.get(pair.theirs.reference))
        else:
            found = pair_breaks(source, day, pair)
        before = len(breaks)
        breaks.extend(found)
        count += len(breaks) == before
        if len(breaks) > BREAKS_PER_CHANNEL_DAY_MAX:
            raise OperatingError("answer_too_large", f"{source}: {len(breaks)} breaks")
    return Matched(count, tuple(breaks))


def match_orders(source: str, match: DayMatch) -> Matched:
    """Our orders against our own postings (*theirs*): every difference is our own mistake."""
    count, breaks = 0, list[Break]()
    for pair in match.pairs():
        ours = pair.ours.signed_minor if pair.ours else None
        posted = pair.theirs.signed_minor if pair.theirs else None
        if ours == posted:
            count += 1
            continue
        side = pair.ours or pair.theirs
        assert side is not None
        breaks.append(Break(BreakClass.LEDGER, source, side.reference, ours, posted, pair.number))
    return Matched(count, tuple(breaks))


def match_figures(
    kind: BreakClass, source: str, *, ours_minor: int, theirs_minor: int, name: str
) -> Matched:
    """Two figures that must be one: the funds, or a balance."""
    if ours_minor == theirs_minor:
        return Matched(1, ())
    return Matched(0, (Break(kind, source, name, ours_minor, theirs_minor),))


def total(matches: Iterable[Matched]) -> Matched:
    """Several comparisons as one."""
    found = list(matches)
    breaks = chain.from_iterable(one.breaks for one in found)
    return Matched(sum(one.count for one in found), tuple(breaks))


def _different(source: str, ours: Side, theirs: Side) -> Iterator[Break]:
    if ours.currency != theirs.currency:
        yield _break(BreakClass.CURRENCY, source, ours, theirs)
    elif ours.signed_minor != theirs.signed_minor:
        yield _break(BreakClass.AMOUNT, source, ours, theirs)
    fees = (ours.fee_minor, theirs.fee_minor)
    if None not in fees and fees[0] != fees[1]:
        yield Break(BreakClass.FEE, source, ours.reference, *fees)


def _break(
    kind: BreakClass, source: str, ours: Side, theirs: Side, *, ours_date: str = ""
) -> Break:
    return Break(
        kind, source, theirs.reference, ours.signed_minor, theirs.signed_minor, ours_date=ours_date
    )
