"""UnionPay's QR gateway, as a merchant's program that checks every answer sees it over a socket."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from backend.sandbox.acp.days import PAYEE, Days
from backend.sandbox.acp.gateway import Gateway, Seal
from backend.sandbox.acp.program import build_app, make_seal, own_seal
from backend.sandbox.acp.transactions import Transactions
from tests.support.houses import HandClock, near_house, served

MERCHANT, PAYER, OPENING_MINOR = "777290058110048", "hanmeimei", 200_000
NOW = datetime(2026, 11, 28, tzinfo=UTC)
TIME = "20261128100000"
pytestmark = pytest.mark.asyncio


@cache
def keys(_whose: str) -> tuple[RSAPrivateKey, x509.Certificate, x509.Certificate]:
    return make_seal(NOW)


def digest_of(form: dict[str, str]) -> bytes:
    """What is signed, written anew from the documents."""
    pairs = [f"{name}={form[name]}" for name in sorted(form) if name != "signature" and form[name]]
    return hashlib.sha256("&".join(pairs).encode()).hexdigest().encode()


def read_answer(text: str, root: x509.Certificate) -> dict[str, str]:
    """The fields of an answer whose signature and certificate hold."""
    fields = dict(pair.split("=", 1) for pair in text.split("&"))
    certificate = x509.load_pem_x509_certificate(fields["signPubKeyCert"].encode())
    certificate.verify_directly_issued_by(root)
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    signature = base64.b64decode(fields["signature"])
    key.verify(signature, digest_of(fields), PKCS1v15(), SHA256())
    return fields


@dataclass
class World:
    """A gateway that listens, a merchant and a payer."""

    url: str
    clock: HandClock
    http: aiohttp.ClientSession
    root: x509.Certificate
    signer: str = "merchant"

    async def send(self, kind: str, order: str, **more: str) -> dict[str, str]:
        """One message: its type and sub-type, the order's number, and what differs."""
        key, certificate, _ = keys(self.signer)
        form = {
            "version": "5.1.0",
            "encoding": "UTF-8",
            "signMethod": "01",
            "certId": str(certificate.serial_number),
            "txnType": kind[:2],
            "txnSubType": kind[2:],
            "bizType": "000000",
            "accessType": "0",
            "channelType": "08",
            "merId": MERCHANT,
            "orderId": order,
            "txnTime": TIME,
            "currencyCode": "156",
        } | more
        form = {name: value for name, value in form.items() if value != "absent"}
        signature = key.sign(digest_of(form), PKCS1v15(), SHA256())
        form["signature"] = base64.b64encode(signature).decode()
        return await self.post(urlencode(form).encode(), is_query=kind == "0000")

    async def post(self, body: bytes, *, is_query: bool = False) -> dict[str, str]:
        path = "queryTrans.do" if is_query else "backTransReq.do"
        async with self.http.post(f"{self.url}/gateway/api/{path}", data=body) as answer:
            return read_answer(await answer.text(), self.root)

    async def pay(self, order: str, minor: int, code: str | None = None) -> dict[str, str]:
        shown = await self.code() if code is None else code
        return await self.send("0106", order, txnAmt=str(minor), qrNo=shown, termId="10000001")

    async def state(self, order: str) -> str:
        return (await self.send("0000", order))["origRespCode"]

    async def control(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.url}/control/{path}", json=body) as answer:
            return answer.status, await answer.json()

    async def code(self) -> str:
        return str((await self.control(f"payers/{PAYER}/code", {}))[1]["qrNo"])

    async def left_minor(self) -> int:
        async with self.http.get(f"{self.url}/control/payers/{PAYER}") as answer:
            return int((await answer.json())["balance_minor"])


@asynccontextmanager
async def opened() -> AsyncIterator[World]:
    clock = HandClock()
    clock.at(date(2026, 11, 28))
    house = near_house("acp", clock)
    counter = iter(range(10**6))
    transactions = Transactions(house.books, lambda count: f"{next(counter):0{count}}")
    days = Days(house.books, PAYEE)
    gateway = Gateway(house, transactions, Seal(*keys("unionpay")), days)
    async with served(build_app(gateway)) as url, aiohttp.ClientSession() as http:
        world = World(url, clock, http, keys("unionpay")[2])
        certificate = keys("merchant")[1].public_bytes(Encoding.PEM).decode()
        merchant = {"mer_id": MERCHANT, "certificate": certificate}
        assert (await world.control("merchants", merchant))[0] == 200
        payer = {"payer": PAYER, "opening_minor": OPENING_MINOR, "password_free_minor": 100_000}
        assert (await world.control("payers", payer))[0] == 200
        yield world
    house.books.close()


async def test_a_scanned_code_is_paid_queried_and_given_back_in_parts() -> None:
    async with opened() as world:
        code = await world.code()
        assert code.startswith("62")
        assert len(code) == 19
        paid = await world.pay("ORDER001", 1280, code)
        assert (paid["respCode"], paid["txnAmt"], paid["orderId"]) == ("00", "1280", "ORDER001")
        assert len(paid["queryId"]) == 21
        assert await world.left_minor() == OPENING_MINOR - 1280
        assert await world.state("ORDER001") == "00"

        async def refund(order: str, minor: int) -> str:
            about = paid["queryId"]
            answer = await world.send("0400", order, txnAmt=str(minor), origQryId=about)
            return answer["respCode"]

        assert [await refund("REFUND01", 280), await refund("REFUND01", 280)] == ["00", "12"]
        assert await refund("REFUND02", 1001) == "36"
        assert await refund("REFUND02", 1000) == "00"
        assert await refund("REFUND03", 1) == "36"
        assert await world.left_minor() == OPENING_MINOR


async def test_an_order_is_charged_once_and_a_code_works_once() -> None:
    async with opened() as world:
        code = await world.code()
        assert (await world.pay("ORDER001", 100, code))["respCode"] == "00"
        assert (await world.pay("ORDER001", 100))["respCode"] == "12"
        assert (await world.pay("ORDER002", 100, code))["respCode"] == "61"
        late = await world.code()
        world.clock.ms += 60_000
        assert (await world.pay("ORDER003", 100, late))["respCode"] == "61"
        assert (await world.pay("ORDER004", OPENING_MINOR))["respCode"] == "64"
        assert await world.left_minor() == OPENING_MINOR - 100


async def test_a_large_amount_waits_for_the_password_and_not_for_ever() -> None:
    async with opened() as world:
        waiting = await world.pay("ORDER001", 100_001)
        assert (waiting["respCode"], await world.state("ORDER001")) == ("05", "05")
        what = {"what": waiting["queryId"]}
        early = await world.send("0400", "REFUND01", txnAmt="1", origQryId=waiting["queryId"])
        assert early["respCode"] == "35"
        for _ in range(2):
            assert (await world.control(f"payers/{PAYER}/confirm", what))[0] == 200
        assert await world.state("ORDER001") == "00"
        assert await world.left_minor() == OPENING_MINOR - 100_001
        shown = await world.send("0107", "ORDER002", txnAmt="100000")
        what = {"what": shown["qrCode"]}
        status, said = await world.control(f"payers/{PAYER}/confirm", what)
        assert (status, said["detail"]) == (400, "64")
        world.clock.ms += 15 * 60_000
        assert await world.state("ORDER002") == "01"
        assert (await world.control(f"payers/{PAYER}/confirm", what))[1]["detail"] != "64"


async def test_a_shown_code_is_paid_by_whoever_scans_it() -> None:
    async with opened() as world:
        shown = await world.send("0107", "ORDER001", txnAmt="800")
        assert shown["qrCode"].startswith("https://qr.95516.com/")
        assert await world.state("ORDER001") == "05"
        await world.control(f"payers/{PAYER}/confirm", {"what": shown["qrCode"]})
        assert await world.state("ORDER001") == "00"
        assert await world.left_minor() == OPENING_MINOR - 800


async def test_a_void_takes_the_whole_back_on_its_day_only() -> None:
    async with opened() as world:
        first, second = await world.pay("ORDER001", 500), await world.pay("ORDER002", 700)

        async def void(order: str, paid: dict[str, str], minor: int) -> str:
            about = paid["queryId"]
            answer = await world.send("3100", order, txnAmt=str(minor), origQryId=about)
            return answer["respCode"]

        assert await void("VOID0001", first, 499) == "36"
        assert await void("VOID0001", first, 500) == "00"
        assert await void("VOID0002", first, 500) == "35"
        world.clock.at(date(2026, 11, 29))
        assert await void("VOID0003", second, 700) == "35"
        unknown = {"queryId": "1" * 21}
        assert await void("VOID0004", unknown, 700) == "34"
        assert await world.left_minor() == OPENING_MINOR - 700


async def test_a_reversal_undoes_what_is_unknown_even_if_it_comes_first() -> None:
    async with opened() as world:
        await world.pay("ORDER001", 500)
        for _ in range(2):
            assert (await world.send("9901", "ORDER001"))["respCode"] == "00"
        assert await world.state("ORDER001") == "01"
        assert (await world.send("9901", "ORDER002"))["respCode"] == "00"
        assert (await world.pay("ORDER002", 500))["respCode"] == "12"
        paid = await world.pay("ORDER003", 500)
        await world.send("0400", "REFUND01", txnAmt="1", origQryId=paid["queryId"])
        assert (await world.send("9901", "ORDER003"))["respCode"] == "35"
        assert (await world.send("9901", "REFUND01"))["respCode"] == "35"
        assert await world.left_minor() == OPENING_MINOR - 499


async def test_every_message_is_refused_for_its_first_fault() -> None:
    async with opened() as world:
        good = {"txnAmt": "100", "qrNo": "62" + "0" * 17}
        for changes, code in (
            ({"txnAmt": "absent"}, "13"),
            ({"orderId": "absent"}, "13"),
            ({"qrNo": "absent"}, "13"),
            ({"orderId": "short"}, "10"),
            ({"txnTime": "today"}, "10"),
            ({"version": "5.0.0"}, "10"),
            ({"currencyCode": "840"}, "10"),
            ({"txnAmt": "1.00"}, "10"),
            ({"txnAmt": "0"}, "33"),
            ({"txnSubType": "99"}, "10"),
            ({"certId": "1"}, "11"),
            ({"merId": "777290058110049"}, "11"),
        ):
            answer = await world.send("0106", "ORDER001", **(good | changes))
            assert answer["respCode"] == code, changes
        assert (await world.send("0000", "ORDER001"))["respCode"] == "34"
        assert (await world.post(b""))["respCode"] == "13"
        for body in (b"\xff", b"a=1&a=2", b"a=%ff", b"a"):
            assert (await world.post(body))["respCode"] == "10"
        assert (await world.post(b"&".join(b"a%d=1" % n for n in range(99))))["respCode"] == "10"
        slipped = await world.send("0106", "ORDER001&respCode=00", **good)
        assert (slipped["respCode"], "orderId" in slipped) == ("10", False)
        world.signer = "stranger"
        _, certificate, _ = keys("merchant")
        forged = await world.send("0106", "ORDER001", **good, certId=str(certificate.serial_number))
        assert forged["respCode"] == "11"
        assert await world.left_minor() == OPENING_MINOR


async def test_faults_strike_and_nothing_is_charged_twice() -> None:
    async with opened() as world:
        await world.control("faults", {"drop_answer_after_commit": 1})
        with pytest.raises(ValueError, match="dictionary update"):
            await world.pay("ORDER001", 100)
        assert await world.state("ORDER001") == "00"
        await world.control("faults", {"duplicate": 1})
        assert (await world.pay("ORDER002", 100))["respCode"] == "12"
        assert await world.left_minor() == OPENING_MINOR - 200
        certificate = {"mer_id": MERCHANT, "certificate": "none"}
        assert (await world.control("merchants", certificate))[0] == 400


async def test_the_seal_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    first = own_seal(tmp_path, NOW)
    assert own_seal(tmp_path, NOW).certificate == first.certificate
    assert (tmp_path / "gateway.pem").stat().st_mode & 0o077 == 0
    first.certificate.verify_directly_issued_by(first.root)
