"""The windows' table, walked through every pair."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clearing.window import TRANSITIONS, WindowState, WindowStep, next_state, steps_to
from protocol.errors import CallerError

ORDER = [WindowState.OPEN, WindowState.CLOSED, WindowState.PENDING_SETTLEMENT, WindowState.SETTLED]


@pytest.mark.parametrize(("state", "step"), list(product(WindowState, WindowStep)))
def test_every_pair_of_state_and_step_leads_where_the_table_says_or_nowhere(
    state: WindowState, step: WindowStep
) -> None:
    if (state, step) in TRANSITIONS:
        assert next_state(state, step) is TRANSITIONS[state, step]
    else:
        with pytest.raises(CallerError, match="window_state"):
            next_state(state, step)


def reached(state: WindowState, **facts: bool) -> WindowState:
    for step in steps_to(state, **facts):
        state = next_state(state, step)
    return state


@given(st.sampled_from(ORDER[:3]), st.booleans(), st.booleans(), st.booleans())
def test_property_the_steps_are_legal_and_lead_as_far_as_the_facts_and_no_further(
    state: WindowState, is_over: bool, is_reconciled: bool, is_settled: bool
) -> None:
    facts = {"is_over": is_over, "is_reconciled": is_reconciled, "is_settled": is_settled}
    found = reached(state, **facts)
    assert steps_to(found, **facts) == ()
    if found is WindowState.SETTLED:
        assert is_reconciled
        assert is_settled
    if not is_over and state is WindowState.OPEN:
        assert found is WindowState.OPEN


def test_a_window_of_nothing_closes_and_settles_too() -> None:
    """Zero-amount windows were once stuck for ever in a peer's system."""
    found = reached(WindowState.OPEN, is_over=True, is_reconciled=True, is_settled=True)
    assert found is WindowState.SETTLED


def test_settlement_right_after_closing_works() -> None:
    closed = reached(WindowState.OPEN, is_over=True, is_reconciled=False, is_settled=True)
    assert closed is WindowState.CLOSED
    assert reached(closed, is_over=True, is_reconciled=True, is_settled=True) is ORDER[-1]


def test_a_break_found_later_takes_an_unsettled_window_back_and_never_a_settled_one() -> None:
    pending = WindowState.PENDING_SETTLEMENT
    assert reached(pending, is_over=True, is_reconciled=False, is_settled=True) is ORDER[1]
    assert steps_to(ORDER[-1], is_over=True, is_reconciled=False, is_settled=False) == ()
