"""The main stories of the till in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import opened_page
from tests.support.tills import running_till
from tests.unit.terminal.fakes import CODE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_sale_by_scan_from_key_to_paid_without_a_pointer(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await page.goto(f"{till.base}/?lang=en")
        await page.keyboard.type("1280")
        assert await page.inner_text("#amount") == "12.80"
        await page.reload()
        assert await page.inner_text("#amount") == "12.80"
        till.scanner.show(CODE)
        await page.keyboard.press("F3")
        await page.wait_for_selector('[data-kind="paid"]')
        assert "12.80" in await page.inner_text("main")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".pad")
        assert await page.inner_text("#amount") == "0.00"
        assert all(url.startswith(till.base) for url in page.asked)  # type: ignore[attr-defined]


async def test_the_code_is_on_the_till_and_on_the_customer_s_side(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_till(tmp_path) as till, opened_page(browser) as page, opened_page(browser) as side,
    ):  # fmt: skip
        till.backend.state, till.backend.fields = "awaiting_payer", {"code_url": "tillway://p/1"}
        await side.goto(f"{till.base}/customer?lang=zh")
        await page.goto(f"{till.base}/?lang=zh")
        await page.tap('[data-key="5"]')
        await page.tap('[data-key="00"]')
        await page.tap('[data-do="charge"].primary')
        await page.tap('[data-method="merchant_qr"]')
        for shown in (page, side):
            await shown.wait_for_selector(".white svg")
            box = await shown.locator(".white").bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 320
            assert "请扫码支付" in await shown.inner_text("main")
        await page.keyboard.press("Escape")
        await page.wait_for_selector('[data-kind="closed"]')
