"""Our gateway of Alipay as npm's alipay-sdk sees it, a seller's program that nobody here wrote: a
whole scenario over a socket, and the notices at its ``notify_url``. (python-alipay-sdk does so in
``tests/unit/alipay``.)"""

import asyncio
import base64
import csv
import io
import json
import shutil
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI, Request, Response

from tests.kit.patience import PATIENCE_S
from tests.support.alipay_world import APP, OPENING_MINOR, alipay_world, key_text, rsa_key
from tests.support.houses import served
from tests.support.shop import ShopClock

LIBRARY = Path(sys.prefix) / "npm_readers" / "alipay" / "node_modules"
RUNNER = Path(__file__).parents[1] / "support" / "alipay_seller.js"
MINUTE_MS = 60_000
pytestmark = pytest.mark.asyncio


@dataclass
class Seller:
    """The program, one question after the other."""

    process: asyncio.subprocess.Process

    async def ask(self, **asked: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_S)
        said: dict[str, Any] = json.loads(line)
        return said

    async def exec(self, method: str, *, url: str | None = None, **content: Any) -> dict[str, Any]:
        return await self.ask(call="exec", method=method, bizContent=content, notifyUrl=url)


@dataclass
class Ear:
    """Where the seller listens."""

    heard: list[dict[str, str]] = field(default_factory=list)
    answer: bytes = b"success"

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/notify")
        async def take(request: Request) -> Response:
            self.heard.append(dict(parse_qsl((await request.body()).decode())))
            return Response(self.answer)

        return app


@asynccontextmanager
async def selling(gateway: str, **more: str) -> AsyncIterator[Seller]:
    """``more``: its certificates, in certificate mode."""
    node = shutil.which("node")
    if node is None or not (LIBRARY / "alipay-sdk").is_dir():
        pytest.skip("node or npm's alipay-sdk is not installed: make test does so where it can")
    process = await asyncio.create_subprocess_exec(
        node, str(RUNNER), str(LIBRARY), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    seller = Seller(process)
    key = rsa_key("seller").private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    config = {
        "appId": APP,
        "privateKey": key.decode(),
        "gateway": f"{gateway}/gateway.do",
        **(more or {"alipayPublicKey": key_text(rsa_key("alipay"))}),
    }
    assert await seller.ask(call="open", config=config) == {}
    try:
        yield seller
    finally:
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_a_seller_sells_asks_gives_back_and_takes_back() -> None:
    async with alipay_world(ShopClock()) as world, selling(world.url) as seller:
        paid = await seller.exec(
            "alipay.trade.pay", outTradeNo="A-1", scene="bar_code", authCode=world.code(),
            subject="早餐", totalAmount="12.80",
        )  # fmt: skip
        assert (paid["code"], paid["totalAmount"]) == ("10000", "12.80")
        found = await seller.exec("alipay.trade.query", outTradeNo="A-1")
        assert found["tradeStatus"] == "TRADE_SUCCESS"
        for number, amount in (("R-1", "2.80"), ("R-2", "10.00")):
            back = await seller.exec(
                "alipay.trade.refund", outTradeNo="A-1", refundAmount=amount, outRequestNo=number
            )
            assert back["fundChange"] == "Y"
        known = await seller.exec(
            "alipay.trade.fastpay.refund.query", outTradeNo="A-1", outRequestNo="R-1"
        )
        assert (known["refundAmount"], known["refundStatus"]) == ("2.80", "REFUND_SUCCESS")
        waiting = await seller.exec(
            "alipay.trade.pay", outTradeNo="A-2", scene="bar_code", authCode=world.code(),
            subject="手机", totalAmount="900.00",
        )  # fmt: skip
        assert waiting["code"] == "10003"
        cancelled = await seller.exec("alipay.trade.cancel", outTradeNo="A-2")
        assert (cancelled["action"], cancelled["retryFlag"]) == ("close", "N")
        refused = await seller.exec(
            "alipay.trade.pay", outTradeNo="A-3", scene="bar_code", authCode="281234567890123456",
            subject="早餐", totalAmount="1.00",
        )  # fmt: skip
        assert refused["subCode"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"
        assert world.left_minor() == OPENING_MINOR


async def test_a_seller_fetches_a_days_bill_and_its_lines_add_up() -> None:
    async with alipay_world(ShopClock()) as world, selling(world.url) as seller:
        for number, amount in (("D-1", "12.80"), ("D-2", "7.20")):
            paid = await seller.exec(
                "alipay.trade.pay", outTradeNo=number, scene="bar_code", authCode=world.code(),
                subject="早餐", totalAmount=amount,
            )  # fmt: skip
            assert paid["code"] == "10000"
        await seller.exec(
            "alipay.trade.refund", outTradeNo="D-1", refundAmount="2.80", outRequestNo="R-1"
        )
        wanted = {"billType": "trade", "billDate": "2026-11-23"}
        method = "alipay.data.dataservice.bill.downloadurl.query"
        assert (await seller.exec(method, **wanted))["subCode"] == "isp.bill_not_exist"
        await world.next_day()
        address = (await seller.exec(method, **wanted))["billDownloadUrl"]
        async with aiohttp.ClientSession() as http, http.get(address) as answer:
            archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
        with archive:
            (name,) = [one for one in archive.namelist() if one.endswith("业务明细.csv")]
            lines = archive.read(name).decode("gbk").splitlines()
        heading, *rows = csv.reader(line for line in lines if not line.startswith("#"))
        got = [dict(zip(heading, map(str.strip, row), strict=True)) for row in rows]
        assert [(one["业务类型"], one["商家实收（元）"], one["商户订单号"]) for one in got] == [
            ("交易", "12.80", "D-1"),
            ("交易", "7.20", "D-2"),
            ("退款", "-2.80", "D-1"),
        ]
        assert sum(Decimal(one["商家实收（元）"]) for one in got) * 100 == (
            OPENING_MINOR - world.left_minor()
        )


async def test_a_seller_is_told_of_what_was_paid_and_given_back_until_it_says_success() -> None:
    ear, clock = Ear(answer=b"fail"), ShopClock()
    async with (
        alipay_world(clock) as world,
        selling(world.url) as seller,
        served(ear.app()) as listening,
    ):
        shown = await seller.exec(
            "alipay.trade.precreate", url=f"{listening}/notify", outTradeNo="B-1", subject="书",
            totalAmount="20.00",
        )  # fmt: skip
        world.confirm(shown["qrCode"])
        assert await world.notices.deliver() == 0
        assert await world.notices.deliver() == 0
        clock.at_ms += 4 * MINUTE_MS
        ear.answer = b"success"
        assert await world.notices.deliver() == 1
        clock.at_ms += 24 * 60 * MINUTE_MS
        assert await world.notices.deliver() == 0
        first, again = ear.heard
        assert first["notify_id"] == again["notify_id"]
        assert (first["out_trade_no"], first["trade_status"]) == ("B-1", "TRADE_SUCCESS")
        for form in ear.heard:
            assert (await seller.ask(call="notify", form=form))["holds"] is True
        forged = first | {"total_amount": "0.01"}
        said = await seller.ask(call="notify", form=forged)
        assert said == {"holds": False, "holds1": False}
        await seller.exec(
            "alipay.trade.refund", outTradeNo="B-1", refundAmount="5.00", outRequestNo="R-9"
        )
        assert await world.notices.deliver() == 1
        told = ear.heard[-1]
        assert (told["out_biz_no"], told["refund_fee"]) == ("R-9", "5.00")
        assert (await seller.ask(call="notify", form=told))["holds"] is True


async def test_a_notice_is_given_up_after_its_tries() -> None:
    ear, clock = Ear(answer=b"what?"), ShopClock()
    async with (
        alipay_world(clock) as world,
        selling(world.url) as seller,
        served(ear.app()) as listening,
    ):
        await seller.exec(
            "alipay.trade.pay", url=f"{listening}/notify", outTradeNo="C-1", scene="bar_code",
            authCode=world.code(), subject="早餐", totalAmount="1.00",
        )  # fmt: skip
        for _ in range(12):
            await world.notices.deliver()
            clock.at_ms += 15 * 60 * MINUTE_MS
        assert len(ear.heard) == 8


async def test_a_seller_in_certificate_mode_names_its_certificates() -> None:
    async with alipay_world(ShopClock()) as world:
        key = base64.b64decode(key_text(rsa_key("seller")))
        made = world.gateway.add_app(APP, key, with_certificate=True)
        told = world.gateway.authority.told()
        files = {
            "appCertContent": made.decode(),
            "alipayPublicCertContent": told["alipay_certificate"],
            "alipayRootCertContent": told["root_certificate"],
        }
        async with selling(world.url, **files) as seller:
            paid = await seller.exec(
                "alipay.trade.pay", outTradeNo="E-1", scene="bar_code", authCode=world.code(),
                subject="早餐", totalAmount="12.80",
            )  # fmt: skip
            assert (paid["code"], paid["totalAmount"]) == ("10000", "12.80")
            found = await seller.exec("alipay.trade.query", outTradeNo="E-1")
            assert found["tradeStatus"] == "TRADE_SUCCESS"
        async with selling(world.url) as seller:  # names no certificate
            refused = await seller.exec("alipay.trade.query", outTradeNo="E-1")
            assert "isv.invalid-app-cert-sn" in str(refused)
