"""wechatpayv3, unmodified, against the running backend: as a service provider's program, and with
orders of two merchants that are paid at once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from wechatpayv3 import WeChatPay, WeChatPayType

from tests.support.backend import a_merchant
from tests.support.merchant_world import PAYER, MerchantWorld, merchant_world
from tillway.merchant import bind, new

pytestmark = pytest.mark.asyncio
SHOP = "merchant-of-a-provider"


async def a_sub_merchant(world: MerchantWorld, directory: Path) -> str:
    """Another merchant's number, that the world's may act for, by the command line."""
    await world.served.backend.writer.submit(a_merchant(SHOP))
    keys, token_file = directory / "sub-keys", directory / "token"
    await asyncio.to_thread(lambda: new(world.url, world.ca, token_file, keys, SHOP))
    sub: str = json.loads((keys / "merchant.json").read_text())["mchid"]
    await asyncio.to_thread(bind, world.url, world.ca, token_file, world.own["mchid"], sub)
    return sub


def client(world: MerchantWorld, *, partner_mode: bool) -> Any:
    own = world.own
    pay = WeChatPay(
        wechatpay_type=WeChatPayType.NATIVE,
        mchid=own["mchid"],
        appid=own["appid"],
        cert_serial_no=own["serial_no"],
        private_key=world.key_file("apiclient_key.pem"),
        apiv3_key=own["api_v3_key"],
        notify_url=world.server.url,
        public_key=world.key_file("pub_key.pem"),
        public_key_id=own["public_key_id"],
        partner_mode=partner_mode,
    )
    pay._core._gate_way = world.url
    return pay


async def test_a_provider_s_program_runs_a_whole_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with merchant_world(tmp_path) as world:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.ca))
        sub, own = await a_sub_merchant(world, tmp_path), world.own
        pay = client(world, partner_mode=True)

        async def ask(call: Any, **words: Any) -> tuple[int, Any]:
            status, text = await world.run(lambda: call(sub_mchid=sub, **words))
            return status, json.loads(text or "null")

        async def told() -> Any:
            headers, body = await world.server.next()
            return await world.run(lambda: pay.callback(headers, body))

        status, made = await ask(
            pay.pay, description="咖啡", out_trade_no="sp-0001", amount={"total": 1_280}
        )
        assert status == 200, made
        await world.pay(made["code_url"])
        news = await told()
        assert news["event_type"] == "TRANSACTION.SUCCESS"
        status, found = await ask(pay.query, out_trade_no="sp-0001")
        assert (status, found) == (200, news["resource"])
        assert (found["sp_mchid"], found["sub_mchid"]) == (own["mchid"], sub)
        by_id = await ask(pay.query, transaction_id=found["transaction_id"])
        assert by_id == (200, found)
        status, given = await ask(
            pay.refund,
            out_refund_no="sp-r1",
            out_trade_no="sp-0001",
            amount={"refund": 280, "total": 1_280, "currency": "CNY"},
            notify_url=world.server.url,
        )
        assert (status, given["status"]) == (200, "SUCCESS")
        assert await ask(pay.query_refund, out_refund_no="sp-r1") == (200, given)
        news = await told()
        names = {name: news["resource"][name] for name in ("sp_mchid", "sub_mchid")}
        assert names == {"sp_mchid": own["mchid"], "sub_mchid": sub}

        code = (await world.wallet.pay_code(PAYER))["pay_code"]
        status, paid = await ask(
            pay.pay,
            pay_type=WeChatPayType.CODEPAY,
            description="一瓶水",
            out_trade_no="sp-0002",
            amount={"total": 300},
            payer={"auth_code": code},
            scene_info={"store_info": {"out_id": "s1"}},
        )
        assert (status, paid["trade_state"]) == (200, "SUCCESS")
        status, _ = await ask(pay.codepay_reverse, out_trade_no="sp-0002")
        assert status == 200
        await ask(pay.pay, description="x", out_trade_no="sp-0003", amount={"total": 1})
        assert (await ask(pay.close, out_trade_no="sp-0003"))[0] == 204
        _, closed = await ask(pay.query, out_trade_no="sp-0003")
        assert closed["trade_state"] == "CLOSED"
        balance = await world.wallet.balance(PAYER, "CNY")
        assert balance["balance_minor"] == 10_000 - 1_000


async def test_orders_of_two_merchants_are_paid_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with merchant_world(tmp_path) as world:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(world.ca))
        sub, own = await a_sub_merchant(world, tmp_path), world.own
        pay = client(world, partner_mode=False)

        async def ask(call: Any, **words: Any) -> tuple[int, Any]:
            status, text = await world.run(lambda: call(**words))
            return status, json.loads(text or "null")

        def parts(head: str) -> list[dict[str, Any]]:
            return [
                {
                    "mchid": mchid,
                    "attach": "门店",
                    "amount": {"total_amount": total, "currency": "CNY"},
                    "out_trade_no": f"{head}-{mchid}",
                    "description": "咖啡",
                }
                for mchid, total in ((own["mchid"], 300), (sub, 700))
            ]

        number = {"combine_out_trade_no": "combine-0001"}
        status, made = await ask(pay.combine_pay, sub_orders=parts("a"), **number)
        assert status == 200, made
        paid = await world.pay(made["code_url"])
        assert (paid["state"], paid["amount_minor"]) == ("captured", 1_000)
        headers, body = await world.server.next()
        news = await world.run(lambda: pay.callback(headers, body))
        assert news["event_type"] == "TRANSACTION.SUCCESS"
        status, found = await ask(pay.combine_query, **number)
        assert (status, found) == (200, news["resource"])
        sold = [(one["mchid"], one["amount"]["payer_amount"], one["trade_state"])
                for one in found["sub_orders"]]  # fmt: skip
        assert sold == [(own["mchid"], 300, "SUCCESS"), (sub, 700, "SUCCESS")]
        assert (await world.wallet.balance(PAYER, "CNY"))["balance_minor"] == 9_000

        number = {"combine_out_trade_no": "combine-0002"}
        await ask(pay.combine_pay, sub_orders=parts("b"), **number)
        names = [{name: one[name] for name in ("mchid", "out_trade_no")} for one in parts("b")]
        assert (await ask(pay.combine_close, sub_orders=names, **number))[0] == 204
        _, closed = await ask(pay.combine_query, **number)
        assert {one["trade_state"] for one in closed["sub_orders"]} == {"CLOSED"}
