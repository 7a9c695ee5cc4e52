"""A payment that waited too long on its way is never charged; undoing and asking do not age."""

from typing import Any

import pytest

from backend.payments.limits import CREATE_AGE_MS_MAX
from backend.payments.model import DeviceRequest
from protocol.limits import CLOCK_SKEW_MS_MAX
from tests.support.shop import Shop

DAY_MS = 24 * 3_600_000


def bodies(shop: Shop, payer: str) -> dict[str, dict[str, Any]]:
    return {
        "pay_code": shop.create_body("pay_code", 900, pay_code=shop.code(payer)),
        "mandate": shop.create_body("mandate", 900, mandate_id=shop.add_mandate(payer)),
        "merchant_qr": shop.create_body("merchant_qr", 900),
    }


def create(shop: Shop, payer: str, method: str) -> DeviceRequest:
    body = bodies(shop, payer)[method]
    return shop.request("payment.create", body, device="vend1")


@pytest.mark.parametrize("method", ["pay_code", "mandate", "merchant_qr"])
def test_a_payment_that_waited_too_long_is_declined_and_stays_so(shop: Shop, method: str) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    request = create(shop, payer, method)
    shop.clock.at_ms += CREATE_AGE_MS_MAX + 1
    answer = shop.do(shop.command(request))
    assert (answer[1]["state"], answer[1]["error"]["code"]) == ("declined", "payment_too_late")
    assert answer[1]["error"]["zh"]
    assert shop.do(shop.command(request)) == answer
    payment_id = answer[1]["payment_id"]
    again = shop.ask("payment.create", request.body.to_map(), device="vend1")
    assert (again["payment_id"], again["state"]) == (payment_id, "declined")
    assert shop.payer_balance(payer) == 10_000
    assert shop.verify().is_whole


@pytest.mark.parametrize("method", ["pay_code", "mandate", "merchant_qr"])
def test_up_to_the_limit_it_is_carried_out(shop: Shop, method: str) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    request = create(shop, payer, method)
    shop.clock.at_ms += CREATE_AGE_MS_MAX
    assert shop.do(shop.command(request))[1]["state"] in {"captured", "awaiting_payer"}


def test_a_payers_code_is_not_used_up_by_a_payment_that_came_too_late(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    request = create(shop, payer, "pay_code")
    before = shop.rows("SELECT * FROM pay_code_route")
    shop.clock.at_ms += CREATE_AGE_MS_MAX + 1
    shop.do(shop.command(request))
    assert shop.rows("SELECT * FROM pay_code_route") == before
    assert shop.rows("SELECT * FROM pay_code_guard") == []


def test_a_repetition_of_what_was_carried_out_in_time_gets_the_first_answer(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    request = create(shop, payer, "pay_code")
    first = shop.do(shop.command(request))
    shop.clock.at_ms += DAY_MS
    assert shop.do(shop.command(request)) == first
    assert first[1]["state"] == "captured"


def test_what_undoes_or_asks_does_not_age(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 900)["payment_id"]
    refund = {"refund_id": shop.id("rfd"), "payment_id": paid, "amount_minor": 900,
              "currency": "CNY", "till": "t"}  # fmt: skip
    requests = [
        shop.request("payment.query", {"payment_id": paid}),
        shop.request("refund.create", refund),
        shop.request("refund.query", {"refund_id": refund["refund_id"]}),
        shop.request("payment.reverse", {"payment_id": shop.id("pay")}),
    ]
    shop.clock.at_ms += DAY_MS
    states = [shop.do(shop.command(one))[1]["state"] for one in requests]
    assert states == ["captured", "succeeded", "succeeded", "reversed"]


def test_two_clocks_that_differ_within_their_tolerance_do_not_make_a_payment_late() -> None:
    assert CREATE_AGE_MS_MAX >= CLOCK_SKEW_MS_MAX
