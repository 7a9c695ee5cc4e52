"""The life of a break: one table, one action a class."""

import re
from pathlib import Path

import pytest

from backend.reconciliation.breaks import (
    ACTIONS,
    FIRST,
    TRANSITIONS,
    Break,
    BreakClass,
    BreakState,
    BreakStep,
    action_of,
    aged_step,
    next_state,
    pool_ends,
)
from protocol.errors import CallerError


@pytest.mark.parametrize("state", BreakState)
@pytest.mark.parametrize("step", BreakStep)
def test_every_step_is_in_the_table_or_refused(state: BreakState, step: BreakStep) -> None:
    if (state, step) in TRANSITIONS:
        assert next_state(state, step) == TRANSITIONS[state, step]
        return
    with pytest.raises(CallerError) as caught:
        next_state(state, step)
    assert caught.value.code == "break_state"


def found(kind: BreakClass, ours: int | None = 5, theirs: int | None = 7) -> Break:
    return Break(kind, "channel NUCC", "id1", ours, theirs)


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        (BreakClass.LONG_MISSING_ORDER, BreakStep.POST),
        (BreakClass.LONG_STATUS, BreakStep.POST),
        (BreakClass.DUPLICATE, BreakStep.POST),
        (BreakClass.SHORT_MISSING_CHANNEL, BreakStep.POOL),
        (BreakClass.REFUND_PENDING, BreakStep.POOL),
        (BreakClass.CUTOFF, BreakStep.MARK),
        (BreakClass.AMOUNT, BreakStep.HAND_OVER),
        (BreakClass.CURRENCY, BreakStep.HAND_OVER),
        (BreakClass.FEE, BreakStep.HAND_OVER),
        (BreakClass.LEDGER, BreakStep.HAND_OVER),
        (BreakClass.FUNDS, BreakStep.HAND_OVER),
        (BreakClass.POSITION, BreakStep.HAND_OVER),
        (BreakClass.WALLET, BreakStep.HAND_OVER),
    ],
)
def test_each_class_has_its_action(kind: BreakClass, step: BreakStep) -> None:
    assert step in FIRST
    assert action_of(found(kind), has_transit=True, is_funded=True, rounded_minor=0) is step


def test_nothing_is_posted_that_the_money_does_not_bear_out_or_that_may_still_change() -> None:
    long = found(BreakClass.LONG_MISSING_ORDER)
    assert action_of(long, has_transit=True, is_funded=False, rounded_minor=0) is BreakStep.POOL
    assert action_of(long, has_transit=False, is_funded=True, rounded_minor=0) is (
        BreakStep.HAND_OVER
    )
    moving = Break(BreakClass.LONG_STATUS, "channel NUCC", "id1", None, 7, may_change=True)
    assert action_of(moving, has_transit=True, is_funded=True, rounded_minor=0) is BreakStep.POOL


def test_a_fen_of_fee_is_rounding_up_to_the_day_s_bound() -> None:
    fee = found(BreakClass.FEE, 5, 6)
    assert action_of(fee, has_transit=True, is_funded=True, rounded_minor=100) is BreakStep.ROUND
    assert action_of(fee, has_transit=True, is_funded=True, rounded_minor=101) is (
        BreakStep.HAND_OVER
    )


def test_the_pool_ends_two_days_later_and_then_a_short_is_posted_and_the_rest_handed_over() -> None:
    assert pool_ends("2026-12-30") == "2027-01-01"
    assert aged_step(BreakClass.SHORT_MISSING_CHANNEL, has_transit=True) is BreakStep.POST
    assert aged_step(BreakClass.REFUND_PENDING, has_transit=True) is BreakStep.HAND_OVER


def test_a_break_is_known_again_by_all_that_makes_it() -> None:
    assert found(BreakClass.AMOUNT, 1, 2).break_id == found(BreakClass.AMOUNT, 1, 2).break_id
    assert found(BreakClass.AMOUNT, 1, 2).break_id != found(BreakClass.AMOUNT, 1, 3).break_id
    assert found(BreakClass.AMOUNT).break_id != found(BreakClass.FEE).break_id


def test_the_page_on_clearing_says_what_is_done_about_each_class() -> None:
    page = (Path(__file__).parents[3] / "docs" / "clearing.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `([A-Z_]+)` \| ([a-z_]+) \|$", page, re.MULTILINE))
    assert told == {kind.value: action.value for kind, action in ACTIONS.items()}
