"""Refusals happen for their reasons, and in a sandbox at certain amounts."""

from typing import Any

import pytest

from backend.merchant_api import magic, parts
from backend.merchant_api.faults import ApiError
from backend.merchant_api.limits import CODE_GUARDS
from backend.merchant_api.magic import AMOUNTS, Sandbox
from backend.merchant_api.orders.engine import Engine, guard_of
from protocol.errors import OperatingError
from tests.support.merchant_caller import Caller, opened
from tests.unit.merchant_api.test_orders_and_codes import (
    PAY,
    code_of,
    code_payment,
    openid,
    pay,
    query,
    reverse,
)

REFUNDS = "/v3/refund/domestic/refunds"
REFUSED = {amount: one.refusal for amount, one in AMOUNTS.items() if one.refusal is not None}


def refund(caller: Caller, number: str, part: int, total: int = 1_280, **changes: Any) -> Any:
    body = {
        "out_refund_no": number,
        "out_trade_no": "order-0001",
        "amount": {"refund": part, "total": total, "currency": "CNY"},
    }
    return caller.ask("POST", REFUNDS, body | changes)


def paid_order(caller: Caller, total: int = 1_280) -> str:
    payer_id = caller.shop.add_payer(balance_minor=total)
    made = caller.ask("POST", f"{PAY}/native", caller.order(amount={"total": total}))
    pay(caller, made.json()["code_url"], payer_id)
    return payer_id


def test_every_magic_amount_is_refused_as_it_says_and_leaves_nothing(sandbox: Caller) -> None:
    code = sandbox.shop.code(sandbox.shop.add_payer(balance_minor=10_000))
    paid_order(sandbox, 10_000)
    for amount, fault in REFUSED.items():
        number = f"magic-{amount}"
        answer = sandbox.ask(
            "POST", f"{PAY}/native", sandbox.order(number, amount={"total": amount})
        )
        assert code_of(answer) == (fault.status, fault.code)
        assert code_of(code_payment(sandbox, code, number, total=amount)) == code_of(answer)
        assert code_of(refund(sandbox, number, amount, 10_000)) == code_of(answer)
        path = f"{PAY}/out-trade-no/{number}?mchid={sandbox.made['mchid']}"
        assert code_of(sandbox.ask("GET", path)) == (404, "ORDER_NOT_EXIST")
        assert code_of(sandbox.ask("GET", f"{REFUNDS}/{number}"))[0] == 404
    assert code_payment(sandbox, code, total=100, number="order-0002").status_code == 200


def test_money_to_payers_and_to_the_merchant_is_refused_at_the_same_amounts(
    sandbox: Caller,
) -> None:
    payer_id = paid_order(sandbox, 10_000)
    made = sandbox.made
    transfer = {
        "appid": made["appid"],
        "out_bill_no": "transfer0001",
        "transfer_scene_id": "1000",
        "openid": openid(sandbox, payer_id),
        "transfer_amount": 6_008,
        "transfer_remark": "prize",
        "transfer_scene_report_infos": [{"info_type": "活动名称", "info_content": "抽奖"}],
    }
    answer = sandbox.ask("POST", "/v3/fund-app/mch-transfer/transfer-bills", transfer)
    assert code_of(answer) == (403, "NOT_ENOUGH"), answer.text
    body = {"out_request_no": "withdrawal0001", "amount": 6_004, "account_type": "BASIC"}
    answer = sandbox.ask("POST", "/v3/merchant/fund/withdraw", body)
    assert code_of(answer) == (500, "BANK_ERROR"), answer.text


def test_an_answer_is_lost_once_and_the_payment_made(sandbox: Caller) -> None:
    code = sandbox.shop.code(sandbox.shop.add_payer(balance_minor=10_000))
    assert code_of(code_payment(sandbox, code, total=6_002)) == (500, "SYSTEM_ERROR")
    assert query(sandbox)["trade_state"] == "SUCCESS"
    assert code_of(code_payment(sandbox, code, total=6_002)) == (400, "ORDER_PAID")
    order = sandbox.order("order-0002", amount={"total": 6_002})
    assert code_of(sandbox.ask("POST", f"{PAY}/native", order)) == (500, "SYSTEM_ERROR")
    assert sandbox.ask("POST", f"{PAY}/native", order).status_code == 200
    assert code_of(refund(sandbox, "refund-1", 6_002, 6_002)) == (500, "SYSTEM_ERROR")
    assert refund(sandbox, "refund-1", 6_002, 6_002).json()["status"] == "SUCCESS"


@pytest.mark.asyncio
async def test_an_answer_is_late_by_ten_seconds() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    sandbox = Sandbox(is_on=True, sleep=sleep)
    async with sandbox.at(6_003, mchid="1", number="a"):
        pass
    with pytest.raises(OperatingError):
        async with sandbox.at(6_003, mchid="1", number="b"):
            raise OperatingError("busy")
    assert waited == [10.0]


def test_no_more_lost_answers_are_remembered_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(magic, "MAGIC_LOST_REMEMBERED_MAX", 2)
    sandbox = Sandbox(is_on=True)
    for number in "abca":
        with pytest.raises(ApiError):
            sandbox.lose(("1", number))
    sandbox.lose(("1", "c"))


def user_paying(sandbox: Caller, total: int) -> str:
    """A payer whose code is not enough."""
    payer_id = sandbox.shop.add_payer(balance_minor=10_000)
    answer = code_payment(sandbox, sandbox.shop.code(payer_id), total=total)
    assert code_of(answer) == (202, "USERPAYING")
    sandbox.shop.clock.at_ms += 9_999
    assert query(sandbox)["trade_state"] == "USERPAYING"
    return payer_id


def test_a_payer_gives_the_pin_after_ten_seconds(sandbox: Caller) -> None:
    payer_id = user_paying(sandbox, 6_027)
    sandbox.shop.clock.at_ms += 1
    assert query(sandbox)["trade_state"] == "SUCCESS"
    assert sandbox.shop.payer_balance(payer_id) == 10_000 - 6_027


def test_a_payer_refuses_after_ten_seconds(sandbox: Caller) -> None:
    payer_id = user_paying(sandbox, 6_028)
    sandbox.shop.clock.at_ms += 1
    assert query(sandbox)["trade_state"] == "PAYERROR"
    assert sandbox.shop.payer_balance(payer_id) == 10_000


@pytest.mark.parametrize("is_reversed", [True, False])
def test_a_payer_puts_the_telephone_away(sandbox: Caller, is_reversed: bool) -> None:
    payer_id = user_paying(sandbox, 6_029)
    if is_reversed:
        assert reverse(sandbox).status_code == 200
        assert query(sandbox)["trade_state"] == "REVOKED"
    sandbox.shop.clock.at_ms += 10 * 60_000
    assert query(sandbox)["trade_state"] == ("REVOKED" if is_reversed else "PAYERROR")
    assert sandbox.shop.payer_balance(payer_id) == 10_000


def test_outside_the_sandbox_an_amount_is_an_amount(caller: Caller) -> None:
    for amount in AMOUNTS:
        body = caller.order(f"magic-{amount}", amount={"total": amount})
        assert caller.ask("POST", f"{PAY}/native", body).status_code == 200


def test_refunds_of_one_order_are_a_minute_apart(sandbox: Caller) -> None:
    paid_order(sandbox)
    assert refund(sandbox, "refund-1", 100).status_code == 200
    assert code_of(refund(sandbox, "refund-2", 100)) == (429, "FREQUENCY_LIMITED")
    assert refund(sandbox, "refund-1", 100).status_code == 200  # the same again is no other
    sandbox.shop.clock.at_ms += 59_999
    assert code_of(refund(sandbox, "refund-2", 100)) == (429, "FREQUENCY_LIMITED")
    sandbox.shop.clock.at_ms += 1
    assert refund(sandbox, "refund-2", 100).status_code == 200


def test_a_refused_refund_keeps_nobody_waiting(sandbox: Caller) -> None:
    paid_order(sandbox)
    assert code_of(refund(sandbox, "refund-1", 1_281)) == (400, "INVALID_REQUEST")
    assert refund(sandbox, "refund-1", 1_280).status_code == 200


def test_an_order_has_fifty_refunds_and_a_year(caller: Caller) -> None:
    paid_order(caller)
    for number in range(50):
        assert refund(caller, f"refund-{number}", 1).status_code == 200
    assert code_of(refund(caller, "refund-50", 1)) == (400, "INVALID_REQUEST")
    late = caller.order("order-0002")
    payer_id = caller.shop.add_payer(balance_minor=2_000)
    pay(caller, caller.ask("POST", f"{PAY}/native", late).json()["code_url"], payer_id)
    caller.shop.clock.at_ms += 365 * 24 * 3600 * 1000 + 1
    answer = refund(caller, "refund-51", 1, out_trade_no="order-0002")
    assert code_of(answer) == (400, "INVALID_REQUEST")


def test_too_many_refunds_in_a_second(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(parts, "REFUNDS_PER_S_MAX", 1)
    caller: Caller = request.getfixturevalue("caller")
    assert code_of(refund(caller, "refund-1", 1)) == (404, "ORDER_NOT_EXIST")
    assert code_of(refund(caller, "refund-1", 1)) == (429, "RATELIMIT_EXCEEDED")


def test_a_number_of_another_way_to_pay_is_used(caller: Caller) -> None:
    caller.ask("POST", f"{PAY}/native", caller.order())
    answer = caller.ask("POST", f"{PAY}/app", caller.order())
    assert code_of(answer) == (403, "OUT_TRADE_NO_USED")


def test_another_merchants_transaction_and_another_apps_payer(caller: Caller) -> None:
    payer_id = paid_order(caller)
    number = query(caller)["transaction_id"]
    other_id = "mch_2002"
    caller.shop.add_merchant(other_id)
    other = opened(Caller, caller.http, caller.shop, caller.parts, other_id)
    path = f"{PAY}/id/{number}?mchid={other.made['mchid']}"
    assert code_of(other.ask("GET", path)) == (500, "INVALID_TRANSACTIONID")
    body = {
        "transaction_id": number,
        "out_refund_no": "refund-1",
        "amount": {"refund": 1, "total": 1_280, "currency": "CNY"},
    }
    assert code_of(other.ask("POST", REFUNDS, body)) == (500, "INVALID_TRANSACTIONID")
    name = openid(caller, payer_id)
    answer = other.ask("POST", f"{PAY}/jsapi", other.order(payer={"openid": name}))
    assert code_of(answer) == (500, "OPENID_MISMATCH")


def test_a_writer_that_is_full_says_that_the_service_is_unavailable(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OperatingError("busy", "writer")

    monkeypatch.setattr(Engine, "by_qr", full)
    answer = caller.ask("POST", f"{PAY}/native", caller.order())
    assert code_of(answer) == (503, "SERVICE_UNAVAILABLE")


def test_wrong_codes_stop_their_own_store_only(caller: Caller) -> None:
    good = caller.shop.code(caller.shop.add_payer(balance_minor=5_000))

    def scan(store: str, code: str, number: int) -> Any:
        body = caller.order(
            f"order-{number:04}",
            payer={"auth_code": code},
            scene_info={"store_info": {"out_id": store}},
            amount={"total": 100},
        )
        return caller.ask("POST", f"{PAY}/codepay", body)

    for number in range(10):
        assert code_of(scan("s1", f"13{number:016}", number)) == (400, "AUTH_CODE_INVALID")
    assert code_of(scan("s1", good, 11)) == (429, "FREQUENCY_LIMITED")
    assert scan("s2", good, 12).status_code == 200


def test_new_stores_do_not_give_new_guesses_without_end(caller: Caller) -> None:
    account = caller.account
    guards = {guard_of(account, f"store-{number}") for number in range(2_000)}
    assert len(guards) == CODE_GUARDS


def test_outside_a_sandbox_no_amount_asks_for_the_payers_word(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=10_000)
    paid = code_payment(caller, caller.shop.code(payer_id), total=6_027)
    assert (paid.status_code, paid.json()["trade_state"]) == (200, "SUCCESS")
