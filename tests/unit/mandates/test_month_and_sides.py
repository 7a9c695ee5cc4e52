"""The month's limit, and what payer and merchant may say to a mandate."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.mandates.model import MandateCommand, Terms, Use, refusal
from backend.mandates.using import undo_use
from protocol.errors import CallerError
from tests.support.mandates import (
    DAY_MS,
    mandate_row,
    merchant_says,
    outcome,
    payer_says,
    undo,
    use,
)
from tests.support.shop import START_MS, Shop

SUSPEND, RESUME, TERMINATE = MandateCommand


def test_the_months_limit_holds_over_its_days_and_begins_anew(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    mandate = shop.add_mandate(payer, limit_payment_minor=2_000, limit_month_minor=4_500)
    assert outcome(use(shop, mandate, 2_000)) == "captured"
    shop.clock.at_ms += DAY_MS
    assert outcome(use(shop, mandate, 2_000)) == "captured"
    shop.clock.at_ms += DAY_MS
    assert outcome(use(shop, mandate, 501)) == "mandate_limit_month"
    assert outcome(use(shop, mandate, 500)) == "captured"
    shop.clock.at_ms = START_MS + 8 * DAY_MS  # 1 December
    assert outcome(use(shop, mandate, 2_000)) == "captured"
    row = mandate_row(shop, mandate)
    assert (row["spent_day"], row["spent_minor"]) == ("2026-12-01", 2_000)
    assert row["spent_month_minor"] == 2_000


def test_a_month_is_the_shops_and_not_that_of_greenwich(shop: Shop) -> None:
    mandate = shop.add_mandate(shop.add_payer(balance_minor=9_000), limit_month_minor=2_500)
    shop.clock.at_ms = START_MS + 7 * DAY_MS + 12 * 3_600_000 - 1  # 30 November, 23:59:59.999
    for amount_minor in (1_000, 1_000, 500):
        assert outcome(use(shop, mandate, amount_minor)) == "captured"
    assert outcome(use(shop, mandate, 1)) == "mandate_limit_day"
    shop.clock.at_ms += 1  # in Greenwich it is still November
    assert outcome(use(shop, mandate, 1_000)) == "captured"
    assert mandate_row(shop, mandate)["spent_month_minor"] == 1_000


def test_an_undone_payment_counts_neither_in_its_day_nor_in_its_month(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=50_000)
    mandate = shop.add_mandate(payer, limit_month_minor=3_000)
    use(shop, mandate, 1_000)
    shop.clock.at_ms += DAY_MS
    paid = use(shop, mandate, 1_000)
    assert undo(shop, paid)["state"] == "reversed"
    assert undo(shop, paid)["state"] == "reversed"
    row = mandate_row(shop, mandate)
    assert (row["spent_minor"], row["spent_month_minor"]) == (0, 1_000)
    assert outcome(use(shop, mandate, 1_000)) == "captured"


@dataclass(frozen=True)
class DeclineLater:
    """What another institution's late word does to a payment's use."""

    payment_id: str

    def reads(self) -> Iterable[Read]:
        return []

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        undo_use(ws, self.payment_id, now_ms)


def test_a_use_of_an_earlier_day_is_taken_out_of_its_month_once(shop: Shop) -> None:
    mandate = shop.add_mandate(shop.add_payer(balance_minor=9_000), limit_month_minor=3_000)
    early = use(shop, mandate, 1_000)
    shop.clock.at_ms += DAY_MS
    use(shop, mandate, 700)
    for _ in range(2):
        shop.do(DeclineLater(early["payment_id"]))
        row = mandate_row(shop, mandate)
        assert (row["spent_minor"], row["spent_month_minor"]) == (700, 700)
    shop.do(DeclineLater(shop.id("pay")))


def test_a_use_of_last_month_is_not_taken_out_of_this_one(shop: Shop) -> None:
    mandate = shop.add_mandate(shop.add_payer(balance_minor=9_000), limit_month_minor=3_000)
    early = use(shop, mandate, 1_000)
    shop.clock.at_ms = START_MS + 8 * DAY_MS  # 1 December
    use(shop, mandate, 600)
    shop.do(DeclineLater(early["payment_id"]))
    row = mandate_row(shop, mandate)
    assert (row["spent_minor"], row["spent_month_minor"]) == (600, 600)


def test_what_comes_with_yesterdays_date_counts_in_the_latest_day() -> None:
    terms = Terms(
        status="active", merchant_id="m", device="d", currency="CNY", limit_payment_minor=100,
        limit_day_minor=100, limit_month_minor=150, notice_hours=None, notice_above_minor=0,
        valid_from_ms=0, valid_until_ms=10, spent_day="2026-12-01", spent_minor=60,
        spent_month_minor=60,
    )  # fmt: skip
    late = Use(
        merchant_id="m", device="d", amount_minor=41, currency="CNY", now_ms=1, day="2026-11-30"
    )
    assert refusal(terms, late) == "mandate_limit_day"
    assert terms.spent_in("2026-11") == 60


def test_a_declined_debit_counts_nowhere(shop: Shop) -> None:
    mandate = shop.add_mandate(shop.add_payer(balance_minor=500), limit_month_minor=3_000)
    assert outcome(use(shop, mandate, 501)) == "insufficient_balance"
    assert mandate_row(shop, mandate)["spent_month_minor"] == 0
    assert shop.rows("SELECT * FROM mandate_use") == []


def test_who_suspends_a_mandate_resumes_it(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    assert merchant_says(shop, mandate, SUSPEND) == "suspended_by_merchant"
    assert outcome(use(shop, mandate, 1)) == "mandate_inactive"
    with pytest.raises(CallerError, match="mandate_other_side"):
        payer_says(shop, payer, mandate, RESUME)
    assert payer_says(shop, payer, mandate, SUSPEND) == "suspended_by_both"
    assert merchant_says(shop, mandate, RESUME) == "suspended_by_payer"
    assert outcome(use(shop, mandate, 1)) == "mandate_inactive"
    with pytest.raises(CallerError, match="mandate_other_side"):
        merchant_says(shop, mandate, RESUME)
    assert payer_says(shop, payer, mandate, RESUME) == "active"
    assert outcome(use(shop, mandate, 1)) == "captured"


def test_a_merchant_ends_a_mandate_for_good_and_only_its_own(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    mandate = shop.add_mandate(payer)
    with pytest.raises(CallerError, match="mandate_not_found"):
        payer_says(shop, shop.add_payer(), mandate, TERMINATE)
    assert merchant_says(shop, mandate, TERMINATE) == "terminated"
    assert merchant_says(shop, mandate, TERMINATE) == "terminated"
    with pytest.raises(CallerError, match="mandate_inactive"):
        payer_says(shop, payer, mandate, RESUME)
    assert outcome(use(shop, mandate, 1)) == "mandate_inactive"


def test_who_did_what_and_when_is_kept_and_told_once(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.add_merchant("mch_7", notify_url="https://merchant.example/notify")
    mandate = shop.add_mandate(payer, merchant_id="mch_7")
    shop.clock.at_ms += 5
    for command in (SUSPEND, SUSPEND, TERMINATE):
        payer_says(shop, payer, mandate, command)
    events = shop.rows("SELECT * FROM mandate_event ORDER BY number")
    assert [(row["number"], row["event"], row["status_after"]) for row in events] == [
        (1, "MandateSigned", "active"),
        (2, "MandateSuspended", "suspended_by_payer"),
        (3, "MandateTerminated", "terminated"),
    ]
    assert {row["actor"] for row in events} == {f"payer:{payer}"}
    assert [row["at_ms"] - START_MS for row in events] == [0, 5, 5]
    told: list[dict[str, Any]] = [
        json.loads(row["body"]) for row in shop.rows("SELECT body FROM outbox_callback")
    ]
    assert sorted((one["event_type"], one["resource"]["status"]) for one in told) == [
        ("mandate.signed", "active"),
        ("mandate.suspended", "suspended_by_payer"),
        ("mandate.terminated", "terminated"),
    ]
