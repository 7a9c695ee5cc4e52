"""Service providers by XML: the same appointments, the same money, as by the newer interface."""

import pytest
import xmltodict
from wechatpy.pay import WeChatPay

from backend.ledger.chart import merchant_pending
from tests.support.merchant_caller import Caller, opened
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_orders_and_codes import opened as page_of
from tests.unit.merchant_api.test_orders_and_codes import pay
from tests.unit.merchant_api.test_partners import SHOP, bind, openid, query
from tests.unit.merchant_api.test_xml_codes_and_refunds import dressed, micropay, refund
from tests.unit.merchant_api.test_xml_orders import code_of
from tests.unit.merchant_api.test_xml_red_packets import give


@pytest.fixture
def sub(caller: Caller) -> Caller:
    """A merchant that the caller may act for."""
    caller.shop.add_merchant(SHOP)
    found = opened(Caller, caller.http, caller.shop, caller.parts, SHOP)
    bind(caller, found)
    return found


def test_a_provider_sells_for_its_merchant_and_gives_back(caller: Caller, sub: Caller) -> None:
    xml, payer_id = XmlCaller(caller), caller.shop.add_payer(balance_minor=5_000)
    acts = {"sub_mch_id": sub.made["mchid"]}
    made = xml.order(**acts)
    assert code_of(xml.order()) == "OUT_TRADE_NO_USED"  # its own would be another order
    pay(caller, made["code_url"], payer_id)
    pending = merchant_pending(SHOP, "CNY")
    assert caller.shop.balance(pending) == 1_280 - 8
    found = xml.ask("/pay/orderquery", out_trade_no="order-0001", **acts)
    assert (found["trade_state"], found["sub_mch_id"]) == ("SUCCESS", sub.made["mchid"])
    assert found["transaction_id"] == query(caller, sub)["transaction_id"]
    assert code_of(xml.ask("/pay/orderquery", out_trade_no="order-0001")) == "ORDERNOTEXIST"
    assert refund(xml, "r1", 1_280, notify_url="https://shop.example/r", **acts)["refund_id"]
    listed = xml.ask("/pay/refundquery", out_trade_no="order-0001", **acts)
    assert listed["refund_count"] == "1"
    assert code_of(xml.ask("/pay/refundquery", out_trade_no="order-0001")) == "ORDERNOTEXIST"
    assert code_of(xml.ask("/pay/refundquery", out_refund_no="r1")) == "REFUNDNOTEXIST"
    payment, refunded = dressed(xml)
    assert xmltodict.parse(payment)["xml"]["sub_mch_id"] == sub.made["mchid"]
    reader = WeChatPay(caller.made["appid"], xml.key, caller.made["mchid"])
    assert reader.parse_payment_result(payment)["out_trade_no"] == "order-0001"
    assert reader.parse_refund_notify_result(refunded)["refund_fee"] == 1_280
    assert xmltodict.parse(refunded)["xml"]["sub_mch_id"] == sub.made["mchid"]


def test_codes_and_pages_for_a_merchant(caller: Caller, sub: Caller) -> None:
    xml, payer_id = XmlCaller(caller), caller.shop.add_payer(balance_minor=5_000)
    acts = {"sub_mch_id": sub.made["mchid"], "sub_appid": sub.made["appid"]}
    paid = micropay(xml, caller.shop.code(payer_id), **acts)
    assert paid["sub_openid"] == openid(caller, sub.made["appid"], payer_id) != paid["openid"]
    undone = xml.ask("/secapi/pay/reverse", out_trade_no="order-0001", **acts)
    assert undone["recall"] == "N"
    page = {"trade_type": "JSAPI", "out_trade_no": "order-0002"}
    names = {"sub_openid": paid["sub_openid"]}
    assert code_of(xml.order(sub_mch_id=sub.made["mchid"], **page, **names)) == "LACK_PARAMS"
    made = xml.order(**page, **names, **acts)
    assert pay(caller, page_of(made["prepay_id"]), payer_id)["state"] == "captured"
    assert code_of(give(xml, paid["openid"], **acts)) == "NOAUTH"


def test_who_is_not_appointed_acts_for_nobody(caller: Caller, sub: Caller) -> None:
    xml, acts = XmlCaller(caller), {"sub_mch_id": sub.made["mchid"]}
    assert code_of(XmlCaller(sub).order(sub_mch_id=caller.made["mchid"])) == "NOAUTH"
    assert code_of(xml.order(sub_appid="wx0", **acts)) == "APPID_MCHID_NOT_MATCH"
    bind(caller, sub, is_on=False)
    assert code_of(xml.order(**acts)) == "NOAUTH"


def test_a_provider_does_not_see_what_its_merchant_earns(caller: Caller, sub: Caller) -> None:
    asked = {"bill_date": "20261124", "account_type": "Basic", "sign_type": "HMAC-SHA256"}
    found = XmlCaller(caller).ask("/pay/downloadfundflow", sub_mch_id=sub.made["mchid"], **asked)
    assert code_of(found) == "NOAUTH"
