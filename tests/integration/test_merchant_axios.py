"""npm's wechatpay-axios-plugin, unmodified, against the running backend."""

import asyncio
import base64
import json
import shutil
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from tests.kit.patience import PATIENCE_S
from tests.support.merchant_world import PAYER, MerchantWorld, merchant_world

pytestmark = pytest.mark.asyncio
MODULES = Path(sys.prefix) / "npm_readers" / "node_modules"
LIBRARY, LAST_LOADED = MODULES / "wechatpay-axios-plugin", MODULES / "ms"
RUNNER = Path(__file__).parents[1] / "support" / "merchant_program.js"
NODE = shutil.which("node")
PAY = "v3/pay/transactions"


@dataclass
class Program:
    """A merchant's program that lives as long as the scenario."""

    running: asyncio.subprocess.Process

    async def order(self, order: str, **words: Any) -> Any:
        assert self.running.stdin is not None
        assert self.running.stdout is not None
        self.running.stdin.write(json.dumps({"order": order, **words}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = json.loads(await self.running.stdout.readline())
        assert "bug" not in answer, answer
        return answer

    async def call(self, path: str, verb: str, *args: Any) -> tuple[int, Any]:
        answer = await self.order("call", path=path, verb=verb, args=args)
        return answer["status"], answer.get("data")


@asynccontextmanager
async def program(world: MerchantWorld) -> AsyncIterator[Program]:
    """The library in its own process, with the keys that the command line wrote."""
    assert NODE is not None
    running = await asyncio.create_subprocess_exec(
        NODE,
        str(RUNNER),
        str(LIBRARY),
        str(world.keys),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={"NODE_EXTRA_CA_CERTS": str(world.ca)},
    )
    try:
        yield Program(running)
    finally:
        assert running.stdin is not None
        running.stdin.close()
        async with asyncio.timeout(PATIENCE_S):
            await running.wait()


@pytest.mark.skipif(
    NODE is None or not (LAST_LOADED / "package.json").is_file(),
    reason="node or npm's wechatpay-axios-plugin is not installed: make test does so where it can",
)
async def test_a_javascript_merchant_s_whole_day(tmp_path: Path) -> None:
    async with merchant_world(tmp_path) as world, program(world) as shop:
        await sells_and_gives_back(world, shop)
        await is_called_up_by_pages(world, shop)
        await takes_codes_and_gives_up(world, shop)
        assert (await world.wallet.balance(PAYER, "CNY"))["balance_minor"] == 10_000 - 700 - 100
        await speaks_xml(world, shop)


async def sells_and_gives_back(world: MerchantWorld, shop: Program) -> None:
    """Order, pay, callback, query, two partial refunds with theirs."""
    body = an_order(world, "axios-0001", 1_280)
    status, made = await shop.call(f"{PAY}/native", "post", body)
    assert (status, made["code_url"][:10]) == (200, "weixin://w")
    by_key = {"headers": {"Wechatpay-Serial": world.own["public_key_id"]}}
    assert await shop.call(f"{PAY}/native", "post", body, by_key) == (200, made)
    await world.pay(made["code_url"])
    news = await told(world, shop)
    assert news["event_type"] == "TRANSACTION.SUCCESS"
    assert await query(world, shop, "axios-0001") == news["resource"]
    words = {"transaction_id": news["resource"]["transaction_id"],
             "params": {"mchid": world.own["mchid"]}}  # fmt: skip
    found = await shop.call(PAY + "/id/{transaction_id}", "get", words)
    assert found == (200, news["resource"])
    for number, part in ((1, 280), (2, 300)):
        refund = {"out_trade_no": "axios-0001", "out_refund_no": f"axios-r{number}",
                  "notify_url": world.server.url,
                  "amount": {"refund": part, "total": 1_280, "currency": "CNY"}}  # fmt: skip
        status, given = await shop.call("v3/refund/domestic/refunds", "post", refund)
        assert (status, given["status"], given["amount"]["refund"]) == (200, "SUCCESS", part)
        refunded = await told(world, shop)
        assert refunded["event_type"] == "REFUND.SUCCESS"
        assert refunded["resource"]["refund_id"] == given["refund_id"]
        path = f"v3/refund/domestic/refunds/axios-r{number}"
        assert await shop.call(path, "get") == (200, given)
    assert (await query(world, shop, "axios-0001"))["trade_state"] == "REFUND"


async def is_called_up_by_pages(world: MerchantWorld, shop: Program) -> None:
    """A page of the payer's app and one of a browser; what the page signs proves the merchant."""
    own = world.own
    openid = await tell_openid(world)
    body = an_order(world, "axios-0002", 60, payer={"openid": openid})
    status, made = await shop.call(f"{PAY}/jsapi", "post", body)
    assert status == 200
    lines = [own["appid"], "1790000000", "nonce", f"prepay_id={made['prepay_id']}"]
    signature = await shop.order("sign", lines=lines)
    key = load_pem_x509_certificate(world.key_file("apiclient_cert.pem").encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    message = "".join(f"{line}\n" for line in lines).encode()
    key.verify(base64.b64decode(signature), message, padding.PKCS1v15(), SHA256())
    await world.pay(f"weixin://wap/pay?prepayid={made['prepay_id']}", 2)
    news = await told(world, shop)
    assert news["resource"]["payer"] == {"openid": openid}

    scene = {"payer_client_ip": "203.0.113.9", "h5_info": {"type": "Wap"}}
    body = an_order(world, "axios-0003", 40, scene_info=scene)
    status, made = await shop.call(f"{PAY}/h5", "post", body)
    prepay_id = made["h5_url"].partition("prepay_id=")[2].partition("&")[0]
    await world.pay(f"weixin://wap/pay?prepayid={prepay_id}", 3)
    assert (await told(world, shop))["resource"]["trade_type"] == "MWEB"


async def takes_codes_and_gives_up(world: MerchantWorld, shop: Program) -> None:
    """A payer's code is taken and undone; an order is closed; what is wrong is refused."""
    own = world.own
    names = {"appid": own["appid"], "mchid": own["mchid"]}
    code = (await world.wallet.pay_code(PAYER))["pay_code"]
    scene = {"store_info": {"out_id": "s1"}}
    body = an_order(world, "axios-0004", 90, payer={"auth_code": code}, scene_info=scene)
    status, paid = await shop.call(f"{PAY}/codepay", "post", body)
    assert (status, paid["trade_state"]) == (200, "SUCCESS")
    path = f"{PAY}/out-trade-no/axios-0004/reverse"
    assert await shop.call(path, "post", names) == (200, names | {"out_trade_no": "axios-0004"})
    assert (await query(world, shop, "axios-0004"))["trade_state"] == "REVOKED"

    await shop.call(f"{PAY}/native", "post", an_order(world, "axios-0005", 1))
    path = f"{PAY}/out-trade-no/axios-0005/close"
    assert (await shop.call(path, "post", {"mchid": own["mchid"]}))[0] == 204
    assert (await query(world, shop, "axios-0005"))["trade_state"] == "CLOSED"
    for changes, code in (({"amount": {"total": 0}}, "PARAM_ERROR"), ({}, "ORDER_CLOSED")):
        again = an_order(world, "axios-0005", 1) | changes
        status, refusal = await shop.call(f"{PAY}/native", "post", again)
        assert (status, refusal["code"]) == (400, code)


async def speaks_xml(world: MerchantWorld, shop: Program) -> None:
    """An order by the older interface, with both ways to sign, its notice, and a refund that the
    API certificate on the connection proves."""
    world.server.answer = "<xml><return_code>SUCCESS</return_code></xml>"
    names = {"appid": world.own["appid"], "mch_id": world.own["mchid"]}
    for number, kind in (("axios-0006", "MD5"), ("axios-0007", "HMAC-SHA256")):
        signed = names | {"out_trade_no": number, "sign_type": kind}
        order = signed | {
            "body": "咖啡 & <茶>", "total_fee": 200, "spbill_create_ip": "203.0.113.9",
            "notify_url": world.server.url, "trade_type": "NATIVE",
        }  # fmt: skip
        _, made = await shop.call("v2/pay/unifiedorder", "post", order)
        await world.pay(made["code_url"], int(number[-1]))
        _, body = await world.server.next()
        news = await shop.order("notice", body=body)
        _, found = await shop.call("v2/pay/orderquery", "post", signed)
        assert (found["trade_state"], found["transaction_id"]) == (
            "SUCCESS", news["transaction_id"],
        )  # fmt: skip
        _, refusal = await shop.call("v2/pay/closeorder", "post", signed)
        assert refusal["err_code"] == "ORDERPAID"
        refund = signed | {"out_refund_no": f"r-{number}", "total_fee": 200, "refund_fee": 50}
        _, refusal = await shop.call("v2/secapi/pay/refund", "post", refund)
        assert refusal["err_code"] == "CA_ERROR"
        by_certificate = {"security": True}
        _, given = await shop.call("v2/secapi/pay/refund", "post", refund, by_certificate)
        assert given["refund_fee"] == "50"


def an_order(world: MerchantWorld, number: str, total: int, **more: Any) -> dict[str, Any]:
    own = world.own
    return {"appid": own["appid"], "mchid": own["mchid"], "description": "咖啡",
            "out_trade_no": number, "notify_url": world.server.url,
            "amount": {"total": total}} | more  # fmt: skip


async def tell_openid(world: MerchantWorld) -> str:
    """The payer's app tells the merchant's who the payer is."""
    token = (await world.wallet.issue_token(PAYER))["token"]
    trust = ssl.create_default_context(cafile=world.ca)
    async with httpx2.AsyncClient(verify=trust, base_url=world.url) as phone:
        answer = await phone.post(
            "/wallet/v1/openid",
            json={"appid": world.own["appid"]},
            headers={"authorization": f"Bearer {token}"},
        )
    return str(answer.json()["openid"])


async def told(world: MerchantWorld, shop: Program) -> dict[str, Any]:
    """The next callback, checked and opened by the library."""
    headers, body = await world.server.next()
    news: dict[str, Any] = await shop.order("open", headers=headers, body=body)
    return news


async def query(world: MerchantWorld, shop: Program, number: str) -> dict[str, Any]:
    words = {"no": number, "params": {"mchid": world.own["mchid"]}}
    status, found = await shop.call(PAY + "/out-trade-no/{no}", "get", words)
    assert status == 200
    shown: dict[str, Any] = found
    return shown
