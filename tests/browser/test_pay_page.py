"""The page behind a code that hangs in a shop, as the browser inside another wallet takes it."""

from typing import Any

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser

from backend.pay_page import routes
from backend.pay_page.desk import Opened
from backend.pay_page.model import STATIC_PATH
from backend.rate_limit import RateLimit
from faces.routes import add_routes
from tests.support.backend import StepClock
from tests.support.browser import opened_page
from transport.web import WebServer

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser"),
]  # fmt: skip
WALLETS_CODE = "https://qr.alipay.com/bax01"


class FakeDesk:
    """A shop whose payments the payer's wallet takes at its own address."""

    async def code(self, code_id: str) -> dict[str, Any]:
        return {"code_id": code_id, "merchant": "晨光便利店"}

    async def begin(self, code_id: str, amount_minor: int) -> str:
        assert (code_id, amount_minor) == ("code1", 1_280)
        return "pay_1"

    async def open(self, payment_id: str, wallet: str) -> Opened:
        assert payment_id == "pay_1"
        return Opened({}, WALLETS_CODE)


async def test_a_typed_amount_leads_to_the_wallets_own_code(browser: Browser) -> None:
    tries = RateLimit(
        now_ms=StepClock().now_ms, window_ms=60_000, each_max=20, all_max=20, callers_max=10
    )
    app = FastAPI()
    add_routes(app, routes.router(FakeDesk(), tries))  # type: ignore[arg-type]
    http = WebServer(host="127.0.0.1", port=0, connections_max=16, stop_s=1)
    await http.start(app)
    try:
        async with opened_page(browser) as page:
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text))
            await page.goto(f"http://127.0.0.1:{http.port}{STATIC_PATH}code1")
            await page.fill("#amount", "12.80")
            async with page.expect_request(WALLETS_CODE):
                await page.click("button")
            assert not [words for words in said if "Content Security Policy" in words]
    finally:
        await http.stop()
