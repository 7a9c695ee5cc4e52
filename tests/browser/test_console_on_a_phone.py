"""The console on a phone of 390 pixels, and between that and a desk, in a real browser, without a
script."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import LARGE, opened_page
from tests.support.console_scenes import RunningConsole, running_console, sign_in
from tests.support.wallet_phone import PHONE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
BRIEF_PX_MAX = 120
FLOW_PX_MAX, ACT_PX_MAX = 90, 156
LONG_NAME = "() => { document.querySelector('.top .me strong').textContent = 'w'.repeat(40) }"
HEIGHTS = "() => [...document.querySelectorAll('.brief tbody tr')].map((row) => row.offsetHeight)"
UNFIT = """
(row) => [...row.cells].filter((cell) => cell.checkVisibility())
  .filter((cell) => cell.scrollWidth > cell.clientWidth + 1 || cell.clientHeight > 32)
  .map((cell) => `${cell.innerText}: ${cell.scrollWidth} in ${cell.clientWidth}`)
"""
"""What is wider than its place, and would lie over the next, or takes two lines."""
SIDEWAYS = """
() => [document.documentElement, ...document.querySelectorAll('.scroll')]
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .map((one) => `${one.className || 'page'}: ${one.scrollWidth} in ${one.clientWidth}`)
"""
OVER_OTHERS = """
() => [...document.querySelectorAll('.scroll td')]
  .filter((cell) => cell.scrollWidth > cell.clientWidth + 1)
  .map((cell) => cell.innerText)
"""
LABEL = "(cell) => getComputedStyle(cell, '::before').content"
PLAIN = {"viewport": LARGE, "ignore_https_errors": True, "java_script_enabled": False}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path_factory.mktemp("console")) as running:
        yield running


async def test_on_a_phone_the_menu_opens_by_keyboard_without_a_script_and_a_list_is_cards(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **{**PLAIN, "viewport": dict(PHONE)}) as page:
        await sign_in(console, page, "li.na", "en")
        menu = page.locator("nav.side")
        assert not await menu.is_visible()
        await page.focus(".top .menu")
        await page.keyboard.press("Enter")
        await menu.wait_for()
        await page.keyboard.press("Escape")
        await menu.wait_for(state="hidden")
        await page.keyboard.press("Enter")
        await menu.get_by_role("link", name="Refunds").focus()
        await page.keyboard.press("Enter")
        row = page.get_by_role("table").get_by_role("row").nth(1)
        amount = row.get_by_role("cell").nth(1)
        assert (await amount.inner_text()).startswith("¥")
        assert await amount.evaluate(LABEL) == '"Amount" / ""'
        boxes = [await one.bounding_box() for one in await row.get_by_role("cell").all()]
        assert len({round(box["x"]) for box in boxes if box}) == 1
        names = await page.get_by_role("columnheader").all_inner_texts()
        assert names[:2] == ["Time", "Amount"]
        await page.goto(f"{console.base}/payments")
        assert not await page.locator("[name='amount']").is_visible()
        cards = page.locator(".of-payments tbody tr")
        heights = [await one.evaluate("(one) => one.offsetHeight") for one in await cards.all()]
        assert max(heights) <= BRIEF_PX_MAX, heights
        third = await cards.nth(2).bounding_box()
        assert third["y"] + third["height"] <= PHONE["height"]  # type: ignore[index]
        await page.goto(f"{console.base}/callbacks")
        heights = await page.evaluate(HEIGHTS)
        assert heights
        assert max(heights) <= BRIEF_PX_MAX


async def test_on_a_phone_flows_and_acts_are_short_and_a_long_name_leaves_the_way_out_in_the_bar(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **{**PLAIN, "viewport": dict(PHONE)}) as page:
        await sign_in(console, page, "ops", "en")
        bar = await page.locator(".top").bounding_box()
        await page.evaluate(LONG_NAME)
        way_out = await page.locator(".top form button").bounding_box()
        assert bar == await page.locator(".top").bounding_box()
        assert way_out["x"] + way_out["width"] <= PHONE["width"]  # type: ignore[index]
        assert (await page.get_attribute(".top .me", "title") or "").startswith("ops · ")
        await page.goto(f"{console.base}/flows")
        first = page.locator(".of-flows tbody tr")
        heights = [await row.evaluate("(one) => one.offsetHeight") for row in await first.all()]
        assert max(heights) <= FLOW_PX_MAX, heights
        unfit = [await row.evaluate(UNFIT) for row in await first.all()]
        assert not any(unfit), unfit
        told = await first.nth(0).inner_text()
        assert re.search(r"Sale by pay code\s+\d+\s.*≤ \d+ ms", told, re.DOTALL), told
        fifth = await first.nth(4).bounding_box()
        assert fifth["y"] + fifth["height"] <= PHONE["height"]  # type: ignore[index]
        await page.goto(f"{console.base}/audit")
        assert not await page.locator("[name='actor']").is_visible()
        acts = page.locator(".of-acts tbody tr")
        heights = [await row.evaluate("(one) => one.offsetHeight") for row in await acts.all()]
        assert sorted(heights)[len(heights) // 2] <= ACT_PX_MAX, heights
        second = await acts.nth(1).bounding_box()
        assert second["y"] + second["height"] <= PHONE["height"]  # type: ignore[index]
        await page.focus(".fold-filters summary")
        await page.keyboard.press("Enter")
        await page.fill("[name='actor']", "ops")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**actor=ops**")
        assert await page.locator("[name='actor']").is_visible()
    async with opened_page(browser, **PLAIN) as page:
        await sign_in(console, page, "ops", "en")
        await page.goto(f"{console.base}/audit")
        assert await page.locator("[name='actor']").is_visible()
        await page.focus("[name='actor']")
        await page.keyboard.type("ops")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**actor=ops**")


async def test_between_a_phone_and_a_desk_payments_and_refunds_are_whole_without_scrolling_sideways(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
        for name, language in (("ops", "en"), ("li.na", "zh")):
            await sign_in(console, page, name, language)
            for path in ("payments", "refunds"):
                await page.goto(f"{console.base}/{path}")
                assert await page.locator(".scroll tbody tr").count() > 0
                for width in (601, 680, 768, 900):
                    await page.set_viewport_size({"width": width, "height": 900})
                    where = f"{path} of {name} at {width}"
                    assert await page.evaluate(SIDEWAYS) == [], where
                    assert await page.evaluate(OVER_OTHERS) == [], where
            await page.context.clear_cookies()
