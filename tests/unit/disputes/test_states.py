"""The table of a dispute's states, and how much of a payment may be disputed. Pure."""

from itertools import product
from typing import Any

import pytest

from backend.disputes.model import (
    TRANSITIONS,
    Disputable,
    DisputeCommand,
    DisputeState,
    check_new,
    next_edge,
)
from protocol.errors import CallerError
from protocol.payment import PAID_STATES, PaymentState

UNDECIDED = {DisputeState.OPEN, DisputeState.UNDER_REVIEW}


@pytest.mark.parametrize(("state", "command"), list(product(DisputeState, DisputeCommand)))
def test_only_an_undecided_dispute_can_be_spoken_to(
    state: DisputeState, command: DisputeCommand
) -> None:
    assert ((state, command) in TRANSITIONS) == (state in UNDECIDED)
    if state in UNDECIDED:
        assert next_edge(state, command) == TRANSITIONS[state, command]
    else:
        with pytest.raises(CallerError, match="dispute_state"):
            next_edge(state, command)


def test_each_decision_has_its_own_state_and_event() -> None:
    decisions = [one for one in DisputeCommand if one is not DisputeCommand.GIVE_EVIDENCE]
    edges = [next_edge(DisputeState.OPEN, command) for command in decisions]
    assert len({edge.state for edge in edges}) == len({edge.event for edge in edges}) == 3
    assert edges == [next_edge(DisputeState.UNDER_REVIEW, command) for command in decisions]


def payment(**changes: object) -> Disputable:
    fields = {
        "state": PaymentState.CAPTURED, "amount_minor": 1_000, "coupon_minor": 0,
        "coupon_returned_minor": 0,
        "currency": "CNY", "refunded_minor": 0, "refunding_minor": 0, "disputed_minor": 0,
    }  # fmt: skip
    return Disputable(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "rest_minor"),
    [
        ({}, 1_000),
        ({"refunded_minor": 300, "refunding_minor": 200, "disputed_minor": 100}, 400),
        ({"coupon_minor": 250}, 750),
        ({"coupon_minor": 250, "refunded_minor": 100, "coupon_returned_minor": 25}, 675),
        (
            {
                "coupon_minor": 250,
                "refunded_minor": 200,
                "refunding_minor": 100,
                "coupon_returned_minor": 75,
                "disputed_minor": 50,
            },
            475,
        ),
    ],
)
def test_what_is_left_of_a_payment_can_be_disputed(
    changes: dict[str, Any], rest_minor: int
) -> None:
    found = payment(**changes)
    check_new(found, amount_minor=rest_minor, currency="CNY")
    with pytest.raises(CallerError, match="dispute_exceeds"):
        check_new(found, amount_minor=rest_minor + 1, currency="CNY")


def test_only_a_paid_payment_in_its_own_currency_can_be_disputed() -> None:
    for state in set(PaymentState) - PAID_STATES:
        with pytest.raises(CallerError, match="payment_state"):
            check_new(payment(state=state), amount_minor=1, currency="CNY")
    with pytest.raises(CallerError, match="currency_mismatch"):
        check_new(payment(), amount_minor=1, currency="USD")
    with pytest.raises(CallerError, match="amount_invalid"):
        check_new(payment(), amount_minor=0, currency="CNY")
