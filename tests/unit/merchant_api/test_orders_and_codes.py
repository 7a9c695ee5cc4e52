"""Orders by every way, their numbers, and payments by code, on the engine as it is."""

from typing import Any

import pytest

from backend.merchant_api.orders.model import time_text
from backend.payments.confirm import ConfirmByPayer
from backend.payments.limits import PAYER_WORD_MS
from backend.payments.repository import PaymentRepository
from backend.payments.word import RefuseByPayer
from backend.wallet.model import scanned_payment_id
from protocol.errors import CallerError
from tests.support.merchant_caller import Caller

PAY = "/v3/pay/transactions"


def pay(caller: Caller, content: str, payer_id: str) -> dict[str, Any]:
    """What the wallet does with what it has scanned or was opened with."""
    command = ConfirmByPayer(
        payment_id=scanned_payment_id(content),
        attempt_id=caller.shop.id("att"),
        payer_id=payer_id,
        is_pin_verified=True,
        rules=caller.shop.rules,
    )
    found: dict[str, Any] = caller.shop.do(command)[1]
    return found


def query(caller: Caller, number: str = "order-0001") -> dict[str, Any]:
    found = caller.ask("GET", f"{PAY}/out-trade-no/{number}?mchid={caller.made['mchid']}")
    assert found.status_code == 200, found.text
    shown: dict[str, Any] = found.json()
    return shown


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def opened(prepay_id: str) -> str:
    return f"weixin://wap/pay?prepayid={prepay_id}"


def openid(caller: Caller, payer_id: str) -> str:
    """The payer's app tells the merchant's."""
    heads = {"authorization": f"Bearer token of {payer_id}"}
    body = {"appid": caller.made["appid"]}
    return str(caller.http.post("/wallet/v1/openid", json=body, headers=heads).json()["openid"])


@pytest.mark.parametrize("way", ["native", "app", "h5"])
def test_an_order_that_came_too_late_to_the_books_leaves_its_number_free(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Nobody could have paid it: it must not be answered as one that somebody can."""
    scene = {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}
    with monkeypatch.context() as slow:
        slow.setattr("backend.payments.create.CREATE_AGE_MS_MAX", -1)
        late = caller.ask("POST", f"{PAY}/{way}", caller.order(scene_info=scene))
    assert code_of(late) == (503, "SERVICE_UNAVAILABLE")
    found = caller.ask("GET", f"{PAY}/out-trade-no/order-0001?mchid={caller.made['mchid']}")
    assert code_of(found) == (404, "ORDER_NOT_EXIST")
    again = caller.ask("POST", f"{PAY}/{way}", caller.order(scene_info=scene))
    assert again.status_code == 200
    assert query(caller)["trade_state"] == "NOTPAY"


def test_an_app_order_is_opened_by_its_prepay_id(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    made = caller.ask("POST", f"{PAY}/app", caller.order()).json()
    assert len(made["prepay_id"]) == 36
    assert pay(caller, opened(made["prepay_id"]), payer_id)["state"] == "captured"
    assert query(caller)["trade_type"] == "APP"
    assert query(caller)["trade_state"] == "SUCCESS"


def test_a_page_order_lives_five_minutes(caller: Caller) -> None:
    scene = {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}
    answer = caller.ask("POST", f"{PAY}/h5", caller.order(scene_info=scene))
    assert "prepay_id=wx" in answer.json()["h5_url"]
    assert query(caller)["trade_state"] == "NOTPAY"
    caller.shop.clock.at_ms += 5 * 60_000
    assert query(caller)["trade_state"] == "CLOSED"
    again = caller.ask("POST", f"{PAY}/h5", caller.order(scene_info=scene))
    assert code_of(again) == (400, "ORDER_CLOSED")
    missing = caller.ask("POST", f"{PAY}/h5", caller.order("order-0002"))
    assert code_of(missing) == (400, "PARAM_ERROR")


def test_an_order_asked_for_again_after_its_time_says_what_became_of_it(caller: Caller) -> None:
    """A program that missed the answer must hear that it was paid, not that the time is wrong."""
    shop = caller.shop
    until = {"time_expire": time_text(shop.clock.at_ms + 60_000)}
    bodies = [caller.order(number, **until) for number in ("order-0001", "order-0002")]
    made = [caller.ask("POST", f"{PAY}/native", body).json() for body in bodies]
    pay(caller, made[0]["code_url"], shop.add_payer(balance_minor=5_000))
    shop.clock.at_ms += 60_000
    answers = [code_of(caller.ask("POST", f"{PAY}/native", body)) for body in bodies]
    assert answers == [(400, "ORDER_PAID"), (400, "ORDER_CLOSED")]
    fresh = caller.ask("POST", f"{PAY}/native", caller.order("order-0003", **until))
    assert code_of(fresh) == (400, "PARAM_ERROR")
    assert fresh.json()["detail"]["field"] == "/time_expire"


def test_a_jsapi_order_is_paid_by_the_payer_whom_it_names_and_by_nobody_else(
    caller: Caller,
) -> None:
    payer_id, other_id = (caller.shop.add_payer(balance_minor=5_000) for _ in range(2))
    name = openid(caller, payer_id)
    assert openid(caller, other_id) != name
    body = caller.order(payer={"openid": name})
    made = caller.ask("POST", f"{PAY}/jsapi", body).json()
    with pytest.raises(CallerError, match="payment_not_found"):
        pay(caller, opened(made["prepay_id"]), other_id)
    assert pay(caller, opened(made["prepay_id"]), payer_id)["state"] == "captured"
    assert query(caller)["payer"]["openid"] == name


def test_a_jsapi_order_needs_a_payer_that_the_app_knows(caller: Caller) -> None:
    assert code_of(caller.ask("POST", f"{PAY}/jsapi", caller.order())) == (400, "PARAM_ERROR")
    stranger = caller.order(payer={"openid": "o" + "x" * 27})
    answer = caller.ask("POST", f"{PAY}/jsapi", stranger)
    assert answer.json()["detail"]["field"] == "/payer/openid"


def test_a_payer_is_known_to_the_apps_that_there_are(caller: Caller) -> None:
    heads = {"authorization": f"Bearer token of {caller.shop.add_payer()}"}
    with pytest.raises(CallerError, match="field_invalid: appid"):
        caller.http.post("/wallet/v1/openid", json={"appid": "wx0"}, headers=heads)
    assert caller.shop.rows("SELECT * FROM merchant_api_openid") == []


def test_a_number_means_one_content_until_it_is_paid_or_closed(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    made = caller.ask("POST", f"{PAY}/native", caller.order())
    assert caller.ask("POST", f"{PAY}/native", caller.order()).json() == made.json()
    for other in (caller.order(amount={"total": 1}), caller.order(attach="x")):
        answer = caller.ask("POST", f"{PAY}/native", other)
        assert code_of(answer) == (400, "INVALID_REQUEST")
        assert answer.headers["request-id"].endswith("-268498688")
    assert code_of(caller.ask("POST", f"{PAY}/app", caller.order()))[1] == "OUT_TRADE_NO_USED"
    pay(caller, made.json()["code_url"], payer_id)
    assert code_of(caller.ask("POST", f"{PAY}/native", caller.order())) == (400, "ORDER_PAID")
    caller.ask("POST", f"{PAY}/native", caller.order("order-0002"))
    body = {"mchid": caller.made["mchid"]}
    for _ in range(2):
        answer = caller.ask("POST", f"{PAY}/out-trade-no/order-0002/close", body)
        assert (answer.status_code, answer.content) == (204, b"")
    answer = caller.ask("POST", f"{PAY}/native", caller.order("order-0002"))
    assert code_of(answer) == (400, "ORDER_CLOSED")


def code_payment(
    caller: Caller, code: str, number: str = "order-0001", total: int = 880, **changes: Any
) -> Any:
    body = caller.order(
        number,
        payer={"auth_code": code},
        scene_info={"store_info": {"out_id": "s1"}, "device_id": "till-7"},
        amount={"total": total},
        **changes,
    )
    return caller.ask("POST", f"{PAY}/codepay", body)


def reverse(caller: Caller, number: str = "order-0001") -> Any:
    body = {"appid": caller.made["appid"], "mchid": caller.made["mchid"]}
    return caller.ask("POST", f"{PAY}/out-trade-no/{number}/reverse", body)


def test_a_code_is_taken_and_the_payment_undone(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    code = caller.shop.code(payer_id)
    found = code_payment(caller, code)
    assert found.status_code == 200, found.text
    assert found.json() == query(caller)
    assert (found.json()["trade_type"], found.json()["trade_state"]) == ("MICROPAY", "SUCCESS")
    assert code_of(code_payment(caller, code)) == (400, "ORDER_PAID")
    used = code_payment(caller, code, "order-0002")
    assert code_of(used) == (400, "AUTH_CODE_INVALID")
    assert query(caller, "order-0002")["trade_state"] == "PAYERROR"
    close = {"mchid": caller.made["mchid"]}
    answer = caller.ask("POST", f"{PAY}/out-trade-no/order-0001/close", close)
    assert code_of(answer) == (400, "INVALID_REQUEST")
    for _ in range(2):
        assert reverse(caller).status_code == 200
    assert query(caller)["trade_state"] == "REVOKED"
    assert reverse(caller, "order-0002").status_code == 200
    assert code_of(reverse(caller, "order-0003")) == (404, "ORDER_NOT_EXIST")


def test_a_declined_code_says_why_and_says_it_again(caller: Caller) -> None:
    poor_id, rich_id = (caller.shop.add_payer(balance_minor=one) for one in (10, 900_000))
    code = caller.shop.code(poor_id)
    for _ in range(2):
        assert code_of(code_payment(caller, code)) == (403, "NOT_ENOUGH")
    assert code_of(code_payment(caller, code, total=1)) == (400, "INVALID_REQUEST")
    late = caller.shop.code(rich_id)
    caller.shop.clock.at_ms += 5 * 60_000
    assert code_of(code_payment(caller, late, "order-0003")) == (400, "AUTH_CODE_EXPIRE")
    wrong = code_payment(caller, "131234567890123456", "order-0004")
    assert code_of(wrong) == (400, "AUTH_CODE_INVALID")
    assert code_of(code_payment(caller, "2" * 18, "order-0005")) == (400, "PARAM_ERROR")


def test_a_large_payment_by_code_waits_for_the_payer(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=900_000)
    for number in ("order-0001", "order-0002", "order-0003"):
        asked = code_payment(caller, caller.shop.code(payer_id), number, total=100_001)
        assert code_of(asked) == (202, "USERPAYING")
        assert query(caller, number)["trade_state"] == "USERPAYING"
    first, second, _ = PaymentRepository(caller.shop.reader).asked_of(
        payer_id, caller.shop.clock.at_ms
    )
    caller.shop.do(
        ConfirmByPayer(
            payment_id=first["payment_id"],
            attempt_id=caller.shop.id("att"),
            payer_id=payer_id,
            is_pin_verified=True,
            rules=caller.shop.rules,
        )
    )
    assert query(caller)["trade_state"] == "SUCCESS"
    caller.shop.do(RefuseByPayer(payment_id=second["payment_id"], payer_id=payer_id))
    assert query(caller, "order-0002")["trade_state"] == "PAYERROR"
    assert reverse(caller, "order-0003").status_code == 200
    assert query(caller, "order-0003")["trade_state"] == "REVOKED"


def test_a_payer_who_gives_no_pin_ends_the_payment(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=900_000)
    code = caller.shop.code(payer_id)
    assert code_payment(caller, code, total=100_001).status_code == 202
    caller.shop.clock.at_ms += PAYER_WORD_MS
    assert query(caller)["trade_state"] == "PAYERROR"


def test_an_order_that_was_shown_is_not_reversed(caller: Caller) -> None:
    caller.ask("POST", f"{PAY}/native", caller.order())
    assert code_of(reverse(caller)) == (400, "INVALID_REQUEST")


def test_a_refund_keeps_its_number_only_if_it_was_granted(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    made = caller.ask("POST", f"{PAY}/native", caller.order()).json()
    body: dict[str, Any] = {
        "out_refund_no": "refund-1", "out_trade_no": "order-0001",
        "amount": {"refund": 1_000, "total": 1_280, "currency": "CNY"},
    }  # fmt: skip
    path = "/v3/refund/domestic/refunds"
    assert code_of(caller.ask("POST", path, body)) == (403, "TRADE_ERROR")  # not paid yet
    pay(caller, made["code_url"], payer_id)
    wrong_total = body | {"amount": body["amount"] | {"total": 1_000}}
    assert code_of(caller.ask("POST", path, wrong_total)) == (400, "PARAM_ERROR")
    granted = caller.ask("POST", path, body)
    assert (granted.status_code, granted.json()["status"]) == (200, "SUCCESS")
    assert granted.json()["amount"]["payer_refund"] == 1_000
    other = body | {"reason": "cold"}
    assert code_of(caller.ask("POST", path, other)) == (400, "INVALID_REQUEST")
    rest = body | {"out_refund_no": "refund-2"}
    assert code_of(caller.ask("POST", path, rest)) == (400, "INVALID_REQUEST")  # 280 are left
    rest["amount"] = body["amount"] | {"refund": 280}
    assert caller.ask("POST", path, rest).status_code == 200
    assert query(caller)["trade_state"] == "REFUND"
