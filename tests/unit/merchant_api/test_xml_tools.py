"""Whose code it is, and the sandbox of the older interface."""

import pytest
from wechatpy.pay import WeChatPay

from protocol.paycode import WRONG_CODES_MAX
from tests.support.merchant_caller import Caller, opened
from tests.support.shop import OTHER_MERCHANT
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_orders_and_codes import pay
from tests.unit.merchant_api.test_xml_codes_and_refunds import dressed, micropay
from tests.unit.merchant_api.test_xml_orders import code_of

SIGN_KEYS = ("/sandboxnew/pay/getsignkey", "/xdc/apiv2getsignkey/sign/getsignkey")


@pytest.fixture
def xml(caller: Caller) -> XmlCaller:
    return XmlCaller(caller)


def whose(xml: XmlCaller, code: str) -> dict[str, str]:
    return xml.ask("/tools/authcodetoopenid", auth_code=code)


def test_a_code_tells_its_payer_and_then_pays_that_merchant_alone(xml: XmlCaller) -> None:
    caller = xml.caller
    caller.shop.add_merchant(OTHER_MERCHANT)
    other = XmlCaller(
        opened(Caller, caller.http, caller.shop, caller.parts, merchant_id=OTHER_MERCHANT)
    )
    payer_id = caller.shop.add_payer(balance_minor=5_000)
    code = caller.shop.code(payer_id)
    name = whose(xml, code)["openid"]
    assert whose(xml, code)["openid"] == name
    assert code_of(micropay(other, code)) == code_of(whose(other, code)) == "AUTH_CODE_INVALID"
    assert micropay(xml, code)["openid"] == name
    assert code_of(whose(xml, code)) == "AUTH_CODE_INVALID"  # used
    again = xml.order(trade_type="JSAPI", openid=name, out_trade_no="order-0002")
    assert again["result_code"] == "SUCCESS"  # the app knows the payer now
    late = caller.shop.code(payer_id)
    caller.shop.clock.at_ms += 5 * 60_000
    assert code_of(whose(xml, late)) == "AUTHCODEEXPIRE"
    assert code_of(whose(xml, "123")) == "AUTH_CODE_ERROR"


def test_codes_are_not_guessed_by_asking_whose_they_are(xml: XmlCaller) -> None:
    for number in range(WRONG_CODES_MAX):
        assert code_of(whose(xml, f"13123456789012345{number}")) == "AUTH_CODE_INVALID"
    right = xml.caller.shop.code(xml.caller.shop.add_payer())
    assert code_of(whose(xml, right)) == "FREQUENCY_LIMITED"


def test_who_is_no_sandbox_says_so(xml: XmlCaller) -> None:
    for path in (*SIGN_KEYS, "/sandboxnew/pay/orderquery"):
        answer = xml.ask(path, out_trade_no="order-0001")
        assert (answer["return_code"], answer["err_code"]) == ("FAIL", "NOAUTH")


def test_the_sandbox_has_a_key_of_its_own(sandbox: Caller) -> None:
    real = XmlCaller(sandbox)
    first, second = (real.ask(path)["sandbox_signkey"] for path in SIGN_KEYS)
    assert first == second != real.key
    assert len(first) == 32
    tried = XmlCaller(sandbox, first)
    path = "/sandboxnew/pay/unifiedorder"
    made = tried.order(path)
    assert real.order(path)["err_code"] == tried.order()["err_code"] == "SIGNERROR"
    assert code_of(tried.order(path, out_trade_no="order-0002", total_fee=6_010)) == "RULELIMIT"
    assert code_of(tried.order(path, out_trade_no="order-0003", total_fee=6_004)) == "BANKERROR"
    pay(sandbox, made["code_url"], sandbox.shop.add_payer(balance_minor=5_000))
    [notice] = dressed(tried)
    reader = WeChatPay(sandbox.made["appid"], first, sandbox.made["mchid"])
    assert reader.parse_payment_result(notice)["out_trade_no"] == "order-0001"
    refund = {"out_trade_no": "order-0001", "out_refund_no": "r1", "total_fee": 1_280}
    for path in ("/sandboxnew/secapi/pay/refund", "/sandboxnew/pay/refund"):
        assert tried.ask(path, shown="", refund_fee=300, **refund)["refund_fee"] == "300"
    shown = tried.ask("/xdc/apiv2sandbox/pay/orderquery", out_trade_no="order-0001")
    assert shown["trade_state"] == "REFUND"
