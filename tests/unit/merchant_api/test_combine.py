"""Orders of several merchants that the payer pays at once: all of them, or none."""

from typing import Any

import pytest

from backend.ledger.chart import customer, merchant_pending
from backend.merchant_api.orders.model import time_text
from backend.merchant_api.orders.repository import OrderRepository
from backend.wallet.model import scanned_payment_id
from protocol.errors import CallerError
from protocol.messages.consent import ConsentText, sign_consent
from tests.support.merchant_caller import Caller, opened
from tests.support.shop import MERCHANT
from tests.unit.merchant_api.test_orders_and_codes import code_of, openid, pay
from tests.unit.merchant_api.test_partners import SHOP, bind

COMBINE = "/v3/combine-transactions"
DIRECT = "/v3/pay/transactions"


@pytest.fixture
def other(caller: Caller) -> Caller:
    """A merchant that the caller may ask for."""
    caller.shop.add_merchant(SHOP)
    found = opened(Caller, caller.http, caller.shop, caller.parts, SHOP)
    bind(caller, found)
    return found


def part(of: Caller, number: str, total: int) -> dict[str, Any]:
    return {
        "mchid": of.made["mchid"],
        "attach": number,
        "amount": {"total_amount": total, "currency": "CNY"},
        "out_trade_no": number,
        "description": f"咖啡 {number}",
    }


def both(caller: Caller, other: Caller, **changes: Any) -> dict[str, Any]:
    return {
        "combine_appid": caller.made["appid"],
        "combine_mchid": caller.made["mchid"],
        "combine_out_trade_no": "combine-0001",
        "sub_orders": [part(caller, "part-0001", 300), part(other, "part-0002", 700)],
        "notify_url": "https://shop.example/notify",
    } | changes


def query(caller: Caller) -> dict[str, Any]:
    answer = caller.ask("GET", f"{COMBINE}/out-trade-no/combine-0001")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def states(caller: Caller) -> set[str]:
    return {one["trade_state"] for one in query(caller)["sub_orders"]}


def test_both_merchants_are_paid_by_one_confirmation(caller: Caller, other: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    made = caller.ask("POST", f"{COMBINE}/native", both(caller, other))
    assert made.status_code == 200, made.text
    assert caller.ask("POST", f"{COMBINE}/native", both(caller, other)).json() == made.json()
    assert states(caller) == {"NOTPAY"}
    heads = {"authorization": f"Bearer token of {payer_id}"}
    content = {"content": made.json()["code_url"]}
    seen = caller.http.post("/wallet/v1/scan", json=content, headers=heads).json()
    assert (seen["amount_minor"], len(seen["parts"])) == (1_000, 2)
    paid = pay(caller, made.json()["code_url"], payer_id)
    assert (paid["state"], paid["amount_minor"]) == ("captured", 1_000)
    assert pay(caller, made.json()["code_url"], payer_id) == paid
    assert caller.shop.balance(customer(payer_id, "CNY")) == 4_000
    assert caller.shop.balance(merchant_pending(MERCHANT, "CNY")) == 300 - 2
    assert caller.shop.balance(merchant_pending(SHOP, "CNY")) == 700 - 4
    found = query(caller)
    assert states(caller) == {"SUCCESS"}
    assert found["combine_payer_info"] == {"openid": openid(caller, payer_id)}
    [(_, news)] = caller.callbacks()
    assert news["event_type"] == "TRANSACTION.SUCCESS"
    again = caller.ask("POST", f"{COMBINE}/native", both(caller, other))
    assert code_of(again) == (400, "ORDER_PAID")

    # Each is an order of its own merchant, who gives it back by itself.
    path = f"{DIRECT}/out-trade-no/part-0002?mchid={other.made['mchid']}"
    assert other.ask("GET", path).json()["trade_state"] == "SUCCESS"
    refund = {"out_trade_no": "part-0002", "out_refund_no": "refund-1",
              "amount": {"refund": 700, "total": 700, "currency": "CNY"}}  # fmt: skip
    granted = other.ask("POST", "/v3/refund/domestic/refunds", refund)
    assert granted.json()["status"] == "SUCCESS", granted.text
    assert states(caller) == {"SUCCESS", "REFUND"}


def test_orders_asked_for_again_after_their_time_say_that_they_are_paid(
    caller: Caller, other: Caller
) -> None:
    until = {"time_expire": time_text(caller.shop.clock.at_ms + 60_000)}
    made = caller.ask("POST", f"{COMBINE}/native", both(caller, other, **until)).json()
    pay(caller, made["code_url"], caller.shop.add_payer(balance_minor=1_000))
    caller.shop.clock.at_ms += 60_000
    again = caller.ask("POST", f"{COMBINE}/native", both(caller, other, **until))
    assert code_of(again) == (400, "ORDER_PAID")
    fresh = both(caller, other, combine_out_trade_no="combine-0002", **until)
    fresh["sub_orders"] = [part(caller, "part-0003", 1), part(other, "part-0004", 2)]
    late = caller.ask("POST", f"{COMBINE}/native", fresh)
    assert (code_of(late), late.json()["detail"]["field"]) == ((400, "PARAM_ERROR"), "/time_expire")


def test_nothing_is_paid_where_not_all_can_be(caller: Caller, other: Caller) -> None:
    """The money is enough for the first part alone, but not for both."""
    payer_id = caller.shop.add_payer(balance_minor=999)
    made = caller.ask("POST", f"{COMBINE}/native", both(caller, other)).json()
    with pytest.raises(CallerError, match="insufficient_balance"):
        pay(caller, made["code_url"], payer_id)
    assert caller.shop.balance(customer(payer_id, "CNY")) == 999
    assert states(caller) == {"NOTPAY"}
    assert not caller.callbacks()
    rich_id = caller.shop.add_payer(balance_minor=1_000)
    assert pay(caller, made["code_url"], rich_id)["state"] == "captured"
    assert states(caller) == {"SUCCESS"}


def test_no_part_is_paid_or_given_up_by_itself(caller: Caller, other: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    caller.ask("POST", f"{COMBINE}/native", both(caller, other))
    own = {"mchid": other.made["mchid"]}
    answer = other.ask("POST", f"{DIRECT}/out-trade-no/part-0002/close", own)
    assert code_of(answer) == (400, "INVALID_REQUEST")
    found = OrderRepository(caller.shop.reader).of_number(other.made["mchid"], "part-0002")
    assert found is not None
    payment_id = found[1]["payment_id"]
    with pytest.raises(CallerError, match="payment_not_found"):
        pay(caller, f"tillway://pay?id={payment_id}", payer_id)
    names = [{"mchid": one.made["mchid"], "out_trade_no": number}
             for one, number in ((caller, "part-0001"), (other, "part-0002"))]  # fmt: skip
    body = {"combine_appid": caller.made["appid"], "sub_orders": names}
    path = f"{COMBINE}/out-trade-no/combine-0001/close"
    wrong = body | {"sub_orders": [names[0], names[0]]}
    assert caller.ask("POST", path, wrong).json()["detail"]["field"] == "/sub_orders"
    for _ in range(2):
        assert caller.ask("POST", path, body).status_code == 204
    assert states(caller) == {"CLOSED"}
    again = caller.ask("POST", f"{COMBINE}/native", both(caller, other))
    assert code_of(again) == (400, "ORDER_CLOSED")


def test_the_whole_is_nothing_to_one_who_acts_for_a_part_no_more(
    caller: Caller, other: Caller
) -> None:
    mchids = {"mchid": caller.made["mchid"], "sub_mchid": other.made["mchid"]}
    parts = [part(caller, "part-0003", 300), part(other, "part-0004", 700) | mchids]
    by_names = both(caller, other, combine_out_trade_no="combine-0002", sub_orders=parts)
    whole = {"combine-0001": both(caller, other), "combine-0002": by_names}
    for body in whole.values():
        made = caller.ask("POST", f"{COMBINE}/native", body)
        assert made.status_code == 200, made.text
    bind(caller, other, is_on=False)
    for number, body in whole.items():
        path = f"{COMBINE}/out-trade-no/{number}"
        assert code_of(caller.ask("GET", path)) == (403, "NO_AUTH")
        names = [
            {name: one[name] for name in ("mchid", "sub_mchid", "out_trade_no") if name in one}
            for one in body["sub_orders"]
        ]
        end = {"combine_appid": caller.made["appid"], "sub_orders": names}
        assert code_of(caller.ask("POST", f"{path}/close", end)) == (403, "NO_AUTH")
    own = f"{DIRECT}/out-trade-no/part-0001?mchid={caller.made['mchid']}"
    assert caller.ask("GET", own).json()["trade_state"] == "NOTPAY"
    bind(caller, other)
    assert states(caller) == {"NOTPAY"}


def test_what_cannot_be_combined_is_refused_and_leaves_nothing(
    caller: Caller, other: Caller
) -> None:
    caller.ask("POST", f"{DIRECT}/native", caller.order("part-0001"))
    used = caller.ask("POST", f"{COMBINE}/native", both(caller, other))
    assert code_of(used) == (403, "OUT_TRADE_NO_USED")
    assert code_of(caller.ask("GET", f"{COMBINE}/out-trade-no/combine-0001"))[0] == 404
    twice = both(caller, other, sub_orders=[part(caller, "part-0003", 1)] * 2)
    answer = caller.ask("POST", f"{COMBINE}/native", twice)
    assert code_of(answer) == (403, "OUT_TRADE_NO_USED")
    one = both(caller, other, sub_orders=[part(caller, "part-0003", 1)])
    assert code_of(caller.ask("POST", f"{COMBINE}/native", one)) == (400, "PARAM_ERROR")
    parts = [part(other, "part-0003", 1), part(caller, "part-0004", 2)]
    theirs = both(other, caller, sub_orders=parts)
    assert code_of(other.ask("POST", f"{COMBINE}/native", theirs)) == (403, "NO_AUTH")
    fresh = both(caller, other, sub_orders=parts)
    assert caller.ask("POST", f"{COMBINE}/app", fresh).status_code == 200
    changed = fresh | {"sub_orders": [part(other, "part-0003", 5), parts[1]]}
    assert code_of(caller.ask("POST", f"{COMBINE}/app", changed)) == (400, "INVALID_REQUEST")


def test_a_consent_to_several_orders_is_one_to_their_sum(caller: Caller, other: Caller) -> None:
    """To the first part's amount alone it is none: the PIN would be passed by for the rest."""
    shop = caller.shop
    payer_id = shop.add_payer(balance_minor=900_000)
    parts = [part(caller, "part-0001", 300), part(other, "part-0002", 499_700)]
    made = caller.ask("POST", f"{COMBINE}/native", both(caller, other, sub_orders=parts)).json()
    lead_id = scanned_payment_id(made["code_url"])

    def consented(amount_minor: int) -> Any:
        attempt_id = shop.id("att")
        text = ConsentText(
            payment_id=lead_id, attempt_id=attempt_id, payer_id=payer_id, merchant_id=MERCHANT,
            amount_minor=amount_minor, currency="CNY", signed_at_ms=shop.clock.at_ms,
        )  # fmt: skip
        signed = sign_consent(text, shop.keys[payer_id]).hex()
        body = {"payment_id": lead_id, "attempt_id": attempt_id, "consent": signed}
        heads = {"authorization": f"Bearer token of {payer_id}"}
        return caller.http.post("/wallet/v1/confirm", json=body, headers=heads).json()

    with pytest.raises(CallerError, match="consent_invalid"):
        consented(300)
    assert shop.balance(customer(payer_id, "CNY")) == 900_000
    assert consented(500_000)["state"] == "captured"
    kinds = shop.rows("SELECT verification_kind FROM payment_attempt WHERE payer_id > ''")
    assert {one["verification_kind"] for one in kinds} == {"consent"}
