"""Service orders: agreed to in the wallet, completed, collected, given up."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.merchant_api.faults import ApiError
from backend.merchant_api.payscore.model import (
    TRANSITIONS,
    ServiceCommand,
    ServiceState,
    next_state,
)
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, sign_mandate
from tests.support.channel_world import CARD_TOKEN
from tests.support.merchant_caller import Caller, caller_of, opened
from tests.support.shop import Shop
from tests.support.wallet_http import OPERATOR
from tests.unit.merchant_api.test_papay import debit

ORDERS = "/v3/payscore/serviceorder"
SERVICE = "500001"
DAY_MS = 24 * 3_600_000


@pytest.fixture
def on_both(migrated_url: str) -> Iterator[Caller]:
    """A caller on each of the two databases."""
    shop = Shop(migrated_url)
    shop.add_merchant()
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch) as found:
        yield found
    shop.close()


def asked(caller: Caller, number: str = "svc-1", **changes: Any) -> dict[str, Any]:
    return {
        "out_order_no": number,
        "appid": caller.made["appid"],
        "service_id": SERVICE,
        "service_introduction": "充电宝租借",
        "time_range": {"start_time": "OnAccept"},
        "risk_fund": {"name": "DEPOSIT", "amount": 9_900},
        "notify_url": "https://shop.example/service",
        "need_user_confirm": True,
    } | changes


def open_service(caller: Caller) -> None:
    body = {
        "plan_id": int(SERVICE),
        "mchid": caller.made["mchid"],
        "name": "充电宝",
        "limit_payment_minor": 20_000,
        "limit_day_minor": 20_000,
        "notice_hours": None,
    }
    made = caller.http.post("/operator/v1/merchant-api/plans", json=body, headers=OPERATOR)
    assert made.status_code == 201


def wallet(caller: Caller, method: str, path: str, payer_id: str, body: object = None) -> Any:
    heads = {"authorization": f"Bearer token of {payer_id}"}
    return caller.http.request(method, f"/wallet/v1{path}", json=body, headers=heads).json()


def confirm(caller: Caller, payer_id: str, order_id: str, **changes: Any) -> Any:
    shown = wallet(caller, "GET", f"/services/{order_id}", payer_id)
    text = MandateText.from_map(shown["text"] | changes)
    signed = sign_mandate(text, caller.shop.keys[payer_id]).hex()
    return wallet(caller, "POST", f"/services/{order_id}/confirm", payer_id, {"signed": signed})


def agreed(caller: Caller, payer_id: str) -> str:
    open_service(caller)
    made = caller.ask("POST", ORDERS, asked(caller)).json()
    order_id = str(made["order_id"])
    assert confirm(caller, payer_id, order_id)["state"] == "USER_CONFIRM"
    return order_id


def tell(caller: Caller, verb: str, number: str = "svc-1", **words: Any) -> Any:
    body = {"appid": caller.made["appid"], "service_id": SERVICE} | words
    return caller.ask("POST", f"{ORDERS}/{number}/{verb}", body)


def cost(*amounts: int, discount: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {
        "post_payments": [{"name": "租金", "amount": amount} for amount in amounts],
        "total_amount": sum(amounts) - discount,
    }
    if discount:
        found["post_discounts"] = [{"name": "会员", "description": "减", "amount": discount}]
    return found


def query(caller: Caller, number: str = "svc-1") -> dict[str, Any]:
    words = f"out_order_no={number}&service_id={SERVICE}&appid={caller.made['appid']}"
    found: dict[str, Any] = caller.ask("GET", f"{ORDERS}?{words}").json()
    return found


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_service_is_agreed_to_completed_and_paid(on_both: Caller) -> None:
    caller, shop = on_both, on_both.shop
    payer_id = shop.add_payer(balance_minor=10_000)
    order_id = agreed(caller, payer_id)
    assert (query(caller)["state"], query(caller)["state_description"]) == (
        "DOING",
        "USER_CONFIRM",
    )
    done = tell(caller, "complete", **cost(2_000, 700, discount=200)).json()
    assert (done["state"], done["total_amount"]) == ("DONE", 2_500)
    assert done["collection"]["state"] == "USER_PAID"
    assert shop.payer_balance(payer_id) == 7_500
    assert tell(caller, "complete", **cost(2_000, 700, discount=200)).json() == done
    assert refused(tell(caller, "complete", **cost(2_000))) == (400, "INVALID_REQUEST")
    assert refused(tell(caller, "pay")) == (400, "ORDER_PAID")
    refund = {
        "transaction_id": done["collection"]["details"][0]["transaction_id"],
        "out_refund_no": "refund-1",
        "amount": {"refund": 500, "total": 2_500, "currency": "CNY"},
    }
    assert caller.ask("POST", "/v3/refund/domestic/refunds", refund).status_code == 200
    assert shop.payer_balance(payer_id) == 8_000
    told = dict(caller.news())
    assert told.keys() == {"PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"}
    assert told["PAYSCORE.USER_PAID"]["order_id"] == order_id
    [mandate] = wallet(caller, "GET", "/mandates", payer_id)["mandates"]
    assert mandate["status"] == "terminated"
    [listed] = wallet(caller, "GET", "/services", payer_id)["services"]
    assert (listed["state"], listed["total_minor"]) == ("DONE", 2_500)
    assert shop.verify().is_whole


def test_what_the_payer_cannot_pay_is_owed_and_collected_later(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=1_000)
    agreed(caller, payer_id)
    owed = tell(caller, "complete", **cost(3_000)).json()
    assert (owed["state"], owed["state_description"]) == ("DOING", "MCH_COMPLETE")
    assert owed["collection"] == {
        "state": "USER_PAYING",
        "total_amount": 3_000,
        "paying_amount": 3_000,
        "paid_amount": 0,
    }
    more = tell(caller, "modify", reason="算错了", **cost(3_000))
    assert more.json()["detail"]["field"] == "/total_amount"
    assert tell(caller, "modify", reason="少收", **cost(2_000)).json()["total_amount"] == 2_000
    assert tell(caller, "pay").json()["collection"]["state"] == "USER_PAYING"
    caller.shop.top_up(payer_id, 1_500)
    assert tell(caller, "pay").json()["state"] == "DONE"
    assert caller.shop.payer_balance(payer_id) == 500
    assert refused(tell(caller, "modify", reason="再少", **cost(1))) == (400, "ORDER_PAID")
    events = sorted(event for event, _ in caller.news())
    assert events == ["PAYSCORE.USER_CONFIRM", "PAYSCORE.USER_PAID"]


def test_no_second_try_begins_while_the_bank_has_not_answered_the_first(caller: Caller) -> None:
    payer_id = caller.shop.add_payer()
    caller.shop.add_instrument(payer_id, "card", token=CARD_TOKEN)
    agreed(caller, payer_id)
    owed = tell(caller, "complete", **cost(3_000)).json()
    assert owed["collection"]["state"] == "USER_PAYING"
    detail = {"paid_time": "20261123130000"}
    for answer in (
        tell(caller, "pay"),
        tell(caller, "modify", reason="少收", **cost(2_000)),
        tell(caller, "sync", type="Order_Paid", detail=detail),
    ):
        assert refused(answer) == (400, "INVALID_REQUEST")
    assert len(caller.shop.rows("SELECT saga_id FROM saga")) == 1


def test_a_merchant_that_was_paid_elsewhere_says_so(caller: Caller) -> None:
    payer_id = caller.shop.add_payer()
    agreed(caller, payer_id)
    tell(caller, "complete", **cost(3_000))
    detail = {"paid_time": "20261123130000"}
    for _ in range(2):
        done = tell(caller, "sync", type="Order_Paid", detail=detail).json()
        assert (done["state"], done["collection"]["state"]) == ("DONE", "USER_PAID")
    caller.shop.top_up(payer_id, 5_000)
    assert refused(tell(caller, "pay")) == (400, "INVALID_REQUEST")
    assert caller.shop.payer_balance(payer_id) == 5_000


def test_a_service_that_costs_nothing_is_done_at_once(caller: Caller) -> None:
    agreed(caller, caller.shop.add_payer())
    done = tell(caller, "complete", **cost(0)).json()
    assert (done["state"], done["need_collection"]) == ("DONE", False)
    assert "collection" not in done


def test_a_service_is_given_up_before_it_is_completed_and_not_after(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=9_000)
    agreed(caller, payer_id)
    for _ in range(2):
        assert tell(caller, "cancel", reason="用户取消").json()["state"] == "REVOKED"
    assert refused(tell(caller, "complete", **cost(1))) == (400, "INVALID_REQUEST")
    [mandate] = wallet(caller, "GET", "/mandates", payer_id)["mandates"]
    assert mandate["status"] == "terminated"
    caller.ask("POST", ORDERS, asked(caller, "svc-2"))
    confirm(caller, payer_id, query(caller, "svc-2")["order_id"])
    tell(caller, "complete", "svc-2", **cost(1))
    assert refused(tell(caller, "cancel", "svc-2", reason="晚了")) == (400, "INVALID_REQUEST")


def test_a_payer_who_withdraws_is_not_debited_and_still_owes(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=9_000)
    order_id = agreed(caller, payer_id)
    wallet(caller, "POST", f"/mandates/{order_id}/terminate", payer_id)
    owed = tell(caller, "complete", **cost(3_000)).json()
    assert owed["collection"]["state"] == "USER_PAYING"
    assert caller.shop.payer_balance(payer_id) == 9_000
    assert "PAYSCORE.USER_CLOSE_SERVICE" in dict(caller.news())


def test_the_risk_fund_is_the_most(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=50_000)
    agreed(caller, payer_id)
    answer = tell(caller, "complete", **cost(9_901))
    assert answer.json()["detail"]["field"] == "/total_amount"
    assert refused(tell(caller, "complete", **(cost(900) | {"total_amount": 901})))[0] == 400
    fund = {"name": "DEPOSIT", "amount": 20_001}
    answer = caller.ask("POST", ORDERS, asked(caller, "svc-2", risk_fund=fund))
    assert answer.json()["detail"]["field"] == "/risk_fund/amount"
    assert tell(caller, "complete", **cost(9_900)).json()["state"] == "DONE"


def test_an_order_is_agreed_to_within_a_month_and_under_its_own_terms(caller: Caller) -> None:
    payer_id = caller.shop.add_payer()
    open_service(caller)
    made = caller.ask("POST", ORDERS, asked(caller)).json()
    assert caller.ask("POST", ORDERS, asked(caller)).json() == made
    other = asked(caller, service_introduction="别的")
    assert refused(caller.ask("POST", ORDERS, other)) == (400, "INVALID_REQUEST")
    with pytest.raises(CallerError, match="mandate_signature"):
        confirm(caller, payer_id, made["order_id"], limit_payment_minor=1)
    assert refused(tell(caller, "complete", **cost(1))) == (400, "INVALID_REQUEST")
    caller.shop.clock.at_ms += 30 * DAY_MS
    assert query(caller)["state"] == "EXPIRED"
    with pytest.raises(CallerError, match="contract_expired"):
        confirm(caller, payer_id, made["order_id"])


def test_only_what_was_opened_is_there(caller: Caller) -> None:
    open_service(caller)
    assert refused(tell(caller, "cancel", reason="x")) == (404, "ORDER_NOT_EXIST")
    unknown = caller.ask("POST", ORDERS, asked(caller, service_id="7"))
    assert unknown.json()["detail"]["field"] == "/service_id"
    free = asked(caller, need_user_confirm=False, openid="o" * 28)
    assert refused(caller.ask("POST", ORDERS, free)) == (403, "NO_AUTH")
    nobody = asked(caller, need_user_confirm=False)
    assert caller.ask("POST", ORDERS, nobody).json()["detail"]["field"] == "/openid"


def test_a_permission_lets_services_begin_until_it_is_taken_back(caller: Caller) -> None:
    open_service(caller)
    payer_id = caller.shop.add_payer(balance_minor=10_000)
    body = {"appid": caller.made["appid"]}
    openid = wallet(caller, "POST", "/openid", payer_id, body)["openid"]
    wanted = {
        "service_id": SERVICE,
        "appid": caller.made["appid"],
        "authorization_code": "auth-1",
        "notify_url": "https://shop.example/permission",
    }
    made = caller.ask("POST", "/v3/payscore/permissions", wanted).json()
    token = made["apply_permissions_token"]
    target = f"/v3/payscore/permissions/authorization-code/auth-1?service_id={SERVICE}"
    assert refused(caller.ask("GET", target)) == (404, "RESOURCE_NOT_EXISTS")
    shown = wallet(caller, "GET", f"/contracts/{token}", payer_id)
    signed = sign_mandate(MandateText.from_map(shown["text"]), caller.shop.keys[payer_id])
    wallet(caller, "POST", f"/contracts/{token}/sign", payer_id, {"signed": signed.hex()})
    assert caller.ask("GET", target).json()["authorization_state"] == "AVAILABLE"
    for number in ("svc-1", "svc-2"):
        order = asked(caller, number, need_user_confirm=False, openid=openid)
        begun = caller.ask("POST", ORDERS, order).json()
        assert (begun["state_description"], begun["openid"]) == ("USER_CONFIRM", openid)
        assert tell(caller, "complete", number, **cost(1_000)).json()["state"] == "DONE"
    assert caller.shop.payer_balance(payer_id) == 8_000
    # A permission lets services begin: nothing is debited under it without one.
    assert refused(debit(caller, token, 1)) == (400, "INVALID_REQUEST")
    with pytest.raises(CallerError, match="mandate_not_found"):
        confirm(caller, payer_id, begun["order_id"])
    # By the name that another app knows the payer by, nobody is found.
    other = opened(Caller, caller.http, caller.shop, caller.parts)
    body = {"appid": other.made["appid"]}
    strange = wallet(caller, "POST", "/openid", payer_id, body)["openid"]
    path = f"/v3/payscore/permissions/openid/{strange}?service_id={SERVICE}"
    assert refused(caller.ask("GET", path)) == (404, "RESOURCE_NOT_EXISTS")
    by_openid = f"/v3/payscore/permissions/openid/{openid}"
    end = {"service_id": SERVICE, "reason": "停止服务"}
    for _ in range(2):
        assert caller.ask("POST", f"{by_openid}/terminate", end).status_code == 204
    found = caller.ask("GET", f"{by_openid}?service_id={SERVICE}").json()
    assert found["authorization_state"] == "UNAVAILABLE"
    late = asked(caller, "svc-3", need_user_confirm=False, openid=openid)
    assert refused(caller.ask("POST", ORDERS, late)) == (403, "NO_AUTH")
    events = {event for event, _ in caller.news()}
    assert events == {
        "PAYSCORE.USER_OPEN_SERVICE",
        "PAYSCORE.USER_CLOSE_SERVICE",
        "PAYSCORE.USER_PAID",
    }


@pytest.mark.parametrize("state", ServiceState)
@pytest.mark.parametrize("command", ServiceCommand)
def test_every_step_is_in_the_table_or_refused(
    state: ServiceState, command: ServiceCommand
) -> None:
    if (state, command) in TRANSITIONS:
        assert next_state(state, command) is TRANSITIONS[state, command]
    else:
        with pytest.raises(ApiError):
            next_state(state, command)
