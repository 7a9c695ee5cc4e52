"""Contracts: proposed, signed in the wallet, announced, debited, ended by either side."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.channels.model import ChannelAnswer
from backend.payments.by_channel import ResolvePayment
from backend.sagas.model import Ask
from backend.sagas.ports import Word
from backend.sagas.service import ClaimSagas
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText, sign_mandate
from tests.support.channel_world import CARD_TOKEN
from tests.support.merchant_caller import Caller, caller_of
from tests.support.shop import Shop
from tests.support.wallet_http import OPERATOR

SIGN = "/v3/papay/sign/contracts/pre-entrust-sign"
APPLY = "/v3/papay/pay/transactions/apply"
CONTRACT = "/v3/papay/sign/contracts/plan-id/{}/out-contract-code/{}"
NEWS = "https://shop.example/contract"
PLAN = 12_535
HOUR_MS = 3_600_000


def plan(caller: Caller, **changes: Any) -> dict[str, Any]:
    """The terms: 50 yuan a payment, 80 a day, 100 a month; a day's notice above 20."""
    return {
        "plan_id": PLAN,
        "mchid": caller.made["mchid"],
        "name": "连续包月会员",
        "limit_payment_minor": 5_000,
        "limit_day_minor": 8_000,
        "limit_month_minor": 10_000,
        "notice_hours": 24,
        "notice_above_minor": 2_000,
        "valid_days": 90,
    } | changes


def add_plan(caller: Caller, **changes: Any) -> Any:
    wanted = plan(caller, **changes)
    return caller.http.post("/operator/v1/merchant-api/plans", json=wanted, headers=OPERATOR)


def contract(caller: Caller, code: str = "code-1", **changes: Any) -> dict[str, Any]:
    return {
        "sign_scene": "SIGN_SCENE_QRCODE",
        "appid": caller.made["appid"],
        "plan_id": PLAN,
        "out_contract_code": code,
        "contract_display_account": "李雷的会员",
        "contract_notify_url": NEWS,
        "out_user_code": "u1",
    } | changes


def wallet(caller: Caller, method: str, path: str, payer_id: str, body: object = None) -> Any:
    heads = {"authorization": f"Bearer token of {payer_id}"}
    return caller.http.request(method, f"/wallet/v1{path}", json=body, headers=heads)


def sign(caller: Caller, payer_id: str, contract_id: str, **changes: Any) -> Any:
    """What the payer's wallet does: looks, signs the very text."""
    shown = wallet(caller, "GET", f"/contracts/{contract_id}", payer_id).json()
    text = MandateText.from_map(shown["text"] | changes)
    signed = sign_mandate(text, caller.shop.keys[payer_id]).hex()
    path = f"/contracts/{contract_id}/sign"
    return wallet(caller, "POST", path, payer_id, {"signed": signed})


def signed_contract(caller: Caller, payer_id: str) -> str:
    assert add_plan(caller).status_code == 201
    made = caller.ask("POST", SIGN, contract(caller)).json()
    contract_id = str(made["pre_entrustweb_id"])
    assert sign(caller, payer_id, contract_id).status_code == 200
    return contract_id


def debit(caller: Caller, contract_id: str, total: int, number: str = "debit-0001") -> Any:
    body = {
        "appid": caller.made["appid"],
        "out_trade_no": number,
        "description": "十二月会员费",
        "transaction_notify_url": "https://shop.example/debit",
        "contract_id": contract_id,
        "amount": {"total": total},
    }
    return caller.ask("POST", APPLY, body)


def announce(caller: Caller, contract_id: str, amount: int) -> Any:
    body = {
        "mchid": caller.made["mchid"],
        "appid": caller.made["appid"],
        "estimated_amount": {"amount": amount, "currency": "CNY"},
    }
    return caller.ask("POST", f"/v3/papay/contracts/{contract_id}/notify", body)


def state(caller: Caller, number: str = "debit-0001") -> str:
    target = f"/v3/papay/pay/transactions/out-trade-no/{number}?mchid={caller.made['mchid']}"
    return str(caller.ask("GET", target).json()["trade_state"])


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def on_both(migrated_url: str) -> Iterator[Caller]:
    """A caller on each of the two databases."""
    shop = Shop(migrated_url)
    shop.add_merchant()
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch) as found:
        yield found
    shop.close()


def test_a_contract_is_signed_debited_and_ended_by_its_payer(on_both: Caller) -> None:
    caller = on_both
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    contract_id = signed_contract(caller, payer_id)
    target = CONTRACT.format(PLAN, "code-1")
    shown = caller.ask("GET", target).json()
    assert (shown["contract_state"], shown["contract_id"]) == ("SIGNED", contract_id)
    assert debit(caller, contract_id, 1_800).json()["out_trade_no"] == "debit-0001"
    assert state(caller) == "SUCCESS"
    assert caller.shop.payer_balance(payer_id) == 3_200
    listed = wallet(caller, "GET", "/contracts", payer_id).json()["contracts"]
    assert [(one["plan_name"], one["state"]) for one in listed] == [("连续包月会员", "active")]
    wallet(caller, "POST", f"/mandates/{contract_id}/terminate", payer_id)
    assert refused(debit(caller, contract_id, 100, "debit-0002")) == (400, "INVALID_REQUEST")
    ended = caller.ask("GET", target).json()
    assert ended["contract_state"] == "TERMINATED"
    assert ended["contract_terminate_info"]["contract_termination_mode"] == "2"
    told = dict(caller.news())
    assert told.keys() == {"PAPAY.SIGN", "TRANSACTION.SUCCESS", "PAPAY.TERMINATE"}
    assert told["PAPAY.SIGN"]["openid"] == shown["openid"]
    assert told["TRANSACTION.SUCCESS"]["trade_type"] == "AUTH"


def test_the_merchant_ends_it_once(caller: Caller) -> None:
    contract_id = signed_contract(caller, caller.shop.add_payer())
    target = CONTRACT.format(PLAN, "code-1")
    for remark in ("套餐停售", "另一个原因"):
        body = {"contract_termination_remark": remark}
        assert caller.ask("POST", f"{target}/terminate", body).status_code == 204
    info = caller.ask("GET", target).json()["contract_terminate_info"]
    assert (info["contract_termination_mode"], info["contract_termination_remark"]) == (
        "3",
        "套餐停售",
    )
    assert sorted(event for event, _ in caller.news()) == ["PAPAY.SIGN", "PAPAY.TERMINATE"]
    assert refused(announce(caller, contract_id, 3_000)) == (400, "INVALID_REQUEST")


def test_a_larger_debit_is_announced_a_day_before(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=50_000)
    contract_id = signed_contract(caller, payer_id)
    assert refused(debit(caller, contract_id, 2_001)) == (400, "INVALID_REQUEST")
    for _ in range(2):
        assert announce(caller, contract_id, 3_000).status_code == 204
    notices = wallet(caller, "GET", "/notices", payer_id).json()["notices"]
    assert [one["amount_minor"] for one in notices] == [3_000]
    assert refused(debit(caller, contract_id, 3_000)) == (400, "INVALID_REQUEST")
    caller.shop.clock.at_ms += 24 * HOUR_MS
    # What was refused has left nothing behind: the number is free.
    assert debit(caller, contract_id, 3_000).status_code == 200
    assert state(caller) == "SUCCESS"
    assert refused(debit(caller, contract_id, 3_000, "debit-0002")) == (400, "INVALID_REQUEST")
    assert refused(announce(caller, contract_id, 5_001)) == (403, "RULE_LIMIT")


def test_the_same_amount_on_a_day_of_the_shop_s_is_one_notice(caller: Caller) -> None:
    """Also at eight in the morning, where another day begins in Greenwich."""
    payer_id = caller.shop.add_payer(balance_minor=50_000)
    contract_id = signed_contract(caller, payer_id)
    caller.shop.clock.at_ms += 12 * HOUR_MS  # midnight
    for _ in range(24):
        assert announce(caller, contract_id, 3_000).status_code == 204
        caller.shop.clock.at_ms += HOUR_MS - 1
    assert len(wallet(caller, "GET", "/notices", payer_id).json()["notices"]) == 1
    caller.shop.clock.at_ms += HOUR_MS
    assert announce(caller, contract_id, 3_000).status_code == 204
    assert len(wallet(caller, "GET", "/notices", payer_id).json()["notices"]) == 2


def test_a_payer_refuses_an_announced_debit(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=50_000)
    contract_id = signed_contract(caller, payer_id)
    announce(caller, contract_id, 3_000)
    [notice] = wallet(caller, "GET", "/notices", payer_id).json()["notices"]
    wallet(caller, "POST", f"/notices/{notice['notice_id']}/refuse", payer_id)
    assert refused(announce(caller, contract_id, 3_000)) == (400, "INVALID_REQUEST")
    caller.shop.clock.at_ms += 24 * HOUR_MS
    assert refused(debit(caller, contract_id, 3_000)) == (400, "INVALID_REQUEST")


def test_the_limits_of_payment_day_and_month_hold(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=50_000)
    contract_id = signed_contract(caller, payer_id)
    assert refused(debit(caller, contract_id, 5_001)) == (403, "RULE_LIMIT")
    for number in range(4):
        assert debit(caller, contract_id, 2_000, f"debit-000{number}").status_code == 200
    assert refused(debit(caller, contract_id, 1, "debit-0005")) == (403, "RULE_LIMIT")
    caller.shop.clock.at_ms += 24 * HOUR_MS
    assert debit(caller, contract_id, 2_000, "debit-0006").status_code == 200
    month = debit(caller, contract_id, 1, "debit-0007")
    assert refused(month) == (403, "RULE_LIMIT")
    assert "单月" in month.json()["message"]


def test_a_debit_that_the_payer_cannot_pay_is_accepted_and_told(caller: Caller) -> None:
    payer_id = caller.shop.add_payer(balance_minor=1_000)
    contract_id = signed_contract(caller, payer_id)
    first = debit(caller, contract_id, 1_500)
    assert (first.status_code, state(caller)) == (200, "PAYERROR")
    assert debit(caller, contract_id, 1_500).json() == first.json()
    told = dict(caller.news())["TRANSACTION.FAIL"]
    assert told["trade_state"] == "PAYERROR"
    assert "transaction_id" not in told
    assert debit(caller, contract_id, 900, "debit-0002").status_code == 200
    assert caller.shop.payer_balance(payer_id) == 100


def test_a_debit_that_the_bank_declines_later_is_told_and_counts_no_more(caller: Caller) -> None:
    payer_id = caller.shop.add_payer()
    caller.shop.add_instrument(payer_id, "card", token=CARD_TOKEN)
    contract_id = signed_contract(caller, payer_id)
    assert debit(caller, contract_id, 2_000).status_code == 200
    assert state(caller) == "USERPAYING"
    [saga] = caller.shop.rows("SELECT saga_id, planned_date FROM saga")
    caller.shop.do(ClaimSagas(saga_ids=(saga["saga_id"],)))
    answer = ChannelAnswer(saga["saga_id"], "refused", "AM04", "", saga["planned_date"])
    word = Word(ask=Ask.SEND, answer=answer)
    rules = caller.shop.rules
    caller.shop.do(ResolvePayment(saga_id=saga["saga_id"], word=word, rules=rules))
    assert state(caller) == "PAYERROR"
    assert dict(caller.news())["TRANSACTION.FAIL"]["out_trade_no"] == "debit-0001"
    [mandate] = caller.shop.rows("SELECT spent_minor FROM mandate")
    assert mandate["spent_minor"] == 0


def test_a_code_means_one_content_until_it_is_signed(caller: Caller) -> None:
    payer_id = caller.shop.add_payer()
    add_plan(caller)
    made = caller.ask("POST", SIGN, contract(caller)).json()
    assert caller.ask("POST", SIGN, contract(caller)).json() == made
    other = contract(caller, contract_display_account="另一个")
    assert refused(caller.ask("POST", SIGN, other)) == (400, "INVALID_REQUEST")
    target = CONTRACT.format(PLAN, "code-1")
    assert refused(caller.ask("GET", target)) == (404, "RESOURCE_NOT_EXISTS")
    contract_id = made["pre_entrustweb_id"]
    assert refused(debit(caller, contract_id, 100)) == (404, "RESOURCE_NOT_EXISTS")
    caller.shop.clock.at_ms += 2 * HOUR_MS
    with pytest.raises(CallerError, match="contract_expired"):
        sign(caller, payer_id, contract_id)
    caller.ask("POST", SIGN, contract(caller))
    for _ in range(2):
        assert sign(caller, payer_id, contract_id).status_code == 200
    assert refused(caller.ask("POST", SIGN, contract(caller))) == (400, "INVALID_REQUEST")


def test_the_payer_signs_the_plans_terms_and_no_other(caller: Caller) -> None:
    payer_id, other_id = caller.shop.add_payer(), caller.shop.add_payer()
    add_plan(caller)
    body = {"appid": caller.made["appid"]}
    openid = wallet(caller, "POST", "/openid", payer_id, body).json()["openid"]
    made = caller.ask("POST", SIGN, contract(caller, openid=openid)).json()
    contract_id = made["pre_entrustweb_id"]
    with pytest.raises(CallerError, match="mandate_signature"):
        sign(caller, payer_id, contract_id, limit_payment_minor=1)
    with pytest.raises(CallerError, match="mandate_not_found"):
        wallet(caller, "GET", f"/contracts/{contract_id}", other_id)
    assert sign(caller, payer_id, contract_id).status_code == 200


def test_contracts_are_their_merchants_own(caller: Caller) -> None:
    assert add_plan(caller).status_code == 201
    assert add_plan(caller).status_code == 201
    with pytest.raises(CallerError, match="idempotency_conflict"):
        add_plan(caller, name="别的")
    unknown = caller.ask("POST", SIGN, contract(caller, plan_id=99))
    assert refused(unknown) == (400, "PARAM_ERROR")
    assert unknown.json()["detail"]["field"] == "/plan_id"
    app = caller.ask("POST", SIGN, contract(caller, sign_scene="SIGN_SCENE_APP")).json()
    assert app["mini_program_path"].endswith(app["pre_entrustweb_id"])


@pytest.mark.parametrize(
    "changes",
    [
        {"limit_payment_minor": 9_000},
        {"limit_day_minor": 10_001},
        {"notice_hours": None},
        {"valid_days": 0},
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(
    stranger: Caller, changes: dict[str, Any]
) -> None:
    assert add_plan(stranger, **changes).status_code == 422
