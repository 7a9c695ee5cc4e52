"""The tables of a sale and a refund, walked over every (state, step) pair."""

import itertools
from dataclasses import replace

import pytest

from protocol.errors import CallerError, advice
from protocol.payment import PaymentState
from terminal.domain import delivery as deliveries
from terminal.domain import refund as refunds
from terminal.domain.delivery import Delivery, DeliveryEvent, DeliveryStep
from terminal.domain.refund import Refund, RefundState, RefundStep
from terminal.domain.sale import (
    COLLECTING_STATES,
    FINAL_STATES,
    OPEN_STATES,
    TRANSITIONS,
    Sale,
    SaleEvent,
    SaleState,
    Step,
)
from terminal.domain.screen import Surroundings, screen_of
from terminal.domain.verdict import STEP_OF_RESULT, Refused, of_refusal


def sale_in(state: SaleState) -> Sale:
    return Sale(
        payment_id="pay_1", attempt_id="att_1", method="pay_code", amount_minor=1,
        currency="CNY", created_at_ms=0, state=state,
    )  # fmt: skip


@pytest.mark.parametrize(("state", "step"), list(itertools.product(SaleState, Step)))
def test_every_edge_emits_its_event_and_every_other_step_raises(
    state: SaleState, step: Step
) -> None:
    edge = TRANSITIONS.get((state, step))
    sale = sale_in(state)
    assert sale.may(step) is (edge is not None)
    if edge is None:
        with pytest.raises(CallerError) as refused:
            sale.move(step)
        assert refused.value.code == "payment_state"
    else:
        moved, event = sale.move(step)
        assert (moved.state, event) == (edge.state, edge.event)


def test_every_event_is_emitted_by_some_edge() -> None:
    assert {edge.event for edge in TRANSITIONS.values()} == set(SaleEvent)


def test_every_state_can_be_reached_and_every_open_one_can_end() -> None:
    seen = {SaleState.IDLE}
    while True:
        more = {edge.state for (state, _), edge in TRANSITIONS.items() if state in seen} - seen
        if not more:
            break
        seen |= more
    assert seen == set(SaleState)
    for state in OPEN_STATES | (COLLECTING_STATES - {SaleState.IDLE}):
        ends = {edge.state for (start, _), edge in TRANSITIONS.items() if start is state}
        assert ends & FINAL_STATES or ends & OPEN_STATES, state


def test_paid_is_reached_by_signed_results_only() -> None:
    steps = {step for (_, step), edge in TRANSITIONS.items() if edge.state is SaleState.PAID}
    assert steps == {Step.PAY, Step.KEEP}


def test_nobody_but_an_answer_ends_an_unknown_sale() -> None:
    ending = {
        step
        for (state, step), edge in TRANSITIONS.items()
        if state is SaleState.UNKNOWN and edge.state in FINAL_STATES
    }
    assert ending == {Step.PAY, Step.DECLINE, Step.END}


def test_every_payment_state_has_a_step_and_every_code_a_kind() -> None:
    assert set(STEP_OF_RESULT) == set(PaymentState)
    assert of_refusal("a_code_of_the_future", "never") is Refused.UNKNOWN
    assert of_refusal("a_code_of_the_future", "after") is Refused.UNKNOWN


def test_a_known_code_with_a_newer_leave_to_try_again_is_no_final_no() -> None:
    assert of_refusal("file_unwritable", "after") is Refused.UNKNOWN
    assert of_refusal("envelope_version", "same_id") is Refused.UNKNOWN
    assert of_refusal("envelope_version", "never") is Refused.FINAL


def test_a_code_that_lets_another_request_be_tried_later_ends_this_one() -> None:
    for code in ("device_suspended", "pay_code_attempts", "pin_locked", "merchant_balance_short"):
        assert of_refusal(code, advice(code).retry) is Refused.FINAL


@pytest.mark.parametrize(("state", "step"), list(itertools.product(RefundState, RefundStep)))
def test_every_edge_of_a_refund(state: RefundState, step: RefundStep) -> None:
    edge = refunds.TRANSITIONS.get((state, step))
    refund = Refund(
        refund_id="r", payment_id="p", amount_minor=1, currency="CNY", reason="",
        created_at_ms=0, state=state,
    )  # fmt: skip
    if edge is None:
        with pytest.raises(CallerError):
            refund.move(step)
    else:
        moved, event = refund.move(step)
        assert (moved.state, event) == (edge.state, edge.event)


@pytest.mark.parametrize(("state", "step"), list(itertools.product(Delivery, DeliveryStep)))
def test_every_edge_of_the_goods(state: Delivery, step: DeliveryStep) -> None:
    edge = deliveries.TRANSITIONS.get((state, step))
    sale = replace(sale_in(SaleState.PAID), delivery=state)
    if edge is None:
        with pytest.raises(CallerError) as refused:
            sale.deliver(step)
        assert refused.value.code == "payment_state"
    else:
        moved, event = sale.deliver(step)
        assert (moved.delivery, event) == (edge.state, edge.event)


def test_given_and_not_given_never_lead_to_each_other() -> None:
    assert {edge.event for edge in deliveries.TRANSITIONS.values()} == set(DeliveryEvent)
    left = {start for start, _ in deliveries.TRANSITIONS}
    assert left & {Delivery.GIVEN, Delivery.NOT_GIVEN} == set()


@pytest.mark.parametrize("state", list(SaleState))
@pytest.mark.parametrize("is_link_up", [True, False])
def test_every_state_has_a_screen_with_a_way_on(state: SaleState, is_link_up: bool) -> None:
    around = Surroundings(
        link_trouble=None,
        currency="CNY", methods=("pay_code",), is_link_up=is_link_up, is_hub_online=True,
        is_sent=False, printer_error=None, open_sales=(),
    )  # fmt: skip
    if state is SaleState.IDLE:
        shown = screen_of(None, around)
    else:
        shown = screen_of(sale_in(state), around)
    assert shown.title.zh
    assert shown.title.en
    assert shown.buttons
    assert (shown.kind == "paid") is (state is SaleState.PAID)
