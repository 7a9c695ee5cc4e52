"""Letters at a till that has no keyboard: by touch alone, and in nobody's way."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route

from terminal.domain.staff import Role
from tests.support.browser import LARGE, SMALL, opened_page
from tests.support.till_scenes import ready_keypad, scan, shows, sign
from tests.support.tills import SUPERVISOR_PIN, running_till
from tests.unit.terminal.fakes import CODE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
PLACED = """
field => {
  const box = document.querySelector(field).getBoundingClientRect();
  const top = document.getElementById('letters').getBoundingClientRect().top;
  const bar = document.getElementById('bar').getBoundingClientRect().bottom;
  return !document.getElementById('letters').hidden && box.top >= bar && box.bottom <= top;
}
"""
WHOLE = """
field => field.getBoundingClientRect().bottom
  <= field.closest('.column').getBoundingClientRect().bottom
"""
LOADED = """
() => import(document.querySelector('[type=module]').src.replace('till.js', 'letters.js'))
  .then(() => true)
"""
SMALL_KEYS = """
() => [...document.querySelectorAll('#letters button')].filter((each) => each.checkVisibility())
  .filter((each) => each.offsetWidth < 44 || each.offsetHeight < 44).map((each) => each.outerHTML)
"""


async def touch(page: Page, field: str) -> None:
    """A text field, by finger: the letters come, and it stands above them."""
    await page.tap(field)
    await page.wait_for_function(PLACED, arg=field)


async def write(page: Page, text: str) -> None:
    """By finger."""
    for letter in text:
        if letter.isupper():
            await page.tap('[data-act="capitals"]')
        await page.tap(f'[data-letter="{letter.lower()}"]')


def fetched_letters(page: Page) -> list[str]:
    return [url for url in page.asked if url.endswith("/letters.js")]  # type: ignore[attr-defined]


async def test_somebody_is_hired_by_touch_alone(browser: Browser, tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.goto(f"{till.base}/staff")
        await touch(page, "#staff-name")
        assert not await page.evaluate(SMALL_KEYS)
        await write(page, "Zhang Xin")
        await page.tap('[data-act="back"]')
        await page.tap('[data-letter="n"]')
        await touch(page, "#staff-pin")
        assert await page.locator("#letters button:visible").count() == 12, "digits alone"
        assert not await page.evaluate(SMALL_KEYS)
        await write(page, "2580361")
        await page.tap('[data-act="hide"]')
        assert await page.is_hidden("#letters")
        await page.tap('[data-do="hire"]')
        await page.wait_for_selector("#approve[open]")
        for digit in SUPERVISOR_PIN:
            await page.tap(f'#approve [data-pin="{digit}"]')
        async with page.expect_navigation():
            await page.tap('#approve [data-do="pin"]')
        hired = till.counter.sign_in.staff[-1]
        assert (hired.name, hired.role) == ("Zhang Xin", Role.CASHIER)
        await till.counter.sign_in.sign_in(hired.staff_id, "2580361", new_pin="604815")


async def test_a_search_and_a_refund_s_reason_are_written_by_touch(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        till.scanner.show(CODE)
        await page.keyboard.type("1280")
        await page.keyboard.press("F3")
        await shows(page, "paid")
        sold = till.counter.real.agent.recent(1)[0].payment_id
        await page.goto(f"{till.base}/recent")
        await touch(page, "#q")
        await write(page, sold[-4:])
        async with page.expect_navigation():
            await page.tap('[data-act="done"]')
        assert await page.input_value("#q") == sold[-4:]
        await page.tap("td a")
        await page.tap("[data-other]")
        assert await page.eval_on_selector("#other-reason", WHOLE)
        await touch(page, "#other-reason")
        await write(page, "cold soup")
        await page.tap('[data-act="done"]')
        await page.tap('[data-do="refund"]')
        await sign(page)
        await shows(page, "refund_done")
        assert [each.reason for each in till.counter.real.agent.refunds_of(sold)] == ["cold soup"]


async def test_the_letters_are_fetched_by_the_first_field_that_is_touched(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await page.route("**/letters.js", lambda route: route.abort())
        await ready_keypad(till, page)
        await page.tap('[data-key="7"]')
        assert not fetched_letters(page)
        async with page.expect_event("requestfailed"):
            await page.tap("#note")
        await page.wait_for_function("document.activeElement.id === 'note'")
        await page.unroute("**/letters.js")
        await touch(page, "#note")
        await write(page, "tea")
        await page.tap('[data-act="done"]')
        await touch(page, "#note")
        assert await page.input_value("#note") == "tea"
        assert len(fetched_letters(page)) == 2, "once more after it failed, and then never"


async def test_letters_that_come_late_come_to_nobody_who_types_on_keys(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        asked = asyncio.Queue[Route]()
        await page.route("**/letters.js", asked.put_nowait)
        await ready_keypad(till, page)
        await page.tap("#note")
        route = await asked.get()
        await page.keyboard.type("tea")
        async with page.expect_response("**/letters.js"):
            await route.continue_()
        assert await page.evaluate(LOADED)
        assert await page.is_hidden("#letters")
        assert await page.input_value("#note") == "tea"
        await touch(page, "#note")


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["small", "large"])
async def test_a_note_stays_where_it_was_touched(
    size: dict[str, int], browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser, viewport=size) as page:
        await ready_keypad(till, page)
        left = "field => field.getBoundingClientRect().left"
        before = await page.eval_on_selector("#note", left)
        await touch(page, "#note")
        assert await page.eval_on_selector("#note", left) == before


async def test_whoever_types_on_keys_or_points_with_a_mouse_sees_no_letters(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.click("#note")
        await page.keyboard.type("abc")
        await page.goto(f"{till.base}/recent")
        await page.keyboard.press("Tab")
        await page.focus("#q")
        assert await page.is_hidden("#letters")
        await touch(page, "#q")
        await page.keyboard.type("7")
        assert await page.is_hidden("#letters")
        assert await page.input_value("#q") == "7"


async def test_the_letters_make_room_for_the_system_s_own(browser: Browser, tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.goto(f"{till.base}/shift/close")
        await touch(page, "#reason")
        await page.set_viewport_size({"width": 800, "height": 240})
        await page.wait_for_selector("#letters", state="hidden")
        held = "document.activeElement === document.getElementById('reason')"
        assert await page.evaluate(held), "which write into the field"


async def test_a_scanner_that_types_leaves_nothing_in_the_note(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.keyboard.type("1280")
        await touch(page, "#note")
        await write(page, "tea")
        await page.wait_for_timeout(600)  # the digits of the amount are no part of a scan
        await scan(page, CODE)
        await shows(page, "paid")
        assert till.counter.real.agent.recent(1)[0].description == "tea"
