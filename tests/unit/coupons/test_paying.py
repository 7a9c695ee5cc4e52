"""A coupon and a balance pay together, all or nothing; one that does not fit is left alone."""

from typing import Any

import pytest

from backend.coupons.service import ChooseCoupon
from backend.db.limits import FOLLOW_WAVES_MAX
from backend.db.working_set import WorkingSet
from backend.payments.create import CreatePayment
from protocol.errors import CallerError
from tests.support.coupons import (
    DAY_MS,
    choose,
    confirm,
    events_of,
    issue,
    own_money,
    state_of,
)
from tests.support.shop import MERCHANT, OTHER_MERCHANT, Shop

PENDING = f"C:MPEND:{MERCHANT}:CNY"


def test_a_chosen_coupon_pays_its_part_of_a_pay_code_and_the_balance_the_rest(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    coupon = choose(shop, payer, 300)
    paid = shop.pay(payer, 10_000)
    assert (paid["state"], paid["amount_minor"], paid["coupon_minor"]) == ("captured", 10_000, 300)
    assert shop.payer_balance(payer) == 300
    assert shop.balance(PENDING) == 10_000 - 60  # the fee is on the whole price
    assert own_money(shop) == (300, 300, 300)
    assert (state_of(shop, coupon), events_of(shop, coupon)) == ("used", ["Issued", "Used"])
    rules = shop.rows("SELECT DISTINCT rule FROM ledger_transfer WHERE rule <> 'top_up'")
    assert [row["rule"] for row in rules] == ["balance_paid"]
    assert shop.verify().is_whole


def test_a_coupon_pays_once(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    coupon = choose(shop, payer, 300)
    assert shop.pay(payer, 1_000)["coupon_minor"] == 300
    assert "coupon_minor" not in shop.pay(payer, 1_000)
    refused = confirm(shop, payer, 1_000, coupon)
    assert (refused["state"], refused["error"]["code"]) == ("awaiting_payer", "coupon_invalid")
    assert shop.payer_balance(payer) == 10_000 - 1_700


def test_two_payments_of_one_group_use_it_once(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    choose(shop, payer, 300)
    bodies = [shop.create_body("pay_code", 1_000, pay_code=shop.code(payer)) for _ in range(2)]
    outcomes = shop.apply(*(shop.command(shop.request("payment.create", body)) for body in bodies))
    assert [one.value()[1].get("coupon_minor", 0) for one in outcomes] == [300, 0]
    assert own_money(shop) == (300, 300, 300)


def test_a_coupon_may_pay_the_whole_price_and_what_it_is_worth_beyond_is_lost(shop: Shop) -> None:
    payer = shop.add_payer()
    choose(shop, payer, 900)
    paid = shop.pay(payer, 800)
    assert (paid["state"], paid["coupon_minor"]) == ("captured", 800)
    assert own_money(shop) == (800, 800, 800)
    assert shop.balance(PENDING) == 800 - 5
    refund = shop.refund(paid["payment_id"], 300)
    assert (refund["state"], shop.payer_balance(payer)) == ("succeeded", 0)
    assert own_money(shop) == (500, 500, 500)
    assert shop.verify().is_whole


def test_too_little_balance_for_the_rest_leaves_the_coupon_unused(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=699)
    coupon = choose(shop, payer, 300)
    declined = shop.pay(payer, 1_000)
    assert (declined["state"], declined["error"]["code"]) == ("declined", "insufficient_balance")
    assert (state_of(shop, coupon), own_money(shop)) == ("issued", (0, 0, 0))
    assert confirm(shop, payer, 1_000, coupon)["error"]["code"] == "insufficient_balance"
    assert shop.pay(payer, 999)["coupon_minor"] == 300
    assert events_of(shop, coupon) == ["Issued", "Used"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"minimum_minor": 1_001}, "coupon_not_applicable"),
        ({"merchant_id": OTHER_MERCHANT}, "coupon_not_applicable"),
        ({"currency": "USD"}, "coupon_not_applicable"),
        ({"valid_from_ms": "later"}, "coupon_invalid"),
    ],
)
def test_one_that_does_not_fit_is_left_out_of_a_pay_code_and_refused_in_a_confirmation(
    shop: Shop, changes: dict[str, Any], code: str
) -> None:
    if "valid_from_ms" in changes:
        changes = {"valid_from_ms": shop.clock.at_ms + 3_600_000}
    payer = shop.add_payer(balance_minor=10_000)
    coupon = choose(shop, payer, 300, **changes)
    paid = shop.pay(payer, 1_000)
    assert (paid["state"], "coupon_minor" in paid) == ("captured", False)
    refused = confirm(shop, payer, 1_000, coupon)
    assert (refused["state"], refused["error"]["code"]) == ("awaiting_payer", code)
    assert state_of(shop, coupon) == "issued"
    assert shop.payer_balance(payer) == 9_000


def test_just_the_minimum_at_its_own_merchant_is_enough(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    coupon = issue(shop, payer, 300, minimum_minor=1_000, merchant_id=MERCHANT)
    assert confirm(shop, payer, 1_000, coupon)["coupon_minor"] == 300


def test_one_whose_time_is_over_pays_nothing_even_before_the_clock_s_task_has_seen_it(
    shop: Shop,
) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    coupon = choose(shop, payer, 300)
    shop.clock.at_ms += DAY_MS
    assert "coupon_minor" not in shop.pay(payer, 1_000)
    assert confirm(shop, payer, 1_000, coupon)["error"]["code"] == "coupon_invalid"


def test_a_confirmation_uses_the_coupon_it_names_and_not_the_chosen_one(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    chosen, named = choose(shop, payer, 100), issue(shop, payer, 300)
    assert "coupon_minor" not in confirm(shop, payer, 1_000, None)
    assert confirm(shop, payer, 1_000, named)["coupon_minor"] == 300
    assert (state_of(shop, chosen), state_of(shop, named)) == ("issued", "used")


def test_another_payer_s_coupon_is_not_found(shop: Shop) -> None:
    payer, other = shop.add_payer(balance_minor=1_000), shop.add_payer()
    theirs = issue(shop, other, 300)
    assert confirm(shop, payer, 500, theirs)["error"]["code"] == "coupon_not_found"
    assert confirm(shop, payer, 500, shop.id("cpn"))["error"]["code"] == "coupon_not_found"
    with pytest.raises(CallerError, match="coupon_not_found"):
        shop.do(ChooseCoupon(payer_id=payer, coupon_id=theirs))


def test_a_mandate_s_debit_uses_no_coupon(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    coupon = choose(shop, payer, 300)
    mandate = shop.add_mandate(payer, device="pos1")
    paid = shop.ask("payment.create", shop.create_body("mandate", 500, mandate_id=mandate))
    assert (paid["state"], "coupon_minor" in paid) == ("captured", False)
    assert state_of(shop, coupon) == "issued"


def test_risk_judges_the_whole_price(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    shop.rules = type(shop.rules)(
        code_master_key=shop.rules.code_master_key,
        risk=type(shop.rules.risk)(amount_minor_max=999),
    )
    coupon = choose(shop, payer, 300)
    assert shop.pay(payer, 1_000)["error"]["code"] == "risk_declined"
    assert state_of(shop, coupon) == "issued"


def test_undoing_gives_all_back_and_the_coupon_is_used_by_the_next_code(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    coupon = choose(shop, payer, 300)
    paid = shop.pay(payer, 1_000)
    undone = shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert (undone["state"], "coupon_minor" in undone) == ("reversed", False)
    assert (shop.payer_balance(payer), shop.balance(PENDING)) == (1_000, 0)
    assert own_money(shop) == (0, 0, 0)
    assert shop.pay(payer, 1_000)["coupon_minor"] == 300
    assert events_of(shop, coupon) == ["Issued", "Used", "Returned", "Used"]
    shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert state_of(shop, coupon) == "used"


def test_one_that_comes_back_too_late_expires(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    coupon = choose(shop, payer, 300, valid_until_ms=shop.clock.at_ms + 60_000)
    paid = shop.pay(payer, 1_000)
    shop.clock.at_ms += 60_000
    shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert events_of(shop, coupon) == ["Issued", "Used", "Returned", "Expired"]


def test_a_payment_without_a_coupon_reads_no_more_than_before(shop: Shop) -> None:
    def read(payer_id: str) -> set[object]:
        body = shop.create_body("pay_code", 500, pay_code=shop.code(payer_id))
        command = shop.command(shop.request("payment.create", body))
        assert isinstance(command, CreatePayment)
        store = shop.writer._store
        store.begin()
        ws, found = WorkingSet(store), set(command.reads())
        for _ in range(FOLLOW_WAVES_MAX + 1):
            ws.prefetch(found)
            found |= set(command.follow(ws))
        store.rollback()
        return {key for _, key in found}

    plain, with_coupon = shop.add_payer(balance_minor=500), shop.add_payer(balance_minor=500)
    coupon = choose(shop, with_coupon, 100)
    extra = {coupon, "C:OWN_DUE:CNY", "O:PROMO:CNY", "O:OWN_PAYABLE:CNY"}
    assert not read(plain) & extra
    assert extra <= read(with_coupon)
