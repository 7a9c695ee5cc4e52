"""A shop behind the front page that is all fakes, and the scenes of its guide."""

import io
from collections.abc import AsyncIterator
from typing import Any

from PIL import Image
from playwright.async_api import Page

from protocol.crypto import generate
from protocol.errors import TillwayError
from tillway.demo.phone import Phone, read_qr
from tillway.demo.till import Till
from tillway.front.parts import Link, Place
from tillway.front.shop import Shop
from tillway.json_api import JsonApi

START_MS = 1_795_872_452_000
PAYMENT = "pay_01M8H5DVHY52HT5B2K0AEV066C"
PAY_CODE = "100123456789012345"
SALE: dict[str, Any] = {
    "payment_id": PAYMENT, "state": "paid", "method": "pay_code", "amount": "12.80",
    "amount_minor": 1280, "currency": "CNY", "error_code": None, "created_at_ms": START_MS,
    "sent_at_ms": START_MS + 300, "settled_at_ms": START_MS + 335,
}  # fmt: skip


def payment(ahead_ms: int = 0) -> dict[str, Any]:
    """What the backend says about the payment, by a clock that is ahead."""
    at_ms = START_MS + 320 + ahead_ms
    return {
        "payment_id": PAYMENT, "merchant_id": "mch-1", "payer_id": "pyr_1", "currency": "CNY",
        "trace_id": "ab" * 16, "created_at_ms": at_ms, "updated_at_ms": at_ms,
        "verdict": {"action": "allow", "rule": "none"},
        "timeline": [{"event": "PaymentCaptured", "at_ms": at_ms, "actor": "device:pos-1"}],
    }  # fmt: skip


def entries(ahead_ms: int = 0) -> list[dict[str, Any]]:
    """Both statements' entries of it."""
    at_ms = START_MS + 320 + ahead_ms
    payer, merchant = "C:CUST:pyr_1:CNY", "C:MPEND:mch-1:CNY"
    rows = [
        (merchant, f"{PAYMENT}:1", payer, 1280),
        (merchant, f"{PAYMENT}:2", "C:UNSWEPT:CNY", -8),
        (payer, f"{PAYMENT}:1", merchant, -1280),
    ]
    return [
        {
            "account_id": account, "transfer_id": transfer, "counter_account": counter,
            "amount_minor": amount, "rule": "balance_paid", "at_ms": at_ms,
        }
        for account, transfer, counter, amount in rows
    ]  # fmt: skip


class FakeTill(Till):
    """A till that sells at once; ``declines`` names why it does not."""

    def __init__(self) -> None:
        super().__init__("pos-1", JsonApi("http://127.0.0.1:1"))
        self.state, self.declines, self.presented = "", "", b""

    def sell(self, amount_minor: int, method: str) -> str:
        assert method == "pay_code"
        self.state, self.amount = "scanning", f"{amount_minor // 100}.{amount_minor % 100:02d}"
        return PAYMENT

    def sale(self, payment_id: str) -> dict[str, Any]:
        assert payment_id == PAYMENT
        shown = SALE | {"state": self.state, "amount": self.amount}
        if self.state == "scanning":
            shown |= {"sent_at_ms": None, "settled_at_ms": None}
        return shown | {"error_code": self.declines or None}

    def screen(self) -> dict[str, Any]:
        return {"kind": self.state or "keypad", "subject": PAYMENT if self.state else None}

    def present(self, picture: bytes) -> None:
        assert read_qr(picture) == PAY_CODE
        self.state = "declined" if self.declines else "paid"

    def recent(self, count: int = 0) -> list[dict[str, Any]]:
        return [self.sale(PAYMENT)] if self.state else []

    def dismiss(self) -> None:
        self.state = ""

    def receipts(self) -> list[dict[str, Any]]:
        return [{"number": 1, "codes": [PAYMENT], "text": "12.80"}]

    def picture(self, receipt: dict[str, Any]) -> bytes:
        png = io.BytesIO()
        Image.new("L", (384, 600), 255).save(png, "PNG")
        return png.getvalue()


class FakePhone(Phone):
    """A wallet with one code."""

    def pay_code(self) -> str:
        return PAY_CODE


class FakeOperator(JsonApi):
    """The backend's interface, with one payment."""

    def get(self, path: str) -> Any:
        if path.startswith("/operator/v1/clock"):
            return {"now_ms": START_MS + 400}
        if path.startswith("/operator/v1/payments/"):
            return payment()
        if path.startswith("/operator/v1/sagas/"):
            return {"sagas": []}
        account = path.split("/")[5]
        return {"entries": [entry for entry in entries() if entry["account_id"] == account]}


def passages() -> list[dict[str, Any]]:
    """What the hub remembers of the payment's request."""
    steps = {"received": 302, "spooled": 305, "forwarded": 306, "answered": 330, "handed_over": 336}
    return [{f"{step}_at_ms": START_MS + ms for step, ms in steps.items()}]


class FakeHub(JsonApi):
    """The hub's status port."""

    def get(self, path: str) -> Any:
        assert path == f"/passages/{'ab' * 16}"
        return {"passages": passages()}


class Program:
    """A program that says it is well, until it is stopped."""

    url = "http://127.0.0.1:8480"
    error: TillwayError | None = None

    def call(self, method: str, path: str) -> bytes:
        if self.error is not None:
            raise self.error
        return b'{"ready": true, "connected": 1, "spool_rows": 0}'


def fake_shop(program: Program) -> Shop:
    """One till, one phone, a hub."""
    till, key = FakeTill(), generate("Ed25519")
    phone = FakePhone(
        payer_id="pyr_1", name="", api=JsonApi(""), key=key, pin="", code_secret=b"", code_route=0
    )
    places = (Place("hub", "hub-1", (program,), (Link("open", f"{program.url}/"),)),)
    return Shop(
        till=till, tills=(till,), phone=phone, operator=FakeOperator(""), places=places,
        now_ms=lambda: START_MS + 400, hub=FakeHub(""),
    )  # fmt: skip


async def scenes(page: Page, url: str, language: str) -> AsyncIterator[str]:
    """The guide, step by step, as a stranger clicks through it."""
    await page.goto(f"{url}?lang={language}")
    await page.wait_for_selector('[data-step="key"]')
    yield "key"
    for act, then in (("key", "show"), ("show", "scan"), ("scan", "receipt"), ("look", "postings")):
        await page.click(f'[data-do="{act}"]')
        await page.wait_for_selector(f'[data-step="{then}"]')
        if then in {"scan", "receipt"}:
            await page.wait_for_function(
                "() => [...document.images].every((each) => each.complete && each.naturalWidth)"
            )
        if then == "postings":
            await page.wait_for_selector("[data-step] td")
        yield then
    await page.click('[data-do="again"]')
    await page.wait_for_selector('[data-step="key"]')
