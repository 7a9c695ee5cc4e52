"""Payments by code and refunds by XML, on the engine as it is."""

import asyncio
from typing import Any

import pytest
import xmltodict
from wechatpy.pay import WeChatPay

from backend.notify.repository import CallbackRepository
from tests.support.merchant_caller import Caller
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_orders_and_codes import pay, query
from tests.unit.merchant_api.test_xml_orders import code_of

REFUND = "/secapi/pay/refund"


@pytest.fixture
def xml(caller: Caller) -> XmlCaller:
    return XmlCaller(caller)


def micropay(xml: XmlCaller, code: str, number: str = "order-0001", **changes: Any) -> Any:
    words: dict[str, Any] = {
        "body": "水", "out_trade_no": number, "total_fee": 880, "auth_code": code,
        "spbill_create_ip": "203.0.113.9", "device_info": "till-7",
    }  # fmt: skip
    return xml.ask("/pay/micropay", **words | changes)


def reverse(xml: XmlCaller, **changes: Any) -> Any:
    return xml.ask("/secapi/pay/reverse", **{"out_trade_no": "order-0001"} | changes)


def test_a_code_is_taken_and_the_payment_undone(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=5_000)
    code = xml.caller.shop.code(payer_id)
    found = micropay(xml, code, attach="桌 7")
    assert (found["result_code"], found["trade_type"]) == ("SUCCESS", "MICROPAY")
    wanted = {"total_fee": "880", "cash_fee": "880", "attach": "桌 7", "device_info": "till-7",
              "transaction_id": query(xml.caller)["transaction_id"]}  # fmt: skip
    assert {name: found[name] for name in wanted} == wanted
    assert code_of(micropay(xml, code, attach="桌 7")) == "ORDERPAID"
    assert code_of(micropay(xml, code, "order-0002")) == "AUTH_CODE_INVALID"
    assert code_of(xml.ask("/pay/closeorder", out_trade_no="order-0001")) == "INVALID_REQUEST"
    for _ in range(2):
        assert reverse(xml)["recall"] == "N"
    assert query(xml.caller)["trade_state"] == "REVOKED"
    unknown = reverse(xml, out_trade_no="order-0009")
    assert (code_of(unknown), unknown["recall"]) == ("ORDERNOTEXIST", "N")


def test_a_declined_code_says_why(xml: XmlCaller) -> None:
    poor_id, rich_id = (xml.caller.shop.add_payer(balance_minor=one) for one in (10, 900_000))
    assert code_of(micropay(xml, xml.caller.shop.code(poor_id))) == "NOTENOUGH"
    large = micropay(xml, xml.caller.shop.code(rich_id), "order-0002", total_fee=500_000)
    assert code_of(large) == "USERPAYING"
    late = xml.caller.shop.code(rich_id)
    xml.caller.shop.clock.at_ms += 5 * 60_000
    assert code_of(micropay(xml, late, "order-0003")) == "AUTHCODEEXPIRE"
    assert code_of(micropay(xml, "131234567890123456", "order-0004")) == "AUTH_CODE_INVALID"
    assert code_of(micropay(xml, "2" * 18, "order-0005")) == "AUTH_CODE_INVALID"
    for wrong in ("12345", "x" * 18):
        assert code_of(micropay(xml, wrong, "order-0005")) == "AUTH_CODE_ERROR"


@pytest.mark.parametrize(
    "shown",
    ["", "1900000000/{serial_no}", "{mchid}/0A", "{mchid}/none"],
)
def test_what_gives_money_back_asks_for_the_certificate(xml: XmlCaller, shown: str) -> None:
    other = shown.format(**xml.made)
    assert code_of(reverse(xml, shown=other)) == "CA_ERROR"
    refund = {"out_trade_no": "order-0001", "out_refund_no": "r1", "total_fee": 1, "refund_fee": 1}
    assert code_of(xml.ask(REFUND, shown=other, **refund)) == "CA_ERROR"


def paid(xml: XmlCaller) -> str:
    payer_id = xml.caller.shop.add_payer(balance_minor=5_000)
    pay(xml.caller, xml.order()["code_url"], payer_id)
    return query(xml.caller)["transaction_id"]


def refund(xml: XmlCaller, number: str, fee: int, **changes: Any) -> dict[str, str]:
    words: dict[str, Any] = {"out_trade_no": "order-0001", "out_refund_no": number,
                             "total_fee": 1_280, "refund_fee": fee}  # fmt: skip
    return xml.ask(REFUND, **words | changes)


def test_refunds_in_parts_are_granted_once_each_and_listed(xml: XmlCaller) -> None:
    transaction_id = paid(xml)
    first = refund(xml, "r1", 300)
    assert (first["refund_fee"], first["cash_refund_fee"]) == ("300", "300")
    assert refund(xml, "r1", 300)["refund_id"] == first["refund_id"]
    assert code_of(refund(xml, "r1", 301)) == "OUT_TRADE_NO_USED"
    xml.caller.shop.clock.at_ms += 61_000
    by_id = {"transaction_id": transaction_id, "out_trade_no": None}
    assert refund(xml, "r2", 980, **by_id)["result_code"] == "SUCCESS"
    xml.caller.shop.clock.at_ms += 61_000
    assert code_of(refund(xml, "r3", 1)) in {"INVALID_REQUEST", "TRADE_ERROR"}
    listed = xml.ask("/pay/refundquery", out_trade_no="order-0001")
    wanted = {"total_refund_count": "2", "refund_count": "2", "refund_fee": "1280",
              "out_refund_no_0": "r1", "refund_fee_0": "300", "refund_status_0": "SUCCESS",
              "out_refund_no_1": "r2", "refund_fee_1": "980",
              "refund_account_1": "REFUND_SOURCE_UNSETTLED_FUNDS"}  # fmt: skip
    assert {name: listed[name] for name in wanted} == wanted
    for words in ({"refund_id": first["refund_id"]}, {"out_refund_no": "r1"}):
        one = xml.ask("/pay/refundquery", **words)
        assert (one["refund_count"], one["out_refund_no_0"]) == ("1", "r1")
    second = xml.ask("/pay/refundquery", transaction_id=transaction_id, offset="1")
    assert (second["total_refund_count"], second["refund_count"]) == ("2", "1")
    assert second["out_refund_no_0"] == "r2"
    past = xml.ask("/pay/refundquery", transaction_id=transaction_id, offset="2")
    assert code_of(past) == "REFUNDNOTEXIST"


def test_refunds_that_are_refused_or_unknown(xml: XmlCaller) -> None:
    assert code_of(refund(xml, "r1", 1)) == "ORDERNOTEXIST"
    made = xml.order()
    assert code_of(refund(xml, "r1", 1)) == "TRADE_ERROR"  # not paid yet
    pay(xml.caller, made["code_url"], xml.caller.shop.add_payer(balance_minor=5_000))
    assert code_of(refund(xml, "r1", 1, total_fee=1)) == "PARAM_ERROR"
    assert code_of(refund(xml, "r1", 1_281)) == "INVALID_REQUEST"
    assert code_of(refund(xml, "r1", 1, out_trade_no=None)) == "LACK_PARAMS"
    for words in ({"refund_id": "5" * 29}, {"out_refund_no": "r1"}, {"out_trade_no": "order-0001"}):
        assert code_of(xml.ask("/pay/refundquery", **words)) == "REFUNDNOTEXIST"
    assert code_of(xml.ask("/pay/refundquery")) == "LACK_PARAMS"
    xml.caller.shop.clock.at_ms += 366 * 24 * 3_600_000
    assert code_of(refund(xml, "r1", 1)) == "TRADE_OVERDUE"


def test_what_is_told_is_read_by_wechatpy(xml: XmlCaller) -> None:
    paid(xml)
    assert refund(xml, "r1", 300, notify_url="https://shop.example/refunds")["refund_id"]
    reader = WeChatPay(xml.made["appid"], xml.made["api_v2_key"], xml.made["mchid"])
    payment, refunded = dressed(xml)
    news = reader.parse_payment_result(payment)
    assert (news["out_trade_no"], news["cash_fee"]) == ("order-0001", 1_280)
    told = reader.parse_refund_notify_result(refunded)
    assert (told["out_refund_no"], told["refund_status"]) == ("r1", "SUCCESS")
    assert (told["refund_fee"], told["total_fee"]) == (300, 1_280)
    assert b"<out_refund_no>" not in refunded


def test_a_notice_is_signed_as_its_orders_call(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=5_000)
    pay(xml.caller, xml.order(sign_type="HMAC-SHA256")["code_url"], payer_id)
    [body] = dressed(xml)
    fields = xmltodict.parse(body)["xml"]
    sign = fields.pop("sign")
    assert (fields["sign_type"], sign) == ("HMAC-SHA256", xml.signature(fields))


def test_only_xml_that_says_success_has_taken_a_notice(xml: XmlCaller) -> None:
    form = xml.caller.parts.forms["v2"]
    assert form.is_taken({}, b"<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>")
    for answer in (b"", b"success", b"<xml><return_code>FAIL</return_code></xml>", b"<xml/>"):
        assert not form.is_taken({}, answer)


def dressed(xml: XmlCaller, form: str = "") -> list[bytes]:
    """What waits for the merchant's server in this form, dressed for its way; none: in any."""
    repository = CallbackRepository(xml.caller.shop.reader)
    bodies = []
    for due in repository.due(xml.caller.shop.clock.at_ms):
        row = repository.callback(due["callback_id"])
        assert row is not None
        if form in {"", row["form"]}:
            dress = xml.caller.parts.forms[row["form"]].dress
            bodies.append((row["event_type"], asyncio.run(dress(row))[0]))
    return [body for _, body in sorted(bodies)]
