"""The main stories of the till in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import opened_page
from tests.support.till_scenes import charge, ready_keypad, shows, sign
from tests.support.tills import running_till
from tests.unit.terminal.fakes import CODE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_sale_by_scan_from_sign_in_to_paid_without_a_pointer(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.keyboard.type("1280")
        assert await page.inner_text("[data-shown]") == "12.80"
        await page.reload()
        assert await page.inner_text("[data-shown]") == "12.80"
        till.scanner.show(CODE)
        await page.keyboard.press("F3")
        await shows(page, "paid")
        assert "12.80" in await page.inner_text("main")
        await page.reload()
        await shows(page, "paid")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")
        assert await page.inner_text("[data-shown]") == "0.00"
        assert all(url.startswith(till.base) for url in page.asked)  # type: ignore[attr-defined]


async def test_a_scanner_that_types_pays_from_the_keypad_in_one_act(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.keyboard.type("350")
        await page.wait_for_timeout(550)  # the next burst is another one
        await page.keyboard.type(CODE)
        await page.keyboard.press("Enter")
        await shows(page, "paid")
        assert "3.50" in await page.inner_text("main")
        assert till.backend.seen.count("payment.create") == 1


async def test_a_double_tap_makes_one_payment(browser: Browser, tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.keyboard.type("500")
        await page.evaluate("""() => {
          const pad = document.querySelector('[data-pad]');
          const token = document.querySelector('meta[name="page-token"]').content;
          const body = JSON.stringify({amount_minor: 500, currency: 'CNY', method: 'merchant_qr',
            draft_id: pad.dataset.draft});
          const headers = {'content-type': 'application/json', 'x-page-token': token};
          return Promise.all([1, 2, 3].map(() =>
            fetch('/api/sales', {method: 'POST', headers, body})));
        }""")
        await shows(page, "paid")
        assert till.backend.seen.count("payment.create") == 1


async def test_the_code_is_on_the_till_and_on_the_customer_s_side(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_till(tmp_path) as till, opened_page(browser) as page, opened_page(browser) as side,
    ):  # fmt: skip
        till.backend.state, till.backend.fields = "awaiting_payer", {"code_url": "tillway://p/1"}
        await ready_keypad(till, page)
        await side.goto(f"{till.base}/customer?lang=zh")
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
        await page.reload()
        await shows(page, "qr")
        await page.keyboard.press("Escape")
        await shows(page, "closed")


async def test_a_refund_needs_a_supervisor_and_a_wrong_pin_is_asked_again(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await charge(page, "1000", way="merchant_qr")
        await shows(page, "paid")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")
        await page.keyboard.press("F4")
        await page.click(".list a")
        await page.wait_for_selector(".refund")
        await page.keyboard.type("400")
        await page.keyboard.press("F2")
        await page.wait_for_selector("#approve[open]")
        await page.keyboard.type("1111")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#approve [data-refusal]:not([hidden])")
        await sign(page)
        await shows(page, "refund_done")
        assert till.backend.seen.count("refund.create") == 1


async def test_unknown_stays_over_a_reload_and_is_resolved_when_the_line_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        till.backend.is_cut_off = True
        await charge(page, "800", way="merchant_qr")
        await shows(page, "unknown")
        till.link.cut()
        await page.reload()
        await shows(page, "unknown")
        assert "do not charge again" in await page.inner_text("main")
        assert await page.inner_text(".badge.offline")
        await page.click('[data-do="park"]')
        await shows(page, "keypad")
        assert "8.00" in await page.inner_text(".badge.offline")
        till.backend.is_cut_off = False
        till.link.mend()
        await page.wait_for_selector(".badge.offline", state="detached")
