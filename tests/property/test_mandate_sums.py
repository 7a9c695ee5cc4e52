"""Whatever order debits, reversals, suspensions and turns of day and month come in, a mandate's
sums are an independent recount of its payments, and no limit is ever passed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from backend.mandates.model import MandateCommand, Side
from backend.mandates.service import ChangeMandate
from backend.risk.model import RiskRules
from protocol.errors import CallerError
from tests.support.mandates import DAY_MS, HOUR_MS, announce, mandate_row, outcome, refuse, undo
from tests.support.shop import MERCHANT, START_MS, Shop, bugs_in

PAYMENT_MAX, DAY_MAX, MONTH_MAX, NOTICE_ABOVE = 1_000, 1_800, 2_900, 600
_amount = st.sampled_from([1, 300, 599, 600, 601, 900, 1_000, 1_001])
_which = st.integers(0, 9)
_debit = st.tuples(st.just("debit"), st.lists(_amount, min_size=1, max_size=4))
_wait = st.tuples(st.just("wait"), st.sampled_from([HOUR_MS, 13 * HOUR_MS, 13 * HOUR_MS, DAY_MS]))
_turn = st.tuples(st.just("wait"), st.just(8 * DAY_MS))
_announce = st.tuples(st.just("announce"), st.sampled_from([601, 900, 1_000, 1_000, 1_001]))
STEPS = st.lists(
    st.one_of(
        _debit,
        _debit,
        _debit,
        _wait,
        _wait,
        _turn,
        st.tuples(st.just("undo"), _which),
        st.tuples(st.just("again"), _which),
        st.tuples(st.just("change"), st.sampled_from(Side), st.sampled_from(MandateCommand)),
        _announce,
        _announce,
        st.tuples(st.just("refuse"), _which),
    ),
    min_size=10,
    max_size=40,
)


@dataclass
class Story:
    """One sequence on a mandate of a shop."""

    shop: Shop
    payer: str
    mandate: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def debit(self, amounts: list[int]) -> None:
        """All in one group."""
        new = [
            self.shop.create_body("mandate", amount, mandate_id=self.mandate) for amount in amounts
        ]
        self.bodies += new
        self._send(new)

    def undo(self, which: int) -> None:
        if self.bodies:
            undo(self.shop, self.bodies[which % len(self.bodies)])

    def again(self, which: int) -> None:
        if self.bodies:
            self._send([self.bodies[which % len(self.bodies)]] * 2)

    def change(self, side: Side, command: MandateCommand) -> None:
        """A suspension is over at once, most times: a story of refusals tells little."""
        if command is MandateCommand.TERMINATE and len(self.bodies) % 7:
            command = MandateCommand.RESUME
        party = self.payer if side is Side.PAYER else MERCHANT
        self.shop.apply(
            ChangeMandate(side=side, party_id=party, mandate_id=self.mandate, command=command)
        )

    def announce(self, amount: int) -> None:
        try:
            self.notices.append(announce(self.shop, self.mandate, amount)["notice_id"])
        except CallerError as error:
            assert error.code in {"mandate_notice_unasked", "mandate_limit_payment",
                                  "mandate_inactive", "notices_open"}  # fmt: skip

    def refuse(self, which: int) -> None:
        try:
            if self.notices:
                refuse(self.shop, self.payer, self.notices[which % len(self.notices)])
        except CallerError as error:
            assert error.code == "notice_state"

    def wait(self, ms: int) -> None:
        self.shop.clock.at_ms += ms

    def check(self) -> None:
        """Recount from the payments alone, which know nothing of the mandate's sums."""
        paid = self.shop.rows(
            f"SELECT * FROM payment WHERE mandate_id = '{self.mandate}' AND state = 'captured'"
        )
        days, months = Counter[str](), Counter[str]()
        for row in paid:
            assert row["amount_minor"] <= PAYMENT_MAX
            days[row["business_date"]] += row["amount_minor"]
            months[row["business_date"][:7]] += row["amount_minor"]
        assert all(minor <= DAY_MAX for minor in days.values())
        assert all(minor <= MONTH_MAX for minor in months.values())
        row = mandate_row(self.shop, self.mandate)
        assert row["spent_minor"] == days[row["spent_day"]]
        assert row["spent_month_minor"] == months[row["spent_day"][:7]]
        large = {one["payment_id"] for one in paid if one["amount_minor"] > NOTICE_ABOVE}
        self.check_notices(large)

    def check_notices(self, large: set[str]) -> None:
        """Each large payment has one notice that covers it, and no other payment has any."""
        used = self.shop.rows(
            "SELECT n.*, p.paid_at_ms, p.amount_minor AS taken FROM mandate_notice n"
            f" JOIN payment p USING (payment_id) WHERE n.mandate_id = '{self.mandate}'"
        )
        assert sorted(one["payment_id"] for one in used) == sorted(large)
        for one in used:
            assert one["status"] == "used"
            assert one["taken"] <= one["amount_minor"]
            assert one["debit_from_ms"] <= one["paid_at_ms"] < one["debit_until_ms"]

    def _send(self, bodies: list[dict[str, Any]]) -> None:
        requests = [self.shop.request("payment.create", body, device="vend1") for body in bodies]
        for done in self.shop.apply(*(self.shop.command(one) for one in requests)):
            assert outcome(done.value()[1]) != "internal"


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    shop = Shop(migrated_url, risk=RiskRules(velocity_count_max=64))
    shop.add_merchant(MERCHANT)
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@given(steps=STEPS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mandates_sums_are_a_recount_of_its_payments(
    shop: Shop, steps: list[tuple[Any, ...]]
) -> None:
    shop.clock.at_ms = START_MS
    payer = shop.add_payer(balance_minor=1_000_000)
    mandate = shop.add_mandate(
        payer,
        limit_payment_minor=PAYMENT_MAX,
        limit_day_minor=DAY_MAX,
        limit_month_minor=MONTH_MAX,
        notice_hours=12,
        notice_above_minor=NOTICE_ABOVE,
        valid_until_ms=START_MS + 90 * DAY_MS,
    )
    story = Story(shop, payer, mandate)
    for name, *arguments in steps:
        getattr(story, name)(*arguments)
        story.check()
