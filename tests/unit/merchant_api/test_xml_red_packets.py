"""Red packets that a merchant's program gives: of settled money, to one payer, once a number."""

import asyncio
from typing import Any

import pytest

from backend.bills.repository import BillRepository
from backend.merchant_api.bills.repository import ProgramNames
from backend.payments.expiry import expire_red_packets
from backend.red_packets.limits import LIFE_MS
from backend.wallet.service import SetPayerStatus
from tests.support.disputes import OWED, cover, settle
from tests.support.merchant_caller import Caller
from tests.support.shop import MERCHANT
from tests.support.wallet_http import services_of
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_orders_and_codes import openid, pay
from tests.unit.merchant_api.test_xml_orders import code_of

AVAILABLE, HELD = "C:MAVAIL:mch_1001:CNY", "C:REDPKT:CNY"


@pytest.fixture
def xml(caller: Caller) -> XmlCaller:
    """A merchant that has sold something, and has the money."""
    found = XmlCaller(caller)
    payer_id = caller.shop.add_payer(balance_minor=50_000)
    pay(caller, found.order(total_fee=30_000)["code_url"], payer_id)
    settle(caller.shop)
    return found


def give(xml: XmlCaller, name: str, number: str = "pack-1", **changes: Any) -> dict[str, str]:
    words: dict[str, Any] = {
        "appid": None, "wxappid": xml.made["appid"], "mch_billno": number, "re_openid": name,
        "send_name": "晨光便利店", "total_amount": 888, "total_num": 1, "wishing": "恭喜发财",
        "client_ip": "203.0.113.9", "act_name": "新年", "remark": "谢谢",
    }  # fmt: skip
    return xml.ask("/mmpaymkttransfers/sendredpack", **words | changes)


def status(xml: XmlCaller, number: str = "pack-1", **changes: Any) -> Any:
    words = {"mch_billno": number, "bill_type": "MCHT"} | changes
    return xml.ask("/mmpaymkttransfers/gethbinfo", **words)


def phone(xml: XmlCaller, payer_id: str, path: str = "", method: str = "GET") -> Any:
    heads = {"authorization": f"Bearer token of {payer_id}"}
    url = f"/wallet/v1/red-packets{path}"
    return xml.caller.http.request(method, url, headers=heads).json()


def test_a_packet_is_given_once_and_taken_by_its_payer(xml: XmlCaller) -> None:
    shop = xml.caller.shop
    payer_id, other_id = (shop.add_payer() for _ in range(2))
    name = openid(xml.caller, payer_id)
    before = shop.balance(AVAILABLE)
    given = give(xml, name)
    assert (given["mch_billno"], given["total_amount"]) == ("pack-1", "888")
    assert give(xml, name)["send_listid"] == given["send_listid"]
    assert code_of(give(xml, name, total_amount=999)) == "FATAL_ERROR"
    assert (shop.balance(AVAILABLE), shop.balance(HELD)) == (before - 888, 888)
    assert status(xml)["status"] == "SENT"
    assert "hblist" not in status(xml)
    [shown] = phone(xml, payer_id)["received"]
    assert (shown["sender_name"], shown["wish"]) == ("晨光便利店", "恭喜发财")
    path = f"/{shown['red_packet_id']}/claim"
    assert phone(xml, other_id)["received"] == []
    with pytest.raises(Exception, match="red_packet_not_found"):
        phone(xml, other_id, path, "POST")
    assert phone(xml, payer_id, path, "POST")["amount_minor"] == 888
    taken: Any = status(xml)
    assert (taken["status"], taken["detail_id"]) == ("RECEIVED", given["send_listid"])
    assert taken["hblist"]["hbinfo"]["openid"] == name
    assert taken["hblist"]["hbinfo"]["amount"] == "888"
    assert (shop.payer_balance(payer_id), shop.balance(HELD)) == (888, 0)
    assert shop.verify().is_whole


def test_what_we_covered_for_a_merchant_comes_back_before_it_gives(xml: XmlCaller) -> None:
    shop = xml.caller.shop
    name = openid(xml.caller, shop.add_payer())
    cover(shop, shop.balance(AVAILABLE) - 888)
    assert code_of(give(xml, name, total_amount=889)) == "NOTENOUGH"
    assert give(xml, name)["result_code"] == "SUCCESS"
    assert (shop.balance(OWED), shop.balance(AVAILABLE), shop.balance(HELD)) == (0, 0, 888)
    assert shop.verify().is_whole


def test_what_is_not_taken_in_a_day_goes_back_to_the_merchant(xml: XmlCaller) -> None:
    shop = xml.caller.shop
    before = shop.balance(AVAILABLE)
    give(xml, openid(xml.caller, shop.add_payer()))
    shop.clock.at_ms += LIFE_MS
    assert status(xml)["status"] == "RFUND_ING"
    assert asyncio.run(expire_red_packets(services_of(shop))) == 1
    back = status(xml)
    assert (back["status"], back["refund_amount"]) == ("REFUND", "888")
    assert (shop.balance(AVAILABLE), shop.balance(HELD)) == (before, 0)


def test_a_fund_flow_bill_knows_it_by_the_program_s_number(xml: XmlCaller) -> None:
    shop = xml.caller.shop
    name = openid(xml.caller, shop.add_payer())
    first, second = (give(xml, name, number)["send_listid"] for number in ("P1", "P2"))
    shop.clock.at_ms += LIFE_MS
    assert asyncio.run(expire_red_packets(services_of(shop))) == 2
    with shop.reader.snapshot() as connection:
        books = BillRepository(connection)
        merchant = books.merchant(MERCHANT)
        assert merchant is not None
        _, moves = books.basic_account(merchant, 0, shop.clock.at_ms + 1)
        named = ProgramNames(b"key", xml.caller.account).moves(connection, moves)
        given = [(one.number, one.voucher) for one in named if "rpk_" in one.event_id]
    assert sorted(given) == sorted([(first, first), (second, second)] * 2)


def test_packets_that_are_refused(xml: XmlCaller) -> None:
    shop = xml.caller.shop
    payer_id = shop.add_payer()
    name = openid(xml.caller, payer_id)
    for total in (99, 20_001):
        assert code_of(give(xml, name, total_amount=total)) == "MONEY_LIMIT"
    assert code_of(give(xml, "o" * 28)) == "OPENID_ERROR"
    assert code_of(give(xml, name, total_num=2)) == "PARAM_ERROR"
    assert code_of(give(xml, name, wxappid="wx0")) == "APPID_MCHID_NOT_MATCH"
    assert code_of(give(xml, name, wishing=None)) == "LACK_PARAMS"
    assert code_of(give(xml, name, shown="")) == "CA_ERROR"
    assert code_of(status(xml)) == "NOT_FOUND"
    assert code_of(status(xml, bill_type="ALL")) == "PARAM_ERROR"
    assert give(xml, name, total_amount=20_000)["result_code"] == "SUCCESS"
    assert code_of(give(xml, name, "pack-2", total_amount=20_000)) == "NOTENOUGH"
    assert give(xml, name, "pack-2", total_amount=100)["result_code"] == "SUCCESS"
    shop.do(SetPayerStatus(payer_id=payer_id, is_frozen=True))
    assert code_of(give(xml, name, "pack-3")) == "USER_ACCOUNT_ABNORMAL"
