"""PyPI's wechatpayv3, unmodified, over a socket: a day's bills are downloaded, unpacked, compared
with their hash; settled money is given to a payer, who takes it.
"""

import asyncio
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpy.pay import WeChatPay as OlderWeChatPay

from backend.clock import SystemClock
from backend.merchant_api.parts import build_merchant_api
from backend.notify.repository import CallbackRepository
from faces.routes import add_routes
from tests.support.bills import fen, read_bill
from tests.support.clearing import clearing_world
from tests.support.disputes import settle
from tests.support.houses import served
from tests.support.merchant_caller import Caller, a_key, an_authority, caller_of
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MASTER_KEY, Shop
from tests.support.wallet_http import services_of
from tests.unit.merchant_api.test_orders_and_codes import openid

DAY = date(2026, 11, 24)


@asynccontextmanager
async def on_a_socket(caller: Caller) -> AsyncIterator[str]:
    """Another process of the caller's backend, by the machine's clock; its address."""
    parts = build_merchant_api(
        services_of(caller.shop),
        master_key=MASTER_KEY,
        clock=SystemClock(),
        authority=an_authority(),
    )
    app = FastAPI()
    add_routes(app, parts.router)
    add_routes(app, parts.v2_router)
    async with served(app) as url:
        yield url


def sdk(caller: Caller, url: str) -> Any:
    made = caller.made
    pem = a_key(0).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    found = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=made["mchid"],
        appid=made["appid"],
        cert_serial_no=made["serial_no"],
        private_key=pem,
        apiv3_key=made["api_v3_key"],
        notify_url="https://shop.example/notify",
        public_key=made["platform"]["public_key"],
        public_key_id=made["platform"]["public_key_id"],
    )
    found._core._gate_way = url
    return found


@pytest.mark.asyncio
async def test_the_sdk_downloads_a_days_bills(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        clearing_world(migrated_sqlite(tmp_path / "shop.db")) as world,
        caller_of(world.shop, monkeypatch) as caller,
    ):
        payer = await world.payer_since_yesterday()
        for amount in (1_280, 20):
            world.sell(payer, amount)
        world.next_day()
        assert (await world.day_end.run(DAY))["state"] == "closed"
        async with on_a_socket(caller) as url:
            await asyncio.to_thread(downloads, sdk(caller, url), caller.made["mchid"])
            await asyncio.to_thread(older_downloads, caller.made, url)


def older_downloads(made: dict[str, Any], url: str) -> None:
    """By PyPI's wechatpy: the file comes at once, as text."""
    pay = OlderWeChatPay(made["appid"], made["api_v2_key"], made["mchid"])
    pay.API_BASE_URL = url + "/"
    found = read_bill(pay.tools.download_bill(DAY).encode())
    assert fen(found.summary["应结订单总金额"]) == 1_300
    pay._http.close()


def downloads(pay: Any, mchid: str) -> None:
    for ask in (pay.trade_bill, pay.fundflow_bill):
        status, text = ask(f"{DAY}")
        assert status == 200, text
        promised = json.loads(text)
        status, packed = pay.download_bill(promised["download_url"])
        assert status == 200
        plain = gzip.decompress(packed)
        assert hashlib.sha1(plain).hexdigest() == promised["hash_value"]
        found = read_bill(plain)
        if ask == pay.trade_bill:
            assert fen(found.summary["应结订单总金额"]) == 1_300
            assert found.rows[0]["商户号"] == mchid
    status, text = pay.trade_bill("2026-11-25")
    assert (status, json.loads(text)["code"]) == (400, "STATEMENT_CREATING")


@pytest.mark.asyncio
async def test_the_sdk_gives_money_to_a_payer_and_hears_that_it_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(migrated_sqlite(tmp_path / "shop.db"))
    shop.add_merchant()
    shop.pay(shop.add_payer(balance_minor=50_000), 50_000)
    settle(shop)
    receiver = shop.add_payer()
    with caller_of(shop, monkeypatch) as caller:
        name = openid(caller, receiver)
        async with on_a_socket(caller) as url:
            pay = sdk(caller, url)
            made = await asyncio.to_thread(gives, pay, name)
            heads = {"authorization": f"Bearer token of {receiver}"}
            path = f"/wallet/v1/merchant-transfers/{made['package_info']}/take"
            assert caller.http.post(path, headers=heads).json()["state"] == "succeeded"
            assert shop.payer_balance(receiver) == 3_000
            status, text = await asyncio.to_thread(pay.mch_transfer_bills_query, "T1")
            found = json.loads(text)
            assert (status, found["state"]) == (200, "SUCCESS")
            repository = CallbackRepository(shop.reader)
            told = []
            for due in repository.due(shop.clock.at_ms):
                row = repository.callback(due["callback_id"])
                assert row is not None
                if row["form"]:
                    body, headers = await caller.parts.forms[row["form"]].dress(row)
                    told.append(pay.callback(headers, body.decode()))
            (news, given_up) = sorted(told, key=lambda one: one["resource"]["out_bill_no"])
            assert news["event_type"] == "MCHTRANSFER.BILL.FINISHED"
            assert news["resource"] == found
            assert given_up["resource"]["state"] == "CANCELLED"
    shop.close()


def gives(pay: Any, name: str) -> dict[str, Any]:
    def ask(number: str, **more: Any) -> dict[str, Any]:
        status, text = pay.mch_transfer_bills(
            out_bill_no=number,
            transfer_scene_id="1000",
            openid=name,
            transfer_amount=3_000,
            transfer_remark="新会员有礼",
            transfer_scene_report_infos=[{"info_type": "活动名称", "info_content": "开业"}],
            **more,
        )
        assert status == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    made = ask("T1", user_name="李雷")
    assert ask("T1", user_name="李雷") == made
    ask("T2")
    status, text = pay.mch_transfer_bills_cancel("T2")
    assert (status, json.loads(text)["state"]) == (200, "CANCELLED")
    return made
