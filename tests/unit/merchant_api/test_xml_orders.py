"""Orders by XML: the same orders as the newer interface's, told in the older words."""

from typing import Any

import pytest
from wechatpy.pay.utils import calculate_signature, dict_to_xml

from tests.support.merchant_caller import BODY_BYTES_MAX, Caller
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_orders_and_codes import opened, openid, pay, query


@pytest.fixture
def xml(caller: Caller) -> XmlCaller:
    return XmlCaller(caller)


@pytest.fixture(scope="module")
def stranger_xml(stranger: Caller) -> XmlCaller:
    """For calls that are refused: they leave nothing behind."""
    return XmlCaller(stranger)


def code_of(answer: dict[str, str]) -> str:
    assert (answer.get("result_code") or "FAIL") == "FAIL"
    return answer["err_code"]


def test_an_order_by_xml_is_the_order_that_the_newer_interface_sees(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=5_000)
    made = xml.order(device_info="till-7", attach="桌 7")
    assert (made["result_code"], made["trade_type"]) == ("SUCCESS", "NATIVE")
    before = xml.ask("/pay/orderquery", out_trade_no="order-0001")
    assert before["trade_state"] == "NOTPAY"
    assert "transaction_id" not in before
    assert pay(xml.caller, made["code_url"], payer_id)["state"] == "captured"
    after = xml.ask("/pay/orderquery", out_trade_no="order-0001")
    newer = query(xml.caller)
    assert after["transaction_id"] == newer["transaction_id"]
    assert after["time_end"] == "".join(filter(str.isdecimal, newer["success_time"][:19]))
    wanted = {"trade_state": "SUCCESS", "total_fee": "1280", "cash_fee": "1280",
              "attach": "桌 7", "device_info": "till-7", "is_subscribe": "N"}  # fmt: skip
    assert {name: after[name] for name in wanted} == wanted
    by_id = xml.ask("/pay/orderquery", transaction_id=after["transaction_id"])
    assert by_id["out_trade_no"] == "order-0001"


def test_orders_by_every_way(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=5_000)
    name = openid(xml.caller, payer_id)
    made = xml.order(trade_type="JSAPI", openid=name)
    pay(xml.caller, opened(made["prepay_id"]), payer_id)
    assert xml.ask("/pay/orderquery", out_trade_no="order-0001")["openid"] == name
    made = xml.order(trade_type="APP", out_trade_no="order-0002")
    assert pay(xml.caller, opened(made["prepay_id"]), payer_id)["state"] == "captured"
    scene = '{"h5_info": {"type": "Wap"}}'
    made = xml.order(trade_type="MWEB", out_trade_no="order-0003", scene_info=scene)
    assert f"prepay_id={made['prepay_id']}" in made["mweb_url"]
    assert "code_url" not in made


def test_a_number_means_one_content(xml: XmlCaller) -> None:
    payer_id = xml.caller.shop.add_payer(balance_minor=5_000)
    made = xml.order()
    assert xml.order(nonce_str="another")["code_url"] == made["code_url"]
    assert code_of(xml.order(total_fee=1)) == "OUT_TRADE_NO_USED"
    pay(xml.caller, made["code_url"], payer_id)
    assert code_of(xml.order()) == "ORDERPAID"
    assert code_of(xml.ask("/pay/closeorder", out_trade_no="order-0001")) == "ORDERPAID"


def test_an_order_is_closed_once(xml: XmlCaller) -> None:
    xml.order(sign_type="HMAC-SHA256")
    close = {"out_trade_no": "order-0001", "sign_type": "HMAC-SHA256"}
    assert xml.ask("/pay/closeorder", **close)["result_code"] == "SUCCESS"
    assert code_of(xml.ask("/pay/closeorder", **close)) == "ORDERCLOSED"
    assert code_of(xml.order(sign_type="HMAC-SHA256")) == "ORDERCLOSED"
    shown = xml.ask("/pay/orderquery", out_trade_no="order-0001")
    assert shown["trade_state"] == "CLOSED"
    assert query(xml.caller)["trade_state"] == "CLOSED"


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"total_fee": None}, "LACK_PARAMS", "total_fee"),
        ({"body": None}, "LACK_PARAMS", "body"),
        ({"trade_type": "JSAPI"}, "LACK_PARAMS", "openid"),
        ({"trade_type": "MWEB"}, "LACK_PARAMS", "scene_info"),
        ({"trade_type": "JSAPI", "openid": "o" * 28}, "PARAM_ERROR", "openid"),
        ({"trade_type": "CASH"}, "PARAM_ERROR", "trade_type"),
        ({"total_fee": "0"}, "PARAM_ERROR", "total_fee"),
        ({"total_fee": "12.80"}, "PARAM_ERROR", "total_fee"),
        ({"total_fee": "-1"}, "PARAM_ERROR", "total_fee"),
        ({"total_fee": "9" * 40}, "PARAM_ERROR", "total_fee"),
        ({"total_fee": "１２"}, "PARAM_ERROR", "total_fee"),
        ({"fee_type": "USD"}, "PARAM_ERROR", "fee_type"),
        ({"out_trade_no": "x" * 33}, "PARAM_ERROR", "out_trade_no"),
        ({"notify_url": "ftp://shop.example/"}, "PARAM_ERROR", "notify_url"),
        ({"time_expire": "20261123"}, "PARAM_ERROR", "time_expire"),
        ({"time_expire": "20261399000000"}, "PARAM_ERROR", "time_expire"),
        ({"time_expire": "20200101000000"}, "PARAM_ERROR", "time_expire"),
        ({"scene_info": "{"}, "PARAM_ERROR", "scene_info"),
        ({"detail": "[1]"}, "PARAM_ERROR", "detail"),
        ({"appid": None}, "LACK_PARAMS", "appid"),
        ({"appid": "wx0"}, "APPID_MCHID_NOT_MATCH", ""),
        ({"sub_mch_id": "1900000109"}, "NOAUTH", ""),
    ],
)
def test_a_field_that_is_wrong_is_named(
    stranger_xml: XmlCaller, changes: dict[str, Any], code: str, named: str
) -> None:
    answer = stranger_xml.order(**changes)
    assert answer["return_code"] == "SUCCESS"
    assert code_of(answer) == code
    assert named in answer["err_code_des"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sign": "0" * 32}, "SIGNERROR"),
        ({"sign": "é"}, "SIGNERROR"),
        ({"sign_type": "SHA1"}, "SIGNERROR"),
        ({"mch_id": "1900000000"}, "MCHID_NOT_EXIST"),
        ({"mch_id": None}, "LACK_PARAMS"),
        ({"nonce_str": None}, "LACK_PARAMS"),
        ({"nonce_str": "n" * 65}, "PARAM_ERROR"),
    ],
)
def test_a_call_that_proves_nothing_is_answered_unsigned(
    stranger_xml: XmlCaller, changes: dict[str, Any], code: str
) -> None:
    answer = stranger_xml.order(**changes)
    assert (answer["return_code"], answer["err_code"]) == ("FAIL", code)
    assert answer["return_msg"]
    assert "sign" not in answer


def test_what_was_signed_is_what_came(stranger_xml: XmlCaller) -> None:
    own = {"appid": stranger_xml.made["appid"], "mch_id": stranger_xml.made["mchid"],
           "nonce_str": "n", "out_trade_no": "order-0001"}  # fmt: skip
    sign = calculate_signature(own, stranger_xml.made["api_v2_key"])
    changed = dict_to_xml(own | {"out_trade_no": "order-0002"}, sign).encode()
    assert stranger_xml.send("/pay/orderquery", changed)["err_code"] == "SIGNERROR"
    empty = dict_to_xml(own | {"attach": ""}, sign).encode()
    assert stranger_xml.send("/pay/orderquery", empty)["err_code"] == "ORDERNOTEXIST"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "POST_DATA_EMPTY"),
        (b"{}", "XML_FORMAT_ERROR"),
        (b'<!DOCTYPE xml [<!ENTITY a "1">]><xml><a>&a;</a></xml>', "XML_FORMAT_ERROR"),
        ("<xml><a>咖</a></xml>".encode("gbk"), "NOT_UTF8"),
    ],
)
def test_a_body_that_is_none(stranger_xml: XmlCaller, body: bytes, code: str) -> None:
    answer = stranger_xml.send("/pay/orderquery", body)
    assert (answer["return_code"], answer["err_code"]) == ("FAIL", code)


def test_a_body_that_is_too_large_and_another_method(stranger_xml: XmlCaller) -> None:
    large = stranger_xml.send("/pay/orderquery", b" " * (BODY_BYTES_MAX + 1))
    assert (large["return_code"], large["err_code"]) == ("FAIL", "PARAM_ERROR")
    answer = stranger_xml.send("/pay/orderquery", b"", method="GET")
    assert answer["err_code"] == "REQUIRE_POST_METHOD"


def test_orders_that_are_unknown(stranger_xml: XmlCaller) -> None:
    for wanted in ({"out_trade_no": "order-0001"}, {"transaction_id": "4" * 28}):
        assert code_of(stranger_xml.ask("/pay/orderquery", **wanted)) == "ORDERNOTEXIST"
    answer = stranger_xml.ask("/pay/closeorder", out_trade_no="order-0001")
    assert code_of(answer) == "ORDERNOTEXIST"
    assert code_of(stranger_xml.ask("/pay/orderquery")) == "LACK_PARAMS"
