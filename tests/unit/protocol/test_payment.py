"""The payment's table: every (state, command) pair either emits its event or raises."""

import itertools

import pytest

from protocol.errors import CallerError
from protocol.payment import (
    FINAL_STATES,
    PAID_STATES,
    TRANSITIONS,
    Command,
    Event,
    PaymentState,
    next_state,
)

PAIRS = list(itertools.product(PaymentState, Command))


@pytest.mark.parametrize(("state", "command"), PAIRS)
def test_every_pair_is_either_an_edge_with_an_event_or_an_error(
    state: PaymentState, command: Command
) -> None:
    if (state, command) in TRANSITIONS:
        edge = next_state(state, command)
        assert edge.event in Event
        assert edge.state in PaymentState
    else:
        with pytest.raises(CallerError) as caught:
            next_state(state, command)
        assert caught.value.code == "payment_state"


def test_no_edge_leaves_a_final_state() -> None:
    assert not [pair for pair in TRANSITIONS if pair[0] in FINAL_STATES]


def test_every_state_but_the_first_is_reached_and_every_state_leads_to_an_end() -> None:
    reached = {edge.state for edge in TRANSITIONS.values()}
    assert reached == set(PaymentState) - {PaymentState.CREATED}
    for state in PaymentState:
        seen, frontier = {state}, [state]
        while frontier:
            here = frontier.pop()
            for (origin, _), edge in TRANSITIONS.items():
                if origin is here and edge.state not in seen:
                    seen.add(edge.state)
                    frontier.append(edge.state)
        assert seen & FINAL_STATES


def test_unknown_is_left_only_by_an_answer_or_a_reversal() -> None:
    commands = {command for state, command in TRANSITIONS if state is PaymentState.UNKNOWN}
    assert commands == {Command.CAPTURE, Command.DECLINE, Command.REVERSE}


def test_money_moves_into_a_paid_state_only_by_capture_or_refund() -> None:
    for (_, command), edge in TRANSITIONS.items():
        if edge.state in PAID_STATES:
            assert command in {Command.CAPTURE, Command.REFUND_PART, Command.REFUND_REST}
