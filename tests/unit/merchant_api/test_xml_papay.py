"""Contracts and their debits by XML: those that the newer interface has proposed."""

from typing import Any

import pytest
import xmltodict
from wechatpy.pay import WeChatPay

from tests.support.merchant_caller import Caller
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_papay import PLAN, add_plan, sign, signed_contract
from tests.unit.merchant_api.test_xml_codes_and_refunds import dressed
from tests.unit.merchant_api.test_xml_orders import code_of

QUERY, END = "/papay/querycontract", "/papay/deletecontract"
BY_CODE: dict[str, Any] = {"plan_id": PLAN, "contract_code": "code-1", "nonce_str": None}


@pytest.fixture
def xml(caller: Caller) -> XmlCaller:
    return XmlCaller(caller)


def debit(xml: XmlCaller, contract_id: str, total: int, number: str = "debit-0001") -> Any:
    return xml.ask(
        "/pay/pappayapply",
        body="十二月会员费",
        out_trade_no=number,
        total_fee=total,
        trade_type="PAP",
        contract_id=contract_id,
        notify_url="https://shop.example/debit",
    )


def state(xml: XmlCaller, number: str = "debit-0001") -> dict[str, str]:
    return xml.ask("/pay/paporderquery", out_trade_no=number)


def test_a_contract_is_debited_and_ended(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=2_000)
    contract_id = signed_contract(xml.caller, payer_id)
    for words in ({"contract_id": contract_id, "nonce_str": None}, BY_CODE):
        shown = xml.ask(QUERY, version="1.0", **words)
        assert (shown["contract_id"], shown["contract_state"]) == (contract_id, "0")
        assert (shown["plan_id"], shown["contract_code"]) == (str(PLAN), "code-1")
    assert debit(xml, contract_id, 1_800)["result_code"] == "SUCCESS"
    found = state(xml)
    assert (found["trade_state"], found["trade_type"]) == ("SUCCESS", "PAP")
    assert debit(xml, contract_id, 1_000, "debit-0002")["result_code"] == "SUCCESS"
    assert state(xml, "debit-0002")["trade_state"] == "PAYERROR"  # 200 are left
    ended = xml.ask(END, contract_termination_remark="不再需要", **BY_CODE)
    assert ended["contract_id"] == contract_id
    over = xml.ask(QUERY, **BY_CODE)
    assert (over["contract_state"], over["contract_termination_remark"]) == ("1", "不再需要")
    assert code_of(debit(xml, contract_id, 100, "debit-0003")) == "INVALID_REQUEST"
    assert xml.caller.shop.payer_balance(payer_id) == 200


def test_what_became_of_a_debit_is_told(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=2_000)
    contract_id = signed_contract(xml.caller, payer_id)
    for number, total in ((1, 1_800), (2, 1_000)):
        debit(xml, contract_id, total, f"debit-000{number}")
    reader = WeChatPay(xml.made["appid"], xml.key, xml.made["mchid"])
    told = [reader.parse_payment_result(body) for body in dressed(xml, form="v2")]
    news = {one["out_trade_no"]: one for one in told}
    assert news["debit-0001"]["contract_id"] == contract_id
    assert (news["debit-0001"]["result_code"], news["debit-0001"]["total_fee"]) == (
        "SUCCESS",
        1_800,
    )
    assert (news["debit-0002"]["result_code"], news["debit-0002"]["total_fee"]) == ("FAIL", 1_000)
    assert news["debit-0002"]["err_code"] == "NOTENOUGH"


def proposal(xml: XmlCaller, **changes: Any) -> dict[str, Any]:
    return {
        "appid": xml.made["appid"],
        "mch_id": xml.made["mchid"],
        "plan_id": str(PLAN),
        "contract_code": "code-1",
        "request_serial": "1695",
        "contract_display_account": "李雷",
        "notify_url": "https://shop.example/contract",
        "version": "1.0",
        "timestamp": "1414488825",
    } | changes


def test_a_link_leads_to_the_page_that_opens_the_proposal(xml: XmlCaller) -> None:
    add_plan(xml.caller)
    query = proposal(xml)
    http, path = xml.caller.http, "/papay/entrustweb"
    signed = query | {"sign": xml.signature(query)}
    found = http.get(path, params=signed, follow_redirects=False)
    assert found.status_code == 302
    made = xml.ask("/papay/preentrustweb", nonce_str=None, **proposal(xml))
    contract_id = made["pre_entrustweb_id"]
    assert found.headers["location"].endswith(f"?pre_entrustweb_id={contract_id}")
    forged = http.get(path, params=signed | {"plan_id": "124"}, follow_redirects=False)
    assert "SIGNERROR" in forged.text
    wrong = xml.ask(
        "/papay/preentrustweb", nonce_str=None, **proposal(xml, plan_id="7", contract_code="code-2")
    )
    assert code_of(wrong) == "PARAM_ERROR"
    sign(xml.caller, xml.caller.shop.add_payer(), contract_id)
    xml.ask(END, contract_termination_remark="不再需要", **BY_CODE)
    told = [xmltodict.parse(body)["xml"] for body in dressed(xml, form="v2")]
    assert {(one["change_type"], one["contract_id"]) for one in told} == {
        ("ADD", contract_id),
        ("DELETE", contract_id),
    }
    for one in told:
        assert one.pop("sign") == xml.signature(one)


def test_contracts_that_are_none(xml: XmlCaller) -> None:
    assert code_of(xml.ask(QUERY, **BY_CODE)) == "CONTRACT_NOT_EXIST"
    assert code_of(xml.ask(QUERY, contract_id="mdt_1")) == "CONTRACT_NOT_EXIST"
    assert code_of(xml.ask(QUERY, plan_id=PLAN)) == "LACK_PARAMS"
    assert code_of(xml.ask(END, **BY_CODE)) == "LACK_PARAMS"
    assert code_of(debit(xml, "mdt_1", 100)) in {"CONTRACT_NOT_EXIST", "INVALID_REQUEST"}
    assert (
        code_of(xml.ask("/pay/orderquery", out_trade_no="o-1234", nonce_str=None)) == "LACK_PARAMS"
    )
