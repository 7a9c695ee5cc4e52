"""What hands do at the till: fingers alone, with a number pad, and before the page is ready."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route

from tests.support.browser import opened_page
from tests.support.till_scenes import GOODS, pay_by_code, ready_keypad, scan, shows, sign
from tests.support.tills import running_till

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

HAS_FOCUS = "place => document.querySelector(place) === document.activeElement"


async def tap(page: Page, digits: str) -> None:
    """Key digits by finger."""
    for digit in digits:
        await page.tap(f'main [data-key="{digit}"]')


async def test_what_is_pressed_before_the_page_s_modules_have_run_is_not_lost(
    browser: Browser, tmp_path: Path
) -> None:
    held = asyncio.Event()

    async def late(route: Route) -> None:
        await held.wait()
        await route.continue_()

    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.route("**/till.js*", late)
        await page.goto(f"{till.base}/", wait_until="commit")
        await tap(page, "12")
        await page.keyboard.press("8")
        assert await page.inner_text("[data-shown]") == "0.00"
        held.set()
        await page.wait_for_selector('[data-shown]:text-is("1.28")')
        await page.tap('main [data-key="0"]')
        assert await page.inner_text("[data-shown]") == "12.80"


async def test_the_keypad_loads_nothing_of_the_pages_beside_it(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
        await ready_keypad(till, page, language="en")
        await page.wait_for_load_state("networkidle")
        asked.clear()
        await page.goto(f"{till.base}/")
        await tap(page, "1280")
        await page.tap('[data-do="charge"]')
        await shows(page, "choosing")
        assert "till.js" in asked
        assert "drawer.js" not in asked
        await page.goto(f"{till.base}/shift")
        await page.wait_for_selector('[data-do="print_x"]')
        await page.wait_for_load_state("networkidle")
        assert "drawer.js" in asked


async def test_enter_on_a_number_pad_charges_what_a_finger_has_keyed(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await tap(page, "12")
        for key in ("Numpad8", "Numpad0"):  # as without NumLock
            await page.keyboard.press(key)
        assert await page.inner_text("[data-shown]") == "12.80"
        await page.tap('main [data-key="0"]')
        await page.tap('main [data-key="back"]')
        await page.keyboard.press("NumpadEnter")
        await shows(page, "choosing")
        assert "12.80" in await page.inner_text("main")


async def test_a_shift_is_closed_over_a_difference_by_finger_alone(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.goto(f"{till.base}/shift/close")
        await tap(page, "100")
        await page.tap('[data-do="close_shift"]')
        await page.wait_for_selector("main [data-refusal]:not([hidden])")
        await page.wait_for_function(HAS_FOCUS, arg='[data-fills="reason"]')
        await page.keyboard.press("Enter")
        assert await page.input_value("#reason") == "找零有误"
        await page.tap('[data-fills="reason"]:has-text("原因不明")')
        assert await page.is_hidden("main [data-refusal]")
        async with page.expect_navigation():
            await page.tap('[data-do="close_shift"]')
        assert "原因不明" in await page.inner_text("main")


async def test_a_refusal_gives_the_focus_back_to_what_was_pressed(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.route("**/api/session/end", lambda route: route.abort())
        await page.goto(f"{till.base}/settings")
        await page.focus('[data-do="sign_out"]')
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main [data-refusal]:not([hidden])")
        await page.wait_for_function(HAS_FOCUS, arg='[data-do="sign_out"]')


async def test_enter_after_a_finger_does_what_stands_on_the_button_of_enter(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await pay_by_code(till, page)
        await page.tap('[data-do="reprint"]')
        await page.wait_for_selector("main [data-refusal].paid")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")


async def test_a_supervisor_who_has_chosen_nothing_is_told_so_and_needs_no_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        till.backend.is_cut_off = True
        await tap(page, "360")
        await page.tap('main [data-do="charge"].primary')
        await page.tap('[data-method="merchant_qr"]')
        await shows(page, "unknown")
        await page.tap('a:has-text("店长处理")')
        await page.tap('[data-do="mark"]')
        assert "请先选择" in await page.inner_text("main [data-refusal]")
        await page.tap('[data-mark="paid"]')
        await page.tap('[data-do="mark"]')
        assert "mark_wanted" in await page.inner_text("main [data-refusal]")
        await page.tap('[data-fills="mark-reason"] >> nth=0')
        await page.tap('[data-do="mark"]')
        await sign(page)
        await page.wait_for_selector('.head .badge:has-text("按已付处理")')
        cut = "e => e.scrollWidth > e.clientWidth"
        assert not await page.eval_on_selector(".head", cut)
        assert "顾客手机显示已付" in await page.inner_text("main")


async def test_a_note_is_enough_after_too_little_and_the_change_is_as_large_as_the_amount(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await tap(page, "4530")
        await page.tap('main [data-do="charge"].primary')
        await page.tap('[data-do="cash"]')
        await shows(page, "cash")
        await tap(page, "4000")
        await page.tap('[data-do="take_cash"]')
        await page.wait_for_selector("main [data-refusal]:not([hidden])")
        await page.tap('[data-note="5000"]')
        assert await page.is_hidden("main [data-refusal]")
        await tap(page, "6000")
        assert await page.inner_text("[data-shown]") == "60.00", "another amount, not a longer one"
        await page.tap('[data-note="5000"]')
        await page.tap('[data-do="take_cash"]')
        await shows(page, "cash_done")
        sizes = await page.eval_on_selector_all(
            ".told .amount", "all => all.map((one) => getComputedStyle(one).fontSize)"
        )
        assert len(sizes) == 2
        assert len(set(sizes)) == 1
        assert "4.70" in await page.inner_text(".give-back")


async def test_a_digit_over_a_cart_says_what_makes_the_amount(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path, goods=GOODS) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await scan(page, "6901939621608")
        await page.wait_for_selector('#lines:not([data-count="0"])', state="attached")
        await page.tap('main [data-key="5"]')
        assert "清空购物车" in await page.inner_text("main [data-refusal]")
        assert await page.inner_text("[data-shown]") == "3.00"
        await scan(page, "6902083886455")
        await page.wait_for_selector('#lines[data-count="2"]', state="attached")
        await page.wait_for_timeout(700)
        assert await page.is_hidden("main [data-refusal]"), "a scanner's digits are no amount"
        await page.keyboard.press("Delete")
        assert await page.inner_text("[data-shown]") == "5.00"
        await page.keyboard.press("7")
        await page.wait_for_selector("main [data-refusal]:not([hidden])")


async def test_the_tests_of_the_parts_speak_the_page_s_language(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.goto(f"{till.base}/settings")
        for what, told in (("printer", "✓ 正常，纸张充足"), ("link", "✓ 正常")):
            await page.tap(f'[data-do="test"][data-what="{what}"]')
            await page.wait_for_selector(f'[data-result="{what}"]:has-text("{told}")')
        await page.tap('[data-do="test"][data-what="scanner"]')
        await page.wait_for_selector('[data-result="scanner"]:has-text("请把任意一个码对准扫码器")')
        till.scanner.show("https://example.test/42")
        await page.wait_for_selector('[data-result="scanner"]:has-text("读到 23 个字符，末尾 42")')
