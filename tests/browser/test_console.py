"""The console in a real browser: a merchant's story without a script, and every screen for axe."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser.test_till_screens import AXE, faults
from tests.support.browser import LARGE, opened_page
from tests.support.console_scenes import running_console, scenes, sign_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
OVER = "() => document.documentElement.scrollWidth > innerWidth + 1"


async def test_a_merchant_finds_a_payment_and_gives_a_part_back_by_keyboard_without_a_script(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_console(tmp_path) as console,
        opened_page(
            browser, viewport=LARGE, ignore_https_errors=True, java_script_enabled=False
        ) as page,
    ):
        await sign_in(console, page, "li.na", "en")
        await page.click("text=Payments")
        await page.fill('[name="number"]', console.latest)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=What happened")
        assert "¥24.50" in await page.inner_text("h1")
        await page.fill('main [name="amount"]', "4.50")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=Refund now")
        await page.focus('button:has-text("Refund now")')
        await page.keyboard.press("Enter")
        await page.wait_for_selector("ol.timeline >> text=Partly refunded")
        assert re.search(r"Left to give back\s+¥20\.00", await page.inner_text("main"))
        await page.click("text=Sign out")
        await page.goto(f"{console.base}/payments")
        await page.wait_for_selector('[name="password"]')
        origin = console.served.url("public")
        assert all(url.startswith(origin) for url in page.asked)  # type: ignore[attr-defined]


async def test_a_merchant_withdraws_and_sends_a_callback_again_without_a_script(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_console(tmp_path) as console,
        opened_page(
            browser, viewport=LARGE, ignore_https_errors=True, java_script_enabled=False
        ) as page,
    ):
        await sign_in(console, page, "li.na", "en")
        await page.click("nav >> text=Settlements")
        await page.fill('[name="amount"]', "43.65")
        await page.keyboard.press("Enter")
        await page.focus('button:has-text("Withdraw now")')
        await page.keyboard.press("Enter")
        await page.wait_for_selector("td >> text=¥43.65")
        await page.click("nav >> text=Settlements")
        assert "¥100.00" in await page.inner_text("main .tiles")
        await page.click("nav >> text=Callbacks")
        await page.select_option('[name="state"]', "dead")
        await page.click('button:has-text("Filter")')
        await page.click("text=中文")
        assert await page.input_value('[name="state"]') == "dead"
        await page.click("main table a")
        await page.click('button:has-text("重新发送")')
        await page.wait_for_selector("td >> text=console:li.na")


@pytest.mark.timeout(120)
async def test_every_screen_is_readable_and_whole_in_either_language(
    browser: Browser, tmp_path: Path
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed (deploy/setup/npm_readers.py)")
    wrong: list[str] = []
    async with (
        running_console(tmp_path) as console,
        opened_page(browser, viewport=LARGE, ignore_https_errors=True, bypass_csp=True) as page,
    ):
        for language in ("zh", "en"):
            async for name in scenes(console, page, language):
                wrong += [f"{name} {language}: {fault}" for fault in await faults(page)]
                if await page.evaluate(OVER):
                    wrong.append(f"{name} {language}: wider than the window")
    assert not wrong, "\n".join(sorted(set(wrong)))
