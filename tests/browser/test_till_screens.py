"""Every screen of the till: readable at 7:1, whole at both sizes, the same after a reload."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.support.axe import faults, needs_axe
from tests.support.browser import LARGE, SMALL, opened_page
from tests.support.till_scenes import (
    GOODS,
    LONG_NAMES,
    MACHINE,
    METHODS,
    Scene,
    day_scenes,
    machine_scenes,
    ready_keypad,
    shows,
    trouble_scenes,
)
from tests.support.tills import Till, running_till

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
Story = Callable[[Till, Page, Page, str], AsyncIterator[Scene]]
FORGOTTEN = {
    "choose-pin",
    "shift-open",
    "cash",
    "count",
    "approve",
    "resolve",
    "refund-resolve",
    "staff",
    "letters",
    "customer-lost",
    "shift-printed",
    "shift-no-paper",
}
"""What is keyed in there is kept by nobody."""
HIDDEN = """
() => [...document.querySelectorAll('main .key, main .button, main h1, .customer p, .bar .button')]
  .filter((each) => each.checkVisibility() && !each.closest('.scroll, .visually-hidden'))
  .map((each) => [each.textContent.trim(), each.getBoundingClientRect()])
  .filter(([, box]) => box.bottom > innerHeight + 1 || box.right > innerWidth + 1 || box.top < -1)
  .map(([text, box]) => `${text} ${Math.round(box.right)},${Math.round(box.bottom)}`)
"""
CUT_NOTICES = """
() => [...document.querySelectorAll('.bar .says, .bar .badge')]
  .filter((notice) => notice.scrollWidth > notice.clientWidth + 1)
  .map((notice) => notice.innerText)
"""
WRAPPED_STEPS = """
() => [...document.querySelectorAll('main .steps')]
  .filter((each) => each.checkVisibility())
  .filter((each) => new Set([...each.children].map((one) => one.offsetTop)).size > 1)
  .map((each) => `steps wrap: ${each.innerText}`)
"""
SMALL_TARGETS = """
() => [...document.querySelectorAll('main .key')].filter((each) => each.checkVisibility())
  .map((each) => [each.textContent.trim(), each.getBoundingClientRect()])
  .filter(([, box]) => box.width < 64 || box.height < 48)
  .map(([text, box]) => `${text} ${Math.round(box.width)}x${Math.round(box.height)}`)
"""


async def kind(page: Page) -> str | None:
    return await page.get_attribute("main > *", "data-kind")


async def outside(page: Page) -> list[str]:
    """What does not fit, at both sizes; what is too small for a finger."""
    found = []
    for size in (LARGE, SMALL):
        await page.set_viewport_size(size)
        found += [f"{size['width']}: {out}" for out in await page.evaluate(HIDDEN)]
        found += await page.evaluate(WRAPPED_STEPS)
        found += [f"{size['width']}: cut: {text}" for text in await page.evaluate(CUT_NOTICES)]
    return found + await page.evaluate(SMALL_TARGETS)


@pytest.mark.parametrize("story", [day_scenes, trouble_scenes])
@needs_axe
async def test_every_screen_is_readable_whole_and_the_same_after_a_reload_in_either_language(
    story: Story, browser: Browser, tmp_path: Path
) -> None:
    wrong: list[str] = []
    async with (
        running_till(
            tmp_path, biometric_above_minor=100_000, goods=GOODS, methods=METHODS, **LONG_NAMES
        ) as till,
        opened_page(browser) as page, opened_page(browser) as side,
    ):  # fmt: skip
        async for name, shown in story(till, page, side, "zh"):
            wrong += [f"{name}: {fault}" for fault in await faults(shown)]
            if name == "letters":  # which lift the page
                await shown.tap('[data-act="hide"]')
            wrong += [f"{name}: {fault}" for fault in await outside(shown)]
            if name in FORGOTTEN:
                continue
            before, language = await kind(shown), await shown.get_attribute("body", "data-lang")
            other = "en" if language == "zh" else "zh"  # the next screens are in it
            await shown.goto(f"{shown.url.partition('?')[0]}?lang={other}")
            assert await kind(shown) == before, name
            assert await shown.get_attribute("body", "data-lang") == other
            wrong += [f"{name} {other}: {fault}" for fault in await outside(shown)]
    assert not wrong, "\n".join(sorted(set(wrong)))


@pytest.mark.parametrize("language", ["zh", "en"])
@needs_axe
async def test_a_vending_machine_s_screens_are_readable_and_whole(
    language: str, browser: Browser, tmp_path: Path
) -> None:
    wrong: list[str] = []
    async with running_till(tmp_path, **MACHINE) as machine, opened_page(browser) as page:
        async for name, shown in machine_scenes(machine, page, language):
            wrong += [f"{name}: {fault}" for fault in await faults(shown)]
            wrong += [f"{name}: {fault}" for fault in await outside(shown)]
    assert not wrong, "\n".join(sorted(set(wrong)))


@needs_axe
async def test_the_judge_sees_text_below_seven_to_one(browser: Browser) -> None:
    async with opened_page(browser) as page:
        await page.set_content("<main style='background:#fff;color:#6a6a6a'><h1>5.4:1</h1>text")
        assert any("color-contrast-enhanced" in fault for fault in await faults(page))


async def test_what_is_keyed_goes_along_when_the_language_is_changed(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.keyboard.type("1250")
        await page.keyboard.press("F2")
        await shows(page, "choosing")
        async with page.expect_navigation():
            await page.keyboard.press("3")
        for path, button in (
            ("cash", "收现金"), ("shift/move?kind=pay_out", "取出"), ("shift/close", "交班"),
        ):  # fmt: skip
            await page.goto(f"{till.base}/{path}")
            await page.keyboard.type("1500")
            if path != "cash":
                await page.fill("#reason", "刀纸 Paper")
            async with page.expect_navigation():
                await page.click("a[hreflang]")
            await page.wait_for_selector(f'main .primary:has-text("{button}")')
            assert await page.inner_text("[data-shown]") == "15.00"
            if path == "cash":
                assert await page.inner_text("[data-change]") == "2.50"
            else:
                assert await page.input_value("#reason") == "刀纸 Paper"
            await page.goto(f"{till.base}/{path}")
            kept = "15.00" if path == "cash" else "0.00"  # what was counted stays with the cart
            assert await page.inner_text("[data-shown]") == kept, "by a change alone"
            async with page.expect_navigation():
                await page.click("a[hreflang]")
