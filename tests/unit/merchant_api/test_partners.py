"""Service providers: they call, their merchants are paid."""

from typing import Any

import pytest

from backend.ledger.chart import merchant_pending
from backend.merchant_api.partners.service import Bind
from protocol.errors import CallerError
from tests.support.merchant_caller import Caller, opened
from tests.support.shop import MERCHANT
from tests.support.wallet_http import OPERATOR
from tests.unit.merchant_api.test_orders_and_codes import code_of, pay

PAY = "/v3/pay/partner/transactions"
DIRECT = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
SHOP = "merchant-of-a-provider"


@pytest.fixture
def sub(caller: Caller) -> Caller:
    """A merchant that the caller may act for."""
    caller.shop.add_merchant(SHOP)
    found = opened(Caller, caller.http, caller.shop, caller.parts, SHOP)
    bind(caller, found)
    return found


def bind(caller: Caller, sub: Caller, *, is_on: bool = True) -> None:
    names = {"sp_mchid": caller.made["mchid"], "sub_mchid": sub.made["mchid"]}
    body = names | {"is_on": is_on}
    answer = caller.http.post("/operator/v1/merchant-api/bindings", json=body, headers=OPERATOR)
    assert answer.status_code == 200, answer.text


def names(caller: Caller, sub: Caller) -> dict[str, str]:
    return {
        "sp_appid": caller.made["appid"],
        "sp_mchid": caller.made["mchid"],
        "sub_mchid": sub.made["mchid"],
    }


def order(caller: Caller, sub: Caller, number: str = "order-0001", **more: Any) -> dict[str, Any]:
    body = caller.order(number, **more)
    del body["appid"], body["mchid"]
    return body | names(caller, sub)


def asked(caller: Caller, sub: Caller) -> str:
    return f"sp_mchid={caller.made['mchid']}&sub_mchid={sub.made['mchid']}"


def query(caller: Caller, sub: Caller, number: str = "order-0001") -> dict[str, Any]:
    answer = caller.ask("GET", f"{PAY}/out-trade-no/{number}?{asked(caller, sub)}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def openid(caller: Caller, appid: str, payer_id: str) -> str:
    heads = {"authorization": f"Bearer token of {payer_id}"}
    answer = caller.http.post("/wallet/v1/openid", json={"appid": appid}, headers=heads)
    return str(answer.json()["openid"])


def test_a_provider_sells_for_its_merchant_and_gives_back(caller: Caller, sub: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    made = caller.ask("POST", f"{PAY}/native", order(caller, sub))
    assert caller.ask("POST", f"{PAY}/native", order(caller, sub)).json() == made.json()
    assert pay(caller, made.json()["code_url"], payer_id)["state"] == "captured"
    found = query(caller, sub)
    assert names(caller, sub).items() <= found.items()
    assert not {"appid", "mchid"} & found.keys()
    assert found["payer"] == {"sp_openid": openid(caller, caller.made["appid"], payer_id)}
    by_id = f"{PAY}/id/{found['transaction_id']}?{asked(caller, sub)}"
    assert caller.ask("GET", by_id).json() == found
    fee = 8  # 0.6 % of 1280, half up
    assert caller.shop.balance(merchant_pending(SHOP, "CNY")) == 1_280 - fee
    assert caller.shop.balance(merchant_pending(MERCHANT, "CNY")) == 0

    body = {"out_trade_no": "order-0001", "out_refund_no": "refund-1",
            "amount": {"refund": 280, "total": 1_280, "currency": "CNY"}}  # fmt: skip
    # Without the merchant's number it is an order of the provider's own, which there is not.
    assert code_of(caller.ask("POST", REFUNDS, body)) == (404, "ORDER_NOT_EXIST")
    granted = caller.ask("POST", REFUNDS, body | {"sub_mchid": sub.made["mchid"]})
    assert granted.json()["status"] == "SUCCESS", granted.text
    path = f"{REFUNDS}/refund-1"
    assert code_of(caller.ask("GET", path)) == (404, "RESOURCE_NOT_EXISTS")
    assert caller.ask("GET", f"{path}?sub_mchid={sub.made['mchid']}").json() == granted.json()
    assert query(caller, sub)["trade_state"] == "REFUND"


def test_an_order_of_a_provider_is_found_in_its_own_words_only(caller: Caller, sub: Caller) -> None:
    caller.ask("POST", f"{PAY}/native", order(caller, sub))
    caller.ask("POST", f"{DIRECT}/native", caller.order("order-0002"))
    own = f"mchid={caller.made['mchid']}"
    direct = caller.ask("GET", f"{DIRECT}/out-trade-no/order-0001?{own}")
    assert code_of(direct) == (404, "ORDER_NOT_EXIST")
    other = caller.ask("GET", f"{PAY}/out-trade-no/order-0002?{asked(caller, sub)}")
    assert code_of(other) == (404, "ORDER_NOT_EXIST")
    body = {"mchid": caller.made["mchid"]}
    answer = caller.ask("POST", f"{DIRECT}/out-trade-no/order-0001/close", body)
    assert code_of(answer) == (404, "ORDER_NOT_EXIST")
    body = {"sp_mchid": caller.made["mchid"], "sub_mchid": sub.made["mchid"]}
    for _ in range(2):
        path = f"{PAY}/out-trade-no/order-0001/close"
        assert caller.ask("POST", path, body).status_code == 204
    assert query(caller, sub)["trade_state"] == "CLOSED"
    taken = caller.ask("POST", f"{DIRECT}/native", caller.order())
    assert code_of(taken) == (400, "INVALID_REQUEST")


def test_a_provider_acts_only_for_whom_it_is_appointed(caller: Caller, sub: Caller) -> None:
    forbidden = (403, "NO_AUTH")
    theirs = names(sub, caller)
    assert code_of(sub.ask("POST", f"{PAY}/native", order(sub, caller))) == forbidden
    wrong = order(caller, sub) | {"sp_mchid": theirs["sp_mchid"]}
    answer = caller.ask("POST", f"{PAY}/native", wrong)
    assert code_of(answer) == (400, "PARAM_ERROR")
    assert answer.headers["request-id"].endswith("-268447843")
    app = caller.ask("POST", f"{PAY}/app", order(caller, sub, sub_appid=caller.made["appid"]))
    assert code_of(app) == (400, "APPID_MCHID_NOT_MATCH")
    caller.ask("POST", f"{PAY}/native", order(caller, sub))
    bind(caller, sub, is_on=False)
    assert code_of(caller.ask("POST", f"{PAY}/native", order(caller, sub))) == forbidden
    path = f"{PAY}/out-trade-no/order-0001?{asked(caller, sub)}"
    assert code_of(caller.ask("GET", path)) == forbidden
    unknown = Bind(sp_mchid=caller.made["mchid"], sub_mchid="1600000000", is_on=True)
    with pytest.raises(CallerError, match="merchant_unknown"):
        caller.shop.do(unknown)
    itself = Bind(sp_mchid=caller.made["mchid"], sub_mchid=caller.made["mchid"], is_on=True)
    with pytest.raises(CallerError, match="field_invalid"):
        caller.shop.do(itself)


@pytest.mark.parametrize("whose", ["sp", "sub"])
def test_a_page_names_the_payer_as_either_app_knows_them(
    caller: Caller, sub: Caller, whose: str
) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    known = {"sp": caller.made["appid"], "sub": sub.made["appid"]}
    name = openid(caller, known[whose], payer_id)
    body = order(caller, sub, sub_appid=known["sub"], payer={f"{whose}_openid": name})
    made = caller.ask("POST", f"{PAY}/jsapi", body)
    assert made.status_code == 200, made.text
    assert (
        pay(caller, f"weixin://wap/pay?prepayid={made.json()['prepay_id']}", payer_id)["state"]
        == "captured"
    )
    payer = query(caller, sub)["payer"]
    assert payer[f"{whose}_openid"] == name
    assert payer.keys() == {"sp_openid", "sub_openid"}
    [(_, news)] = caller.callbacks()
    assert news["event_type"] == "TRANSACTION.SUCCESS"

    other = {"sp": "sub", "sub": "sp"}[whose]
    body = order(caller, sub, "order-0002", sub_appid=known["sub"], payer={f"{other}_openid": name})
    assert code_of(caller.ask("POST", f"{PAY}/jsapi", body)) == (500, "OPENID_MISMATCH")
    both = order(caller, sub, "order-0003", payer={"sp_openid": name, "sub_openid": name})
    assert code_of(caller.ask("POST", f"{PAY}/jsapi", both)) == (400, "PARAM_ERROR")
    no_app = order(caller, sub, "order-0004", payer={"sub_openid": name})
    answer = caller.ask("POST", f"{PAY}/jsapi", no_app)
    assert answer.json()["detail"]["field"] == "/sub_appid"


def test_a_provider_takes_codes_and_opens_pages_of_browsers(caller: Caller, sub: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    body = order(
        caller,
        sub,
        payer={"auth_code": caller.shop.code(payer_id)},
        scene_info={"store_info": {"out_id": "s1"}},
    )
    paid = caller.ask("POST", f"{PAY}/codepay", body)
    assert (paid.status_code, paid.json()["trade_state"]) == (200, "SUCCESS"), paid.text
    assert paid.json() == query(caller, sub)
    path = f"{PAY}/out-trade-no/order-0001/reverse"
    direct = {"appid": caller.made["appid"], "mchid": caller.made["mchid"]}
    answer = caller.ask("POST", f"{DIRECT}/out-trade-no/order-0001/reverse", direct)
    assert code_of(answer) == (404, "ORDER_NOT_EXIST")
    undone = caller.ask("POST", path, names(caller, sub))
    assert undone.json() == names(caller, sub) | {"out_trade_no": "order-0001"}
    assert query(caller, sub)["trade_state"] == "REVOKED"
    scene = {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}
    body = order(caller, sub, "order-0002", scene_info=scene)
    assert "prepay_id=wx" in caller.ask("POST", f"{PAY}/h5", body).json()["h5_url"]
    body = order(caller, sub, "order-0003")
    assert "prepay_id" in caller.ask("POST", f"{PAY}/app", body).json()
