"""Matching a day: every fault that was put in is named, and a clean day has none."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reconciliation import sides
from backend.reconciliation.breaks import ACTIONS, BreakClass
from backend.reconciliation.match import Known, match_orders, match_sides
from backend.reconciliation.sides import DayMatch, Side
from protocol.errors import OperatingError

DAY, NEXT, BEFORE = "2026-09-30", "2026-10-01", "2026-09-29"
Expected = Counter[tuple[BreakClass, str]]
FAULTS = (
    "none", "none", "none", "missing", "twice", "thrice", "off_by_one", "currency", "fee",
    "off_by_one_and_fee", "twice_and_off_by_one", "next_date_in_row", "failed_here", "open_here",
    "unknown_here", "ours_is_next_day", "ours_was_before", "ours_was_before_off_by_one",
    "moved_before",
)  # fmt: skip


class Day:
    """A day of both sides with faults, and the breaks that must be found for them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.ours: list[Side] = []
        self.theirs: list[Side] = []
        self.known: dict[str, Known] = {}
        self.moved: set[str] = set()
        self.expected: Expected = Counter()

    def add(self, number: int, fault: str) -> None:  # noqa: C901  # one case a fault
        amount = self.rng.choice([-1, 1, 1]) * self.rng.randint(2, 10**9)
        side = Side(f"id{number:04}", amount, "CNY", 3)
        ours, theirs = [side], [side]
        kinds: list[BreakClass] = []
        match fault:
            case "missing":
                theirs = []
                is_refund = amount < 0
                kinds = [
                    BreakClass.REFUND_PENDING if is_refund else BreakClass.SHORT_MISSING_CHANNEL
                ]
            case "moved_before":
                theirs = []
                self.moved.add(side.reference)
            case "twice" | "thrice":
                theirs = [side] * (2 if fault == "twice" else 3)
                kinds = [BreakClass.DUPLICATE] * (len(theirs) - 1)
            case "off_by_one":
                theirs = [side._replace(signed_minor=amount + 1)]
                kinds = [BreakClass.AMOUNT]
            case "currency":
                theirs = [side._replace(currency="USD")]
                kinds = [BreakClass.CURRENCY]
            case "fee":
                theirs = [side._replace(fee_minor=4)]
                kinds = [BreakClass.FEE]
            case "off_by_one_and_fee":
                theirs = [side._replace(signed_minor=amount - 1, fee_minor=9)]
                kinds = [BreakClass.AMOUNT, BreakClass.FEE]
            case "twice_and_off_by_one":
                theirs = [side._replace(signed_minor=amount + 1), side]
                kinds = [BreakClass.AMOUNT, BreakClass.DUPLICATE]
            case "next_date_in_row":
                theirs = [side._replace(date=NEXT)]
                kinds = [BreakClass.CUTOFF]
            case "unknown_here":
                ours, kinds = [], [BreakClass.LONG_MISSING_ORDER]
            case "failed_here" | "open_here":
                ours, kinds = [], [BreakClass.LONG_STATUS]
                is_open = fault == "open_here"
                self.known[side.reference] = Known(side, DAY, is_settled=False, is_open=is_open)
            case "ours_is_next_day" | "ours_was_before":
                ours, kinds = [], [BreakClass.CUTOFF]
                date = NEXT if fault == "ours_is_next_day" else BEFORE
                self.known[side.reference] = Known(side, date, is_settled=True, is_awaited=True)
            case "was_in_the_file_before":
                ours, kinds = [], [BreakClass.DUPLICATE]
                self.known[side.reference] = Known(side, BEFORE, is_settled=True)
            case "ours_was_before_off_by_one":
                ours, kinds = [], [BreakClass.AMOUNT, BreakClass.CUTOFF]
                known = side._replace(signed_minor=amount - 1)
                self.known[side.reference] = Known(known, BEFORE, is_settled=True, is_awaited=True)
        self.ours += ours
        self.theirs += theirs
        self.expected.update((kind, side.reference) for kind in kinds)

    def found(self) -> tuple[int, Expected]:
        """What is matched and found, whatever the order in which rows came."""
        self.rng.shuffle(self.ours)
        place = {row.reference: self.rng.random() for row in self.theirs}
        self.theirs.sort(key=lambda row: place[row.reference])
        with DayMatch() as match:
            match.add_ours(self.ours)
            match.add_theirs(self.theirs)
            matched = match_sides(
                "channel NUCC", DAY, match, known=self.known, moved=frozenset(self.moved)
            )
        assert len({found.break_id for found in matched.breaks}) == len(matched.breaks)
        return matched.count, Counter((one.kind, one.reference) for one in matched.breaks)


@given(st.randoms(use_true_random=False), st.lists(st.sampled_from(FAULTS), max_size=60))
def test_exactly_the_faults_that_were_put_into_a_day_are_found(
    rng: random.Random, faults: list[str]
) -> None:
    day = Day(rng)
    for number, fault in enumerate(faults):
        day.add(number, fault)
    count, found = day.found()
    assert found == day.expected
    assert count >= faults.count("none")


@given(st.randoms(use_true_random=False), st.integers(0, 200))
def test_a_clean_day_has_no_break(rng: random.Random, size: int) -> None:
    day = Day(rng)
    for number in range(size):
        day.add(number, "none")
    assert day.found() == (size, Counter())


def test_every_class_has_an_action() -> None:
    assert set(ACTIONS) == set(BreakClass)


def test_our_own_postings_are_summed_by_event_and_what_was_undone_is_no_break() -> None:
    with DayMatch() as match:
        match.add_ours([Side("a", 10, "CNY"), Side("b", 5, "CNY"), Side("d", 1, "CNY")])
        legs = [Side("a", 4, "CNY"), Side("c", 9, "CNY"), Side("a", 6, "CNY"), Side("b", 7, "CNY")]
        match.add_theirs(legs)
        match.drop_theirs(["c"])
        match.sum_by_reference("theirs")
        found = match_orders("payments", match)
    assert found.count == 1
    assert [(one.reference, one.ours_minor, one.theirs_minor) for one in found.breaks] == [
        ("b", 5, 7),
        ("d", 1, None),
    ]


def test_a_day_beyond_the_bound_is_refused_and_no_part_of_it_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sides, "EVENTS_PER_DAY_MAX", 3)
    with DayMatch() as match, pytest.raises(OperatingError) as caught:
        match.add_theirs(Side(f"r{n}", 1, "CNY") for n in range(4))
    assert caught.value.code == "answer_too_large"
