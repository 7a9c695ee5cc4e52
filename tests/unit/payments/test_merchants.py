"""Merchants and their fee plans."""

import pytest

from backend.merchants.service import AddFeePlan, ChangeMerchant
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, START_MS, Shop


def test_creating_the_same_merchant_again_changes_nothing(shop: Shop) -> None:
    assert shop.add_merchant()["merchant_id"] == MERCHANT
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.add_merchant(name="另一家")
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.add_merchant(rate_bps=61)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"merchant_id": "a b"}, "field_invalid"),
        ({"name": ""}, "field_invalid"),
        ({"currency": "XXX"}, "currency_unsupported"),
        ({"settlement_cycle": "T+2"}, "settlement_cycle_unsupported"),
        ({"settlement_cycle": ""}, "settlement_cycle_unsupported"),
        ({"notify_url": "ftp://x/"}, "field_invalid"),
        ({"rate_bps": 59}, "fee_rate_out_of_range"),
        ({"rate_bps": 121}, "fee_rate_out_of_range"),
        ({"payout_account_no": ""}, "field_invalid"),
        ({"biometric_above_minor": -1}, "field_invalid"),
    ],
)
def test_a_merchant_with_bad_fields_is_refused(shop: Shop, changes: dict, code: str) -> None:
    with pytest.raises(CallerError, match=code):
        shop.add_merchant(**({"merchant_id": "mch_9"} | changes))


def test_a_new_fee_plan_counts_from_its_time_and_refunds_use_the_old_one(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    before = shop.pay(payer, 10_000)
    plan = AddFeePlan(
        merchant_id=MERCHANT, rate_bps=100, min_minor=0, cap_minor=0, valid_from_ms=START_MS + 1_000
    )
    assert shop.do(plan).version == 2
    assert shop.pay(payer, 10_000)["state"] == "captured"
    shop.clock.at_ms += 1_000
    shop.pay(payer, 10_000)
    assert [row["fee_minor"] for row in shop.rows("SELECT fee_minor FROM payment ORDER BY 1")] == [
        60, 60, 100,
    ]  # fmt: skip
    shop.refund(before["payment_id"], 10_000)
    assert shop.balance("C:UNSWEPT:CNY") == 160


def test_a_fee_plan_does_not_begin_in_the_past(shop: Shop) -> None:
    fields = {"merchant_id": MERCHANT, "rate_bps": 60, "min_minor": 0, "cap_minor": 0}
    with pytest.raises(CallerError, match="field_invalid"):
        shop.do(AddFeePlan(valid_from_ms=START_MS - 1, **fields))
    with pytest.raises(CallerError, match="merchant_unknown"):
        shop.do(AddFeePlan(valid_from_ms=START_MS, **(fields | {"merchant_id": "x"})))


def test_a_closed_merchant_is_paid_nothing(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    shop.do(ChangeMerchant(merchant_id=MERCHANT, status="closed"))
    answer = shop.pay(payer, 1)
    assert (answer["state"], answer["error"]["code"]) == ("declined", "merchant_unknown")
    assert shop.show_qr(1)["state"] == "declined"
    shop.do(ChangeMerchant(merchant_id=MERCHANT, status="active", biometric_above_minor=0))
    assert shop.pay(payer, 1)["error"]["code"] == "biometric_required"
