"""Who works at the till, in a real browser: hiring, new PINs, own PINs."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from terminal.domain.pin import PinState
from terminal.limits import IDLE_LOCK_MS
from tests.support.browser import opened_page
from tests.support.till_scenes import (
    GIVEN_PIN,
    choose_pin,
    key_pin,
    ready_keypad,
    sign,
    sign_in,
)
from tests.support.tills import hire_both, running_till

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_supervisor_hires_renews_and_lets_go_but_never_the_last_one(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")

        async def signed(act: str) -> None:
            await page.click(f'[data-do="{act}"]')
            await sign(page)

        await page.goto(f"{till.base}/staff")
        await page.fill("#staff-name", "Mei")
        await page.fill("#staff-pin", "1111")
        await signed("hire")
        await page.wait_for_selector("main [data-refusal]:not([hidden])")
        await page.fill("#staff-pin", "5823")
        await signed("hire")
        await page.click('[data-name="Mei"]')
        await page.fill("#staff-pin", "6194")
        async with page.expect_navigation():
            await signed("renew_pin")
        await page.click('[data-name="Mei"]')
        assert "王店长" in await page.inner_text(".acts dt >> nth=0")
        assert await page.inner_text(".acts dd >> nth=0") == "Mei · new PIN"
        await page.click('[data-person="1"]')
        await signed("let_go")
        await page.wait_for_selector("main [data-refusal]:not([hidden])")
        assert "last supervisor" in await page.inner_text("main [data-refusal]")
        await page.click('[data-person="2"]')
        await signed("let_go")
        await page.wait_for_selector('[data-kind="signin"]')  # who was at the till has left
        assert [each["name"] for each in await till.get("api/staff")] == ["王店长", "Mei"]
        told = await till.get("api/staff/acts")
        assert [(each["act"], each["by_name"]) for each in told][:2] == [
            ("left", "王店长"),
            ("pin_renewed", "王店长"),
        ]
        mei = await till.counter.sign_in.sign_in(3, "6194", new_pin="8264")
        assert (mei.name, mei.pin) == ("Mei", PinState.OWN)


async def test_whose_pin_was_set_by_somebody_else_chooses_one_before_anything_else(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        hire_both(till.people)
        await till.counter.staffing.renew_pin(2, pin=GIVEN_PIN, by_name="王店长")
        await page.goto(f"{till.base}/?lang=en")
        await key_pin(page, GIVEN_PIN)
        await page.wait_for_selector('[data-asks="choose"]')
        for path in ("recent", "settings", "staff"):
            assert "signin" in (await till.get(path)).decode(), path
        await page.keyboard.type("7777")
        await page.keyboard.press("Enter")
        await page.wait_for_selector('[data-asks="repeat"]')
        await page.keyboard.type("7778")
        await page.keyboard.press("Enter")
        await page.wait_for_selector('[data-asks="choose"]')
        assert "not the same" in await page.inner_text("main [data-refusal]")
        for _ in range(2):
            await page.keyboard.type("7777")
            await page.keyboard.press("Enter")
        await page.wait_for_selector('main [data-refusal]:has-text("neither all alike")')
        await page.wait_for_selector('[data-asks="choose"]')
        await page.keyboard.press("Escape")
        await page.wait_for_selector('[data-asks="who"]')
        assert till.counter.sign_in.session() is None
        await key_pin(page, GIVEN_PIN)
        await page.wait_for_selector('[data-asks="choose"]')
        await choose_pin(page)
        await page.wait_for_selector('[data-kind="no_shift"]')
        await page.keyboard.press("F9")
        await page.wait_for_selector('[data-kind="signin"]')
        await sign_in(page)
        await page.wait_for_selector('[data-kind="no_shift"]')


async def test_a_till_whose_person_is_given_another_pin_asks_at_the_next_press_who_is_there(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        at_the_till = till.counter.sign_in.signed_in()
        assert at_the_till is not None
        for digit in "1280":
            await page.keyboard.press(digit)
        await till.post(f"staff/{at_the_till.staff_id}/pin", pin="860247")
        await page.click('[data-do="charge"]')
        await page.wait_for_selector('[data-kind="signin"]')
        assert await till.get("api/payments") == []


async def test_a_choice_that_nobody_ends_is_over_when_a_till_would_lock(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        hire_both(till.people)
        await till.counter.staffing.renew_pin(2, pin=GIVEN_PIN, by_name="王店长")
        await page.clock.install()
        await page.goto(f"{till.base}/?lang=en")
        await key_pin(page, GIVEN_PIN)
        await page.wait_for_selector('[data-asks="choose"]')
        async with page.expect_navigation():
            await page.clock.run_for(IDLE_LOCK_MS)
        await page.wait_for_selector('[data-asks="who"]')
