"""What must hold between processes holds in the database: SQLite and PostgreSQL alike."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from backend.db.command import Outcome
from backend.merchant_api.config import MerchantApiSettings
from backend.merchant_api.faults import ApiError
from backend.merchant_api.v2.red_packets.service import GiveByProgram
from backend.merchant_api.wire.nonces import TakeNonce
from backend.red_packets.giving import GiveRedPacket
from protocol.errors import CallerError
from tests.support.disputes import settle
from tests.support.merchant_caller import Caller, caller_of, second_process
from tests.support.shop import MERCHANT, Shop
from tests.support.xml_caller import XmlCaller
from tests.unit.merchant_api.test_combine import COMBINE, both, part
from tests.unit.merchant_api.test_orders_and_codes import code_of, code_payment, pay, query
from tests.unit.merchant_api.test_sandbox import paid_order, refund
from tests.unit.merchant_api.test_xml_codes_and_refunds import micropay
from tests.unit.merchant_api.test_xml_red_packets import give


@pytest.fixture
def either(migrated_url: str) -> Iterator[Caller]:
    """A merchant's program on both databases."""
    shop = Shop(migrated_url)
    shop.add_merchant()
    settings = MerchantApiSettings(sandbox=True)
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch, settings=settings) as found:
        yield found
    shop.close()


def test_a_day_of_a_merchants_program(either: Caller) -> None:
    payer_id = paid_order(either, 1_280)
    assert query(either)["trade_state"] == "SUCCESS"
    assert refund(either, "refund-1", 280).status_code == 200
    assert code_of(refund(either, "refund-2", 280)) == (429, "FREQUENCY_LIMITED")
    either.shop.clock.at_ms += 60_000
    assert refund(either, "refund-2", 1_000).status_code == 200
    assert either.shop.payer_balance(payer_id) == 1_280
    code = either.shop.code(payer_id)
    assert code_payment(either, code, number="order-0002", total=100).status_code == 200
    assert [news["event_type"] for _, news in either.callbacks()] == ["TRANSACTION.SUCCESS"]
    header = either.authorization("GET", "/v3/certificates", b"")
    other = second_process(either)
    assert other.get("/v3/certificates", headers={"authorization": header}).status_code == 200
    again = either.ask("GET", "/v3/certificates", header=header)
    assert code_of(again) == (401, "SIGN_ERROR")
    assert not either.shop.verify().breaks


def test_orders_are_paid_at_once_or_not_at_all(either: Caller) -> None:
    poor_id, rich_id = (either.shop.add_payer(balance_minor=one) for one in (999, 1_000))
    parts = [part(either, "part-0001", 300), part(either, "part-0002", 700)]
    made = either.ask("POST", f"{COMBINE}/native", both(either, either, sub_orders=parts)).json()
    with pytest.raises(CallerError, match="insufficient_balance"):
        pay(either, made["code_url"], poor_id)
    assert pay(either, made["code_url"], rich_id)["state"] == "captured"
    assert [either.shop.payer_balance(one) for one in (poor_id, rich_id)] == [999, 0]
    assert [query(either, one["out_trade_no"])["trade_state"] for one in parts] == ["SUCCESS"] * 2
    assert not either.shop.verify().breaks


def test_a_day_of_an_older_program(either: Caller) -> None:
    xml, shop = XmlCaller(either), either.shop
    payer_id = shop.add_payer(balance_minor=5_000)
    code = shop.code(payer_id)
    name = xml.ask("/tools/authcodetoopenid", auth_code=code)["openid"]
    assert micropay(xml, code, total_fee=2_000)["openid"] == name
    refund: dict[str, Any] = {
        "out_trade_no": "order-0001",
        "out_refund_no": "r1",
        "total_fee": 2_000,
    }
    granted = xml.ask("/secapi/pay/refund", refund_fee=300, **refund)
    found = xml.ask("/pay/refundquery", refund_id=granted["refund_id"])
    assert (found["refund_fee_0"], found["refund_status_0"]) == ("300", "SUCCESS")
    settle(shop)
    sent = give(xml, name)
    assert give(xml, name)["send_listid"] == sent["send_listid"]
    assert shop.balance("C:REDPKT:CNY") == 888
    assert not shop.verify().breaks


def test_a_red_packet_is_given_once_however_many_give_it_at_once(either: Caller) -> None:
    shop = either.shop
    shop.pay(shop.add_payer(balance_minor=5_000), 5_000)
    settle(shop)
    receiver_id = shop.add_payer()
    shops = [shop, *(Shop(shop.url, first_id=number) for number in (5_000, 9_000))]

    def giving(one: Shop) -> GiveByProgram:
        packet = GiveRedPacket(
            red_packet_id=one.id("rpk"), merchant_id=MERCHANT, receiver_id=receiver_id,
            amount_minor=100, currency="CNY", sender_name="店", wish="谢谢", rules=one.rules,
        )  # fmt: skip
        return GiveByProgram(
            give=packet, mchid="1600000001", mch_billno="pack-1", openid="o", act_name="新年",
            remark="谢谢", content_hash=b"same",
        )  # fmt: skip

    def give_often(one: Shop) -> list[Outcome]:
        return [outcome for _ in range(4) for outcome in one.apply(giving(one))]

    with ThreadPoolExecutor(len(shops)) as pool:
        outcomes = [outcome for found in pool.map(give_often, shops) for outcome in found]
    for one in shops[1:]:
        one.close()
    given = {outcome.result["number"] for outcome in outcomes if outcome.error is None}
    assert len(given) == 1
    assert shop.balance("C:REDPKT:CNY") == 100


def test_a_nonce_is_taken_once_however_many_take_it_at_once(migrated_url: str) -> None:
    shops = [Shop(migrated_url) for _ in range(3)]
    command = TakeNonce(mchid="1600000001", nonce="n", at_ms=1_000)

    def take(shop: Shop) -> list[Outcome]:
        return [outcome for _ in range(4) for outcome in shop.apply(command)]

    with ThreadPoolExecutor(len(shops)) as pool:
        outcomes = [outcome for found in pool.map(take, shops) for outcome in found]
    for shop in shops:
        shop.close()
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    assert len(errors) == len(outcomes) - 1
    assert {error.fault.code for error in errors if isinstance(error, ApiError)} == {"SIGN_ERROR"}
