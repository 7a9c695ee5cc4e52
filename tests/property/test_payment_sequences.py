"""Whatever order requests, repeats, refunds and reversals arrive in, the money is right.

A model that knows nothing of commands, rows or transfers keeps what each payer should have; the
shop must agree after every sequence, and the ledger must prove itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backend.payments.confirm import ConfirmByPayer
from backend.payments.model import DeviceRequest
from protocol.errors import CallerError
from protocol.payment import TRANSITIONS, PaymentState
from tests.support.shop import MERCHANT, Shop, bugs_in

PAID = {"captured", "partially_refunded", "refunded"}
START_MINOR = 3_000
REST, REST_AND_ONE = 0, -1
"""Refund what is left, and one more than that."""

_which, _who = st.integers(0, 5), st.integers(0, 1)
_amount = st.integers(1, 1_500)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), _who, _amount),
        st.tuples(st.just("show"), _amount),
        st.tuples(st.just("confirm"), _which, _who),
        st.tuples(st.just("again"), _which),
        st.tuples(st.just("again_new_request"), _which),
        st.tuples(st.just("reverse"), _which),
        st.tuples(st.just("reverse_before"), _who, _amount),
        st.tuples(st.just("close"), _which),
        st.tuples(
            st.just("refund"), _which, st.one_of(_amount, st.sampled_from([REST, REST_AND_ONE]))
        ),
        st.tuples(st.just("refund_again"), _which),
        st.tuples(st.just("wait"), st.sampled_from([1_000, 61_000, 400_000])),
    ),
    min_size=8,
    max_size=30,
)


@dataclass
class Story:
    """One sequence on a shop, and what the model expects."""

    shop: Shop
    payers: list[str]
    expected: dict[str, int]
    bodies: list[dict[str, Any]] = field(default_factory=list)
    sent: list[DeviceRequest] = field(default_factory=list)
    refunds: list[dict[str, Any]] = field(default_factory=list)
    paid_by: dict[str, tuple[str, int]] = field(default_factory=dict)
    returned: dict[str, int] = field(default_factory=dict)

    def ask(self, message_type: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.shop.ask(message_type, body)

    def note_paid(self, answer: dict[str, Any], payer: str) -> None:
        """The model's side: a payment is paid by the first answer that says so, once."""
        payment_id = answer["payment_id"]
        if answer["state"] == "captured" and payment_id not in self.paid_by:
            self.paid_by[payment_id] = (payer, answer["amount_minor"])
            self.returned[payment_id] = 0
            self.expected[payer] -= answer["amount_minor"]

    def note_returned(self, payment_id: str, amount_minor: int) -> None:
        payer, _ = self.paid_by[payment_id]
        self.returned[payment_id] += amount_minor
        self.expected[payer] += amount_minor

    def pay(self, who: int, amount: int) -> None:
        payer = self.payers[who]
        body = self.shop.create_body("pay_code", amount, pay_code=self.shop.code(payer))
        request = self.shop.request("payment.create", body)
        self.bodies.append(body)
        self.sent.append(request)
        _, answer = self.shop.do(self.shop.command(request))
        self.note_paid(answer, payer)

    def show(self, amount: int) -> None:
        body = self.shop.create_body("merchant_qr", amount)
        request = self.shop.request("payment.create", body)
        self.bodies.append(body)
        self.sent.append(request)
        self.shop.do(self.shop.command(request))

    def confirm(self, which: int, who: int) -> None:
        body, payer = self.pick(which), self.payers[who]
        command = ConfirmByPayer(
            payment_id=body["payment_id"],
            attempt_id=self.shop.id("att"),
            payer_id=payer,
            is_pin_verified=True,
            rules=self.shop.rules,
        )
        for outcome in self.shop.apply(command, command):
            if outcome.error is None:
                self.note_paid(outcome.result[1], payer)
            else:
                assert isinstance(outcome.error, CallerError)

    def again(self, which: int) -> None:
        request = self.sent[which % len(self.sent)]
        self.shop.apply(*[self.shop.command(request)] * 2)

    def again_new_request(self, which: int) -> None:
        answer = self.ask("payment.create", self.pick(which))
        assert answer["payment_id"] == self.pick(which)["payment_id"]

    def reverse(self, which: int) -> None:
        payment_id = self.pick(which)["payment_id"]
        before = self.ask("payment.query", {"payment_id": payment_id})
        answer = self.ask("payment.reverse", {"payment_id": payment_id})
        if before["state"] != "captured":
            return
        day = self.shop.rules.business_date
        if day(before["paid_at_ms"]) != day(self.shop.clock.at_ms):
            assert (answer["state"], answer["error"]["code"]) == ("captured", "reverse_too_late")
        else:
            assert answer["state"] == "reversed"
            self.note_returned(payment_id, self.paid_by[payment_id][1])

    def reverse_before(self, who: int, amount: int) -> None:
        body = self.shop.create_body("pay_code", amount, pay_code=self.shop.code(self.payers[who]))
        assert (
            self.ask("payment.reverse", {"payment_id": body["payment_id"]})["state"] == "reversed"
        )
        assert self.ask("payment.create", body)["state"] == "reversed"

    def close(self, which: int) -> None:
        self.ask("payment.close", {"payment_id": self.pick(which)["payment_id"]})

    def refund(self, which: int, amount: int) -> None:
        payment_id = self.pick(which)["payment_id"]
        if amount <= 0:
            paid = self.paid_by.get(payment_id, ("", 1))[1]
            amount = max(1, paid - self.returned.get(payment_id, 0) - amount)
        body = {"refund_id": self.shop.id("rfd"), "payment_id": payment_id,
                "amount_minor": amount, "currency": "CNY", "till": "t"}  # fmt: skip
        self.refunds.append(body)
        answer = self.ask("refund.create", body)
        is_paid = self.ask("payment.query", {"payment_id": payment_id})["state"] in PAID
        fits = is_paid and self.returned[payment_id] + amount <= self.paid_by[payment_id][1]
        assert (answer["state"] == "succeeded") == fits
        if fits:
            self.note_returned(payment_id, amount)

    def refund_again(self, which: int) -> None:
        if self.refunds:
            self.ask("refund.create", self.refunds[which % len(self.refunds)])

    def wait(self, ms: int) -> None:
        self.shop.clock.at_ms += ms

    def pick(self, which: int) -> dict[str, Any]:
        return self.bodies[which % len(self.bodies)]

    def check(self) -> None:
        for payer, minor in self.expected.items():
            assert self.shop.payer_balance(payer) == minor
        for payment in self.shop.rows("SELECT * FROM payment"):
            self.check_payment(payment)
        assert self.shop.verify().is_whole

    def check_payment(self, payment: dict[str, Any]) -> None:
        payment_id = payment["payment_id"]
        charges = self.shop.rows(
            f"SELECT id FROM ledger_transfer WHERE rule = 'balance_paid' AND id = '{payment_id}:1'"
        )
        assert len(charges) == (payment["paid_at_ms"] is not None)
        assert payment["refunded_minor"] <= payment["amount_minor"]
        state = "created"
        events = self.shop.rows(
            f"SELECT * FROM payment_event WHERE payment_id = '{payment_id}' ORDER BY number"
        )
        for event in events:
            assert event["state_before"] == state
            state = event["state_after"]
            assert any(
                edge.state == state and edge.event == event["event"]
                for (before, _), edge in TRANSITIONS.items()
                if before == PaymentState(event["state_before"])
            )
        assert state == payment["state"]


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url)
    shop.add_merchant(MERCHANT)
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@given(steps=STEPS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_leaves_the_money_right(shop: Shop, steps: list[tuple[Any, ...]]) -> None:
    payers = [shop.add_payer(balance_minor=START_MINOR) for _ in range(2)]
    story = Story(shop, payers, dict.fromkeys(payers, START_MINOR))
    for name, *arguments in steps:
        if name in {"pay", "show", "reverse_before", "wait", "refund_again"} or story.bodies:
            getattr(story, name)(*arguments)
    story.check()
