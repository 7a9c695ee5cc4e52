"""Whatever order payments, refunds, disputes, decisions and collections come in: no payment gives
back more than was paid, each disputed fen is where its case says, and what own money covered is
what the merchant owes. The model below counts by hand and knows no transfer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backend.disputes.model import DisputeCommand
from backend.risk.model import RiskRules
from protocol.errors import CallerError
from tests.support.disputes import (
    MAVAIL,
    OWED,
    collect,
    decide,
    dispute,
    pay_out,
    put_aside,
    settle,
)
from tests.support.shop import Shop, bugs_in

START_MINOR = 100_000
LOSE = DisputeCommand.LOSE
DECISIONS = [LOSE, LOSE, DisputeCommand.WIN, DisputeCommand.WITHDRAW]
_which = st.integers(0, 9)
_part = st.sampled_from([1, 30, 99, 100, 101])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(100, 3_000)),
        st.tuples(st.just("settle")),
        st.tuples(st.just("pay_out")),
        st.tuples(st.just("refund"), _which, _part),
        st.tuples(st.just("open"), _which, _part),
        st.tuples(st.just("open"), _which, _part),
        st.tuples(st.just("decide"), _which, st.sampled_from(DECISIONS)),
        st.tuples(st.just("decide"), _which, st.sampled_from(DECISIONS)),
        st.tuples(st.just("collect")),
        st.tuples(st.just("undo"), _which),
    ),
    min_size=8,
    max_size=30,
)


@dataclass
class Paid:
    """What a hand would note of a payment."""

    payment_id: str
    amount_minor: int
    refunded_minor: int = 0
    disputed_minor: int = 0
    lost_minor: int = 0
    is_undone: bool = False

    @property
    def rest_minor(self) -> int:
        gone = self.refunded_minor + self.disputed_minor + self.lost_minor
        return 0 if self.is_undone else self.amount_minor - gone


@dataclass
class Story:
    """One sequence on a shop of one payer and one merchant."""

    shop: Shop
    payer: str
    paid: list[Paid] = field(default_factory=list)
    open_cases: list[tuple[dict[str, Any], Paid]] = field(default_factory=list)

    def pay(self, amount_minor: int) -> None:
        self.shop.clock.at_ms += 60_000
        answer = self.shop.pay(self.payer, amount_minor)
        assert answer["state"] == "captured"
        self.paid.append(Paid(answer["payment_id"], amount_minor))

    def settle(self) -> None:
        settle(self.shop)

    def pay_out(self) -> None:
        """The merchant takes all that it has: a dispute must be covered."""
        settle(self.shop)
        pay_out(self.shop)

    def refund(self, which: int, percent: int) -> None:
        if not self.paid:
            return
        one, amount_minor = self._part(which, percent)
        answer = self.shop.refund(one.payment_id, amount_minor)
        if answer["state"] == "succeeded":
            assert amount_minor <= one.rest_minor
            one.refunded_minor += amount_minor
        elif amount_minor <= one.rest_minor:
            assert answer["error"]["code"] == "merchant_balance_short"

    def open(self, which: int, percent: int) -> None:
        if not self.paid:
            return
        one, amount_minor = self._part(which, percent)
        try:
            case = dispute(self.shop, one.payment_id, amount_minor)
        except CallerError as error:
            assert error.code in {"dispute_exceeds", "payment_state"}
            assert amount_minor > one.rest_minor
            return
        assert amount_minor <= one.rest_minor
        one.disputed_minor += amount_minor
        self.open_cases.append((case, one))

    def decide(self, which: int, command: DisputeCommand) -> None:
        if not self.open_cases:
            return
        case, one = self.open_cases.pop(which % len(self.open_cases))
        decide(self.shop, case, command)
        one.disputed_minor -= case["amount_minor"]
        one.lost_minor += case["amount_minor"] if command is LOSE else 0
        assert put_aside(self.shop, case) == 0

    def collect(self) -> None:
        found = collect(self.shop)
        assert found.owed_minor == self.shop.balance(OWED)
        assert found.owed_minor == 0 or self.shop.balance(MAVAIL) == 0

    def undo(self, which: int) -> None:
        if not self.paid:
            return
        one = self.paid[which % len(self.paid)]
        answer = self.shop.ask("payment.reverse", {"payment_id": one.payment_id})
        if answer["state"] == "reversed" and not one.is_undone:
            assert one.rest_minor == one.amount_minor
            one.is_undone = True

    def check(self) -> None:
        spent = 0
        for one in self.paid:
            assert one.rest_minor >= 0
            back = one.amount_minor if one.is_undone else one.refunded_minor + one.lost_minor
            spent += one.amount_minor - back
        assert self.shop.payer_balance(self.payer) == START_MINOR - spent
        for case, _ in self.open_cases:
            assert put_aside(self.shop, case) == case["amount_minor"]
        assert self.shop.balance(OWED) == self.shop.balance("C:OWN_DUE:CNY")
        assert self.shop.verify().is_whole

    def _part(self, which: int, percent: int) -> tuple[Paid, int]:
        one = self.paid[which % len(self.paid)]
        return one, max(1, one.rest_minor * percent // 100)


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url, risk=RiskRules(velocity_count_max=64))
    shop.add_merchant()
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@given(steps=STEPS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_fen_is_given_back_twice(shop: Shop, steps: list[tuple[Any, ...]]) -> None:
    story = Story(shop, shop.add_payer(balance_minor=START_MINOR))
    story.pay_out()
    for name, *arguments in steps:
        getattr(story, name)(*arguments)
    story.check()
