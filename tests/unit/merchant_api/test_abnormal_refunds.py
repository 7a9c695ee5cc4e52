"""A refund that the payer's bank refuses goes another way, once, under its own numbers."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from backend.bills.repository import BillRepository
from backend.bills.trade import BillType
from backend.merchant_api.bills.repository import ProgramNames
from tests.support.channel_world import ChannelWorld
from tests.support.merchant_caller import Caller, caller_of
from tests.support.shop import MERCHANT, Shop
from tests.unit.merchant_api.test_keys_and_banks import encrypted
from tests.unit.merchant_api.test_orders_and_codes import code_of, code_payment, query
from tests.unit.merchant_api.test_sandbox import REFUNDS, refund


@dataclass
class Abnormal:
    """A merchant's program whose refund of 3.00 of 10.00 the payer's bank has refused."""

    caller: Caller
    world: ChannelWorld
    payer_id: str
    refund_id: str

    def settle(self, kind: str, *, name: str = "李雷", number: str = "refund-1") -> Any:
        platform = self.caller.made["platform"]
        body = {"out_refund_no": number, "type": kind}
        if kind == "USER_BANK_CARD":
            pem = platform["public_key"]
            body |= {
                "bank_type": "ICBC_DEBIT",
                "bank_account": encrypted(pem, "6222021234567890"),
                "real_name": encrypted(pem, name),
            }
        path = f"{REFUNDS}/{self.refund_id}/apply-abnormal-refund"
        return self.caller.ask("POST", path, body, serial=platform["public_key_id"])

    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self.caller.ask("GET", f"{REFUNDS}/refund-1").json()
        return found

    def told(self) -> list[str]:
        return [news["event_type"] for _, news in self.caller.callbacks()]


@pytest.fixture
def abnormal(migrated_url: str) -> Iterator[Abnormal]:
    shop = Shop(migrated_url)
    shop.add_merchant()
    world = ChannelWorld(shop)
    with pytest.MonkeyPatch.context() as patch, caller_of(shop, patch) as caller:
        payer_id = world.card_payer()
        paid = code_payment(caller, shop.code(payer_id), total=1_000)
        assert paid.status_code == 202
        asyncio.run(world.finish())
        assert query(caller)["trade_state"] == "SUCCESS"
        asked = refund(caller, "refund-1", 300, 1_000, notify_url="https://shop.example/refund")
        assert asked.json()["status"] == "PROCESSING"
        world.card.refuses = 1
        asyncio.run(world.finish())
        yield Abnormal(caller, world, payer_id, asked.json()["refund_id"])
        assert shop.verify().is_whole
    world.close()
    shop.close()


def test_it_goes_to_the_payers_balance(abnormal: Abnormal) -> None:
    assert abnormal.shown()["status"] == "ABNORMAL"
    assert abnormal.told() == ["REFUND.ABNORMAL"]
    for _ in range(2):
        settled = abnormal.settle("USER_BANK_CARD")
        assert settled.status_code == 200, settled.text
        assert settled.json() == abnormal.shown()
    shown = abnormal.shown()
    assert (shown["status"], shown["channel"]) == ("SUCCESS", "OTHER_BALANCE")
    assert shown["user_received_account"] == "支付用户零钱"
    assert shown["refund_id"] == abnormal.refund_id
    assert abnormal.caller.shop.payer_balance(abnormal.payer_id) == 300
    assert query(abnormal.caller)["trade_state"] == "REFUND"
    assert abnormal.told() == ["REFUND.ABNORMAL", "REFUND.SUCCESS"]
    other = abnormal.settle("MERCHANT_BANK_CARD")
    assert code_of(other) == (400, "INVALID_REQUEST")
    abnormal.world.check_quiet()


def test_bills_and_lists_know_it_by_its_own_numbers(abnormal: Abnormal) -> None:
    assert abnormal.settle("USER_BANK_CARD").status_code == 200
    caller, shop = abnormal.caller, abnormal.caller.shop
    names = ProgramNames(b"key", caller.account)
    day = shop.rules.business_date(shop.clock.at_ms)
    with shop.reader.snapshot() as connection:
        books = BillRepository(connection)
        lines = books.trade_lines(MERCHANT, day, shop.clock.at_ms + 1, BillType.ALL)
        _, returned = names.trade(connection, lines)
        merchant = books.merchant(MERCHANT)
        assert merchant is not None
        _, moves = books.basic_account(merchant, 0, shop.clock.at_ms + 1)
        numbers = {one.number for one in names.moves(connection, moves) if "rfd_" in one.event_id}
    assert returned.amount_minor == 300
    assert returned.names is not None
    assert (returned.names.refund_id, returned.names.out_refund_no) == (
        abnormal.refund_id,
        "refund-1",
    )
    assert numbers == {abnormal.refund_id}
    listed = caller.ask("GET", "/v3/tillway/refunds").json()["refunds"]
    own = {"mchid": caller.made["mchid"], "out_refund_no": "refund-1"}
    assert [one["v3"] for one in listed] == [own | {"refund_id": abnormal.refund_id}] * 2


def test_it_stays_with_the_merchant(abnormal: Abnormal) -> None:
    for _ in range(2):
        assert abnormal.settle("MERCHANT_BANK_CARD").status_code == 200
    shown = abnormal.shown()
    assert (shown["status"], shown["channel"]) == ("SUCCESS", "OTHER_BANKCARD")
    assert shown["user_received_account"] == "商户结算银行账户"
    assert abnormal.caller.shop.payer_balance(abnormal.payer_id) == 0
    assert abnormal.told() == ["REFUND.ABNORMAL", "REFUND.SUCCESS"]


def test_what_is_refused_moves_nothing(abnormal: Abnormal) -> None:
    wrong = abnormal.settle("USER_BANK_CARD", name="韩梅梅")
    assert code_of(wrong) == (400, "PARAM_ERROR")
    assert wrong.json()["detail"]["field"] == "/real_name"
    assert code_of(abnormal.settle("MERCHANT_BANK_CARD", number="refund-2"))[0] == 404
    path = f"{REFUNDS}/{abnormal.refund_id}/apply-abnormal-refund"
    body = {"out_refund_no": "refund-1", "type": "USER_BANK_CARD"}
    assert code_of(abnormal.caller.ask("POST", path, body)) == (400, "PARAM_ERROR")
    body |= {"bank_type": "X", "bank_account": "AAAA", "real_name": "AAAA"}
    assert code_of(abnormal.caller.ask("POST", path, body)) == (400, "PARAM_ERROR")
    assert refund(abnormal.caller, "refund-2", 1_000, 1_000).json()["status"] == "PROCESSING"
    short = abnormal.settle("USER_BANK_CARD")
    assert code_of(short) == (400, "INVALID_REQUEST")  # all is on its way back already
    assert abnormal.caller.shop.payer_balance(abnormal.payer_id) == 0
    asyncio.run(abnormal.world.finish())
    abnormal.refund_id = abnormal.caller.ask("GET", f"{REFUNDS}/refund-2").json()["refund_id"]
    done = abnormal.settle("MERCHANT_BANK_CARD", number="refund-2")
    assert code_of(done) == (400, "INVALID_REQUEST")
