"""The gateway as python-alipay-sdk sees it over a socket, and what only bare requests can say."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from backend.channels.alipay.wire import sign_text
from backend.sandbox.alipay.authority import make_authority
from backend.sandbox.alipay.days import PAYEE, Days, Tickets
from backend.sandbox.alipay.gateway import Gateway
from backend.sandbox.alipay.program import build_app
from backend.sandbox.alipay.trades import Trades
from tests.support.houses import HandClock, near_house, served

APP, BUYER = "2021000000000001", "lilei@example.com"
OPENING_MINOR = 200_000
AUTHORITY = make_authority(generate_private_key(public_exponent=65537, key_size=2048), 0)
pytestmark = pytest.mark.asyncio


@cache
def rsa_key(_whose: str) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def public_pem(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_der(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass
class World:
    """A gateway that listens, its clock, a seller with the SDK, a buyer with a telephone."""

    url: str
    clock: HandClock
    http: aiohttp.ClientSession
    gateway: Gateway
    sdk: AliPay

    async def ask(self, call: Callable[..., Any], *words: Any, **named: Any) -> dict[str, Any]:
        """The SDK's call, which waits for its socket, beside the loop."""
        found: dict[str, Any] = await asyncio.to_thread(call, *words, **named)
        return found

    async def pay(self, number: str, yuan: str, code: str | None = None) -> dict[str, Any]:
        shown = await self.code() if code is None else code
        return await self.ask(
            self.sdk.api_alipay_trade_pay, number, "bar_code", shown, "早餐", total_amount=yuan
        )

    async def control(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.url}/control/{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def code(self) -> str:
        _, said = await self.control(f"buyers/{BUYER}/code", {})
        return str(said["auth_code"])

    async def left_minor(self) -> int:
        async with self.http.get(f"{self.url}/control/buyers/{BUYER}") as answer:
            return int((await answer.json())["balance_minor"])


@asynccontextmanager
async def opened() -> AsyncIterator[World]:
    clock = HandClock()
    clock.at(date(2026, 11, 28))
    house = near_house("alipay", clock)
    counter = iter(range(10**6))
    trades = Trades(house.books, lambda count: f"{next(counter):0{count}}")
    days = Days(house.books, PAYEE)
    gateway = Gateway(house, trades, rsa_key("alipay"), days, Tickets(house.clock), AUTHORITY)
    async with served(build_app(gateway)) as url, aiohttp.ClientSession() as http:
        sdk = AliPay(
            appid=APP,
            app_private_key_string=private_pem(rsa_key("seller")),
            alipay_public_key_string=public_pem(rsa_key("alipay")),
        )
        sdk._gateway = f"{url}/gateway.do"
        world = World(url, clock, http, gateway, sdk)
        key = base64.b64encode(public_der(rsa_key("seller"))).decode()
        assert (await world.control("apps", {"app_id": APP, "public_key": key}))[0] == 200
        buyer = {"buyer": BUYER, "opening_minor": OPENING_MINOR, "password_free_minor": 100_000}
        assert (await world.control("buyers", buyer))[0] == 200
        yield world
    house.books.close()


async def test_a_scanned_code_is_paid_queried_and_given_back_in_parts() -> None:
    async with opened() as world:
        paid = await world.pay("A-1", "12.80")
        assert (paid["code"], paid["total_amount"], paid["buyer_logon_id"]) == (
            "10000",
            "12.80",
            "lil***@example.com",
        )
        assert await world.left_minor() == OPENING_MINOR - 1280
        found = await world.ask(world.sdk.api_alipay_trade_query, "A-1")
        assert (found["trade_status"], found["trade_no"]) == ("TRADE_SUCCESS", paid["trade_no"])

        async def refund(request: str, yuan: str) -> dict[str, Any]:
            return await world.ask(
                world.sdk.api_alipay_trade_refund, yuan, "A-1", out_request_no=request
            )

        assert (await refund("R-1", "2.80"))["fund_change"] == "Y"
        assert (await refund("R-1", "2.80"))["fund_change"] == "N"
        assert (await refund("R-1", "2.81"))["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
        assert (await refund("R-2", "10.01"))["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
        told = await world.ask(
            world.sdk.api_alipay_trade_fastpay_refund_query, "R-1", out_trade_no="A-1"
        )
        assert (told["refund_amount"], told["refund_status"]) == ("2.80", "REFUND_SUCCESS")
        absent = await world.ask(
            world.sdk.api_alipay_trade_fastpay_refund_query, "R-9", out_trade_no="A-1"
        )
        assert "refund_status" not in absent
        assert (await refund("R-2", "10"))["refund_fee"] == "12.80"
        assert await world.left_minor() == OPENING_MINOR
        found = await world.ask(world.sdk.api_alipay_trade_query, trade_no=paid["trade_no"])
        assert found["trade_status"] == "TRADE_CLOSED"


async def test_a_large_amount_waits_for_the_password_and_a_code_works_once() -> None:
    async with opened() as world:
        code = await world.code()
        waiting = await world.pay("A-1", "1000.01", code)
        assert waiting["code"] == "10003"
        assert (await world.pay("A-1", "1000.01"))["trade_no"] == waiting["trade_no"]
        assert (await world.pay("A-2", "1", code))["sub_code"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"
        found = await world.ask(world.sdk.api_alipay_trade_query, "A-1")
        assert found["trade_status"] == "WAIT_BUYER_PAY"
        assert await world.left_minor() == OPENING_MINOR
        what = {"what": waiting["trade_no"]}
        for _ in range(2):
            status, said = await world.control(f"buyers/{BUYER}/confirm", what)
            assert (status, said["trade_status"]) == (200, "TRADE_SUCCESS")
        assert await world.left_minor() == OPENING_MINOR - 100_001
        assert (await world.pay("A-1", "1000.01"))["sub_code"] == "ACQ.TRADE_HAS_SUCCESS"


async def test_codes_and_waiting_trades_end_by_time() -> None:
    async with opened() as world:
        code = await world.code()
        world.clock.ms += 60_000
        assert (await world.pay("A-1", "1", code))["sub_code"] == "ACQ.PAYMENT_AUTH_CODE_INVALID"
        waiting = await world.pay("A-2", "1500")
        world.clock.ms += 15 * 60_000
        found = await world.ask(world.sdk.api_alipay_trade_query, "A-2")
        assert found["trade_status"] == "TRADE_CLOSED"
        status, _ = await world.control(f"buyers/{BUYER}/confirm", {"what": waiting["trade_no"]})
        assert status == 400
        assert await world.left_minor() == OPENING_MINOR


async def test_a_shown_code_is_no_trade_before_it_is_scanned() -> None:
    async with opened() as world:
        offer = world.sdk.api_alipay_trade_precreate
        shown = await world.ask(offer, "早餐", "A-1", "8.00")
        assert shown["qr_code"].startswith("https://qr.alipay.com/bax")
        assert (await world.ask(offer, "早餐", "A-1", "8.00"))["qr_code"] == shown["qr_code"]
        other = await world.ask(offer, "早餐", "A-1", "8.01")
        assert other["sub_code"] == "ACQ.CONTEXT_INCONSISTENT"
        query = world.sdk.api_alipay_trade_query
        assert (await world.ask(query, "A-1"))["sub_code"] == "ACQ.TRADE_NOT_EXIST"
        await world.control(f"buyers/{BUYER}/confirm", {"what": shown["qr_code"]})
        assert (await world.ask(query, "A-1"))["trade_status"] == "TRADE_SUCCESS"
        assert await world.left_minor() == OPENING_MINOR - 800


async def test_cancelling_undoes_whatever_became_of_a_trade() -> None:
    async with opened() as world:
        cancel = world.sdk.api_alipay_trade_cancel
        await world.pay("A-1", "5.00")
        for _ in range(2):
            assert (await world.ask(cancel, "A-1"))["action"] == "refund"
        assert await world.left_minor() == OPENING_MINOR
        await world.pay("A-2", "1500")
        assert (await world.ask(cancel, "A-2"))["action"] == "close"
        never = await world.ask(cancel, "A-3")
        assert (never["code"], never["retry_flag"]) == ("10000", "N")
        assert (await world.pay("A-3", "1"))["sub_code"] == "ACQ.TRADE_HAS_CLOSE"
        refund = await world.ask(world.sdk.api_alipay_trade_refund, "5.00", "A-1")
        assert refund["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
        assert await world.left_minor() == OPENING_MINOR


async def test_a_buyer_who_has_spent_the_money_meanwhile_cannot_confirm() -> None:
    async with opened() as world:
        waiting = await world.pay("A-1", "1500")
        await world.pay("A-2", "600")
        what = {"what": waiting["trade_no"]}
        status, said = await world.control(f"buyers/{BUYER}/confirm", what)
        assert (status, said["detail"]) == (400, "ACQ.BUYER_BALANCE_NOT_ENOUGH")
        found = await world.ask(world.sdk.api_alipay_trade_query, "A-1")
        assert found["trade_status"] == "WAIT_BUYER_PAY"


async def test_only_a_waiting_trade_is_closed() -> None:
    async with opened() as world:
        close = world.sdk.api_alipay_trade_close
        await world.pay("A-1", "1")
        assert (await world.ask(close, out_trade_no="A-1"))["sub_code"] == (
            "ACQ.REASON_TRADE_STATUS_INVALID"
        )
        await world.pay("A-2", "1500")
        assert (await world.ask(close, out_trade_no="A-2"))["code"] == "10000"
        assert (await world.pay("A-2", "1500"))["sub_code"] == "ACQ.TRADE_HAS_CLOSE"


@pytest.mark.parametrize(
    ("yuan", "sub_code"),
    [
        ("2000.01", "ACQ.BUYER_BALANCE_NOT_ENOUGH"),
        ("0", "ACQ.TOTAL_FEE_EXCEED"),
        ("100000000.01", "ACQ.TOTAL_FEE_EXCEED"),
        ("1.001", "ACQ.INVALID_PARAMETER"),
        ("-1", "ACQ.INVALID_PARAMETER"),
        ("1e3", "ACQ.INVALID_PARAMETER"),
    ],
)
async def test_an_amount_that_cannot_be_is_refused(yuan: str, sub_code: str) -> None:
    async with opened() as world:
        said = await world.pay("A-1", yuan)
        assert (said["code"], said["sub_code"]) == ("40004", sub_code)
        assert await world.left_minor() == OPENING_MINOR


async def test_the_sdk_refuses_an_answer_that_is_not_the_gateways() -> None:
    async with opened() as world:
        await world.control("faults", {"bad_signature": 1})
        with pytest.raises(AliPayValidationError):
            await world.pay("A-1", "1")
        assert (await world.ask(world.sdk.api_alipay_trade_query, "A-1"))["code"] == "10000"


async def test_a_strangers_signature_moves_nothing() -> None:
    async with opened() as world:
        world.sdk._app_private_key_string = private_pem(rsa_key("stranger"))
        world.sdk._load_key()
        said = await world.pay("A-1", "1")
        assert (said["code"], said["sub_code"]) == ("40002", "isv.invalid-signature")
        assert await world.left_minor() == OPENING_MINOR


async def test_a_method_that_there_is_not_is_an_error_response() -> None:
    async with opened() as world:
        with pytest.raises(AliPayException, match="isv"):
            await world.ask(world.sdk.api_alipay_fund_trans_order_query, "X")


GOOD = {
    "app_id": APP,
    "method": "alipay.trade.query",
    "format": "JSON",
    "charset": "utf-8",
    "sign_type": "RSA2",
    "timestamp": "2026-11-28 10:00:00",
    "version": "1.0",
    "biz_content": '{"out_trade_no":"A-1"}',
}


def signed(**changes: str) -> dict[str, str]:
    parameters = {name: text for name, text in (GOOD | changes).items() if text != "absent"}
    signature = rsa_key("seller").sign(sign_text(parameters), PKCS1v15(), SHA256())
    return parameters | {"sign": base64.b64encode(signature).decode()}


@pytest.mark.parametrize(
    ("changes", "sub_code"),
    [
        ({}, "ACQ.TRADE_NOT_EXIST"),
        ({"timestamp": "absent"}, "isv.missing-timestamp"),
        ({"biz_content": "absent"}, "isv.missing-biz-content"),
        ({"sign_type": "RSA"}, "isv.invalid-signature-type"),
        ({"charset": "gbk"}, "isv.invalid-charset"),
        ({"format": "XML"}, "isv.invalid-format"),
        ({"app_id": "2021000000000009"}, "isv.invalid-app-id"),
        ({"timestamp": "today"}, "isv.invalid-parameter"),
        ({"biz_content": "[1]"}, "isv.invalid-parameter"),
        ({"biz_content": "{"}, "isv.invalid-parameter"),
        ({"biz_content": "[" * 9000}, "isv.invalid-parameter"),
        ({"biz_content": '{"out_trade_no": 7}'}, "ACQ.INVALID_PARAMETER"),
        ({"method": "alipay.trade.pay"}, "ACQ.INVALID_PARAMETER"),
    ],
)
async def test_a_bare_request_is_refused_for_its_first_fault(
    changes: dict[str, str], sub_code: str
) -> None:
    async with opened() as world:
        answer = world.gateway.answer(b"", urlencode(signed(**changes)).encode())
        [fields] = [node for node in json.loads(answer).values() if isinstance(node, dict)]
        assert fields["sub_code"] == sub_code


async def test_what_stands_twice_or_cannot_be_read_is_refused() -> None:
    async with opened() as world:
        form = urlencode(signed()).encode()
        for query, body in ((b"method=alipay.trade.pay", form), (b"a=%ff", form), (b"\xff", form)):
            assert b'"40002"' in world.gateway.answer(query, body)
        async with world.http.post(f"{world.url}/gateway.do", data=b"x" * 40_000) as answer:
            assert answer.status == 400


async def test_a_key_that_is_no_rsa_key_is_refused() -> None:
    async with opened() as world:
        for key in ("AAAA", base64.b64encode(b"x" * 300).decode(), "not base64"):
            status, _ = await world.control("apps", {"app_id": APP, "public_key": key})
            assert status in {400, 422}
        assert (await world.pay("A-1", "1"))["code"] == "10000"
