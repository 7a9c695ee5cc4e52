"""What stands on the buttons of a keyboard's keys: only where there is one."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support.browser import opened_page
from tests.support.till_scenes import ready_keypad, scan, shows
from tests.support.tills import CASHIER_PIN, Till, hire_both, running_till
from tests.unit.terminal.fakes import CODE

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
PLACES = """
() => [...document.querySelectorAll('main button')]
  .map(({offsetLeft, offsetTop, offsetWidth, offsetHeight}) =>
    [offsetLeft, offsetTop, offsetWidth, offsetHeight].join())
"""
PAD_PRESS = """
(keys) => {
  const told = {bubbles: true, cancelable: true};
  for (const [key, code] of keys)
    document.body.dispatchEvent(new KeyboardEvent('keydown', {key, code, ...told}));
}
"""


async def caps(page: Page) -> list[str]:
    """What is seen of them."""
    found = page.locator("main kbd:visible")
    return await found.all_inner_texts()


async def keypad_by_touch(till: Till, page: Page) -> None:
    """No key is pressed."""
    hire_both(till.people)
    await till.post("shift/open", float_minor=0)
    await page.goto(f"{till.base}/?lang=en")
    await page.tap('main [data-staff="2"]')
    for digit in CASHIER_PIN:
        await page.tap(f'[data-pin="{digit}"]')
    async with page.expect_navigation():
        await page.tap('[data-do="pin"]')
    await shows(page, "keypad")


async def test_a_till_that_is_touched_or_scanned_at_shows_no_keys(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await keypad_by_touch(till, page)
        assert await caps(page) == []
        await page.tap('[data-key="8"]')
        await page.tap('[data-do="charge"] >> nth=0')
        await shows(page, "choosing")
        assert await caps(page) == []
        await page.tap('[data-do="cancel"]')
        await shows(page, "keypad")
        for typed in (CODE, "6901234567892", "96385074"):
            await scan(page, typed)
            await page.keyboard.press("Enter")  # some scanners end by two
        await page.goto(f"{till.base}/shift")
        await page.goto(f"{till.base}/")
        assert await page.evaluate("document.documentElement.dataset.keys") == "none"


async def test_keys_are_shown_from_the_next_screen_on_and_for_good(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await keypad_by_touch(till, page)
        places = await page.evaluate(PLACES)
        await page.keyboard.type("1280")
        await page.keyboard.press("Backspace")
        assert await caps(page) == []
        assert await page.evaluate(PLACES) == places, "nothing moves"
        await page.keyboard.press("F2")
        await shows(page, "choosing")
        assert await caps(page) == ["1", "2", "3", "4", "Esc"]
        await page.keyboard.press("Escape")
        await shows(page, "keypad")
        assert await caps(page) == ["F2", "F3"]
        await page.reload()
        await shows(page, "keypad")
        assert await caps(page) == ["F2", "F3"]


async def test_a_number_pad_tells_of_no_more_than_it_has(browser: Browser, tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await keypad_by_touch(till, page)
        digits = [[digit, f"Numpad{digit}"] for digit in "1280"]
        await page.evaluate(PAD_PRESS, [*digits, ["Enter", "NumpadEnter"]])
        await shows(page, "choosing")
        assert await caps(page) == ["1", "2", "3", "4"]


async def test_another_till_in_the_same_browser_knows_the_keys_too(
    browser: Browser, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    async with (
        running_till(tmp_path / "one") as one,
        running_till(tmp_path / "other") as other,
        opened_page(browser) as page,
    ):
        await ready_keypad(one, page)
        assert await caps(page) == ["F2", "F3"]
        await keypad_by_touch(other, page)
        assert await caps(page) == ["F2", "F3"]
