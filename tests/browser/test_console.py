"""The console in a real browser: stories of merchants and operators without a script, and every
screen for axe. One started backend for all, which they find in the order in which they stand here.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio
import typer
from playwright.async_api import Browser, Page
from typer.testing import CliRunner

from backend.console.limits import SESSION_IDLE_MS
from tests.support.axe import faults, needs_axe
from tests.support.browser import LARGE, broken_ids, opened_page
from tests.support.console_scenes import (
    RunningConsole,
    running_console,
    scenes,
    sign_in,
    sign_out,
    status_scene,
)
from tests.support.console_world import PASSWORD
from tests.support.shop import MERCHANT, Shop
from tests.support.wallet_phone import PHONE
from tillway import audit, clearing_breaks, flows, switches

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
OVER = "() => document.documentElement.scrollWidth > innerWidth + 1"
SIDEWAYS = """
() => [...document.querySelectorAll('body *')]
  .filter((each) => each.checkVisibility() && each.clientWidth > 1 && !each.matches('.payload'))
  .filter((each) => each.scrollWidth > each.clientWidth + 1)
  .filter((each) => getComputedStyle(each).overflowX !== 'visible')
  .map((each) => `${each.tagName} ${each.className}: ${each.scrollWidth} > ${each.clientWidth}`)
"""
"""What scrolls or is cut in itself, but for the bytes of a callback."""
IN_FOUND = "() => document.activeElement.closest('#found') !== null"
FOCUSED = "() => document.activeElement.innerText.trim()"
Scenes = Callable[[RunningConsole, Page, str], AsyncIterator[str]]
PLAIN = {"viewport": LARGE, "ignore_https_errors": True, "java_script_enabled": False}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def console(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningConsole]:
    async with running_console(tmp_path_factory.mktemp("console")) as running:
        yield running


async def test_a_merchant_finds_a_payment_and_gives_a_part_back_by_keyboard_without_a_script(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
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
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
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
        await page.wait_for_selector("td:has-text('li.na 控制台')")


async def test_an_operator_is_invited_stops_a_merchant_starts_it_again_and_all_of_it_is_kept(
    browser: Browser, console: RunningConsole, tmp_path: Path
) -> None:
    url = console.served.backend.settings.url
    async with opened_page(browser, **PLAIN) as page:
        with closing(Shop(url, first_id=900_000)) as shop:
            shop.clock.at_ms = console.served.backend.clock.now_ms()
            payer = shop.add_payer(balance_minor=5_000, name="赵敏")
            await sign_in(console, page, "ops", "en")
            await _invited(console, page, "zhou")
            await sign_in(console, page, "zhou", "en")
            await page.click("nav >> text=Kill switches")
            await page.fill('[name="find"]', "晨光")
            await page.keyboard.press("Enter")
            await page.click(f'main a:has-text("{MERCHANT}")')
            stop = page.locator("#stop-merchant")
            assert await stop.locator('[name="subject"]').input_value() == MERCHANT
            assert "3–200 characters" in await stop.inner_text()
            await stop.locator('[name="reason"]').fill("Many complaints")
            await page.keyboard.press("Enter")
            await page.wait_for_selector("h1:has-text('Check the stop')")
            assert "Many complaints" in await page.inner_text("main")
            await page.click("main button.danger")
            assert "Many complaints" in await page.inner_text(".stop-card")
            refused = shop.pay(payer, 700)
            assert (refused["state"], refused["error"]["code"]) == ("declined", "merchant_stopped")
            await page.goto(f"{console.base}/payments/{refused['payment_id']}")
            assert "This merchant takes no payments for now" in await page.inner_text("main")
            await page.click("nav >> text=Kill switches")
            await page.fill('.stop-card [name="reason"]', "All was well")
            await page.keyboard.press("Enter")
            await page.wait_for_selector("text=Nothing is stopped")
            paid = shop.pay(payer, 700)
            assert paid["state"] == "captured"
        await page.goto(f"{console.base}/payments/{paid['payment_id']}")
        assert "Captured" in await page.inner_text("main .head")
        await page.click("nav >> text=Audit log")
        told = await page.inner_text("main tbody")
        shop_s = f"merchant 晨光便利店 {MERCHANT}"
        for act in (
            rf"zhou console\s.*\sSwitch\s+taken up again\s+{shop_s}\s+All was well",
            rf"zhou console\s.*\sSwitch\s+stopped\s+{shop_s}\s+Many complaints",
            r"zhou console\s.*\sPeople\s+set up\s+person zhou",
            r"ops console\s.*\sPeople\s+invited\s+person zhou",
        ):
            assert re.search(act, told), (act, told)
        await _by_commands(console, tmp_path)
        console.served.backend.clock.at_ms += SESSION_IDLE_MS + 1  # type: ignore[attr-defined]
        await page.click("nav >> text=Flows")
        await page.wait_for_selector('[name="password"]')


async def _invited(console: RunningConsole, page: Page, name: str) -> None:
    """The owner who is signed in invites; the person sets up with the code that was shown once."""
    await page.click("nav >> text=People")
    invite = 'form[action="/console/staff/invite"]'
    await page.select_option(f'{invite} [name="rank"]', "clerk")
    await page.fill(f'{invite} [name="name"]', name)
    await page.keyboard.press("Enter")
    setup = await page.inner_text(".secret")
    await page.click("text=I have noted it")
    assert "Invited" in await page.inner_text(f'tr:has-text("{name}")')
    await sign_out(page)
    await page.click("text=Have a setup code")
    await page.fill('[name="name"]', name)
    await page.fill('[name="setup"]', setup)
    await page.keyboard.press("Enter")
    secret = await page.inner_text(".code-text")
    console.made[name] = {"totp_uri": f"otpauth://totp/x?secret={secret}"}
    await page.fill('[name="code"]', console.code(name))
    await page.fill('[name="password"]', PASSWORD)
    await page.fill('[name="again"]', PASSWORD)
    await page.keyboard.press("Enter")
    await page.click('a:has-text("Sign in")')


async def _by_commands(console: RunningConsole, directory: Path) -> None:
    """What these pages show, an operator's commands say, too."""
    (directory / "token").write_text(console.token)
    (directory / "ca.pem").write_text(console.served.backend.state.identity.tls.ca_pem)
    place = [
        "--url", console.served.url("public"), "--ca", f"{directory / 'ca.pem'}",
        "--token-file", f"{directory / 'token'}",
    ]  # fmt: skip
    out = directory / "acts.csv"

    async def told(app: typer.Typer, *words: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, [*words, *place])
        assert result.exit_code == 0, result.output
        return result.output

    assert MERCHANT in await told(switches.app, "find", "merchant", "晨光")
    breaks = await told(clearing_breaks.app, "list", "--merchant", MERCHANT)
    assert re.search(r"DUPLICATE\n.*posted; for a person: ", breaks), breaks
    await told(audit.app, "csv", "--kind", "switch", "--out", f"{out}")
    assert f"switch,stop,console:zhou,127.0.0.1,merchant {MERCHANT}" in out.read_text("utf-8")
    assert re.search(r"channel +[1-9]", await told(flows.app, "--minutes", "600"))


async def test_an_operator_closes_a_break_with_a_reason_and_has_another_given_back(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
        await sign_in(console, page, "ops", "en")
        await page.click("nav >> text=Breaks")
        row = page.locator('tr:has-text("20261128-000017")')
        assert "¥12.80" in await row.inner_text()
        words = row.locator('[name="words"]')
        for said, is_refused in (("refunded", True), ("已退款", True), ("已手工退款", False)):
            await words.fill(said)
            assert await words.evaluate("(one) => one.validity.patternMismatch") is is_refused
        await words.fill("Refunded by hand")
        await page.keyboard.press("Enter")
        await page.wait_for_selector('tr:has-text("20261128-000017")', state="detached")
        twice = page.locator('tr:has-text("Twice with them")')
        await twice.locator("a").first.click()
        await page.wait_for_selector("text=by its own number")
        await page.locator("form[action$='/return'] [name='words']").fill("The payer has rung")
        await page.keyboard.press("Enter")
        assert "The channel is giving it back" in await twice.inner_text()
        await page.click("nav >> text=Audit log")
        told = await page.inner_text("main tbody tr >> nth=0")
        assert re.search(r"asked the channel to give back.*The payer has rung", told, re.DOTALL), (
            told
        )
        told = await page.inner_text("main tbody tr >> nth=1")
        assert re.search(r"Break\s+closed\s+break \S+\s+Refunded by hand", told), told
        assert re.search(r"state Waits for you → Closed", told), told


async def test_a_case_is_taken_and_proposed_and_another_confirmed_by_keyboard_without_a_script(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
        await sign_in(console, page, "ops", "en")
        await page.click("nav >> text=Risk cases")
        told = await page.inner_text("main tbody tr >> nth=0")
        assert "Overdue" in told, told
        await page.locator('tr:has-text("Medium") a').first.focus()
        await page.keyboard.press("Enter")
        await page.focus("text=Take it")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[role=status]:focus")
        await page.locator("main textarea").first.focus()
        await page.keyboard.type("The payer has rung")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#wrong-outcome")
        await page.wait_for_selector('[value="fraud"]:focus')
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.locator("main textarea").first.focus()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("main >> text=somebody else confirms it")
        await page.goto(f"{console.base}/cases?state=proposed&severity=high#found")
        await page.keyboard.press("Tab")
        assert await page.evaluate(IN_FOUND)
        await page.locator("main tbody a >> nth=0").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_selector("h1:has-text('Device')")
        await page.locator("main textarea").first.focus()
        await page.keyboard.type("A repaired board")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[role=status]:has-text('The case is decided')")
        await page.click("nav >> text=Audit log")
        told = await page.inner_text("main tbody tr >> nth=0")
        assert re.search(r"Risk case\s+outcome confirmed\s+risk case cas_", told), told


async def test_a_line_of_the_menu_looks_pressed_for_as_long_as_it_is(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
        await sign_in(console, page, "li.na", "en")
        line = page.locator('nav a[href="/console/payments"]')
        looks = "link => getComputedStyle(link).boxShadow"
        await line.hover()
        assert await line.evaluate(looks) == "none"
        await page.mouse.down()
        assert "inset" in await line.evaluate(looks)
        await page.mouse.up()
        await page.wait_for_url("**/payments")


@pytest.mark.parametrize("shown", [scenes, status_scene])
@needs_axe
async def test_every_screen_is_readable_and_whole_in_either_language(
    browser: Browser, console: RunningConsole, shown: Scenes
) -> None:
    wrong: list[str] = []
    async with opened_page(
        browser, viewport=LARGE, ignore_https_errors=True, bypass_csp=True
    ) as page:
        for language in ("zh", "en"):
            async for name in shown(console, page, language):
                wrong += [f"{name} {language}: {one}" for one in await _wrong(page, language)]
    assert not wrong, "\n".join(sorted(set(wrong)))


async def _wrong(page: Page, language: str) -> list[str]:
    """What cannot be read, or is cut, at a desk and on a phone; the words are axe's at the desk, on
    a phone it looks at what cards are."""
    wrong = await faults(page)
    for size in (PHONE, LARGE):
        await page.set_viewport_size(size)
        if await page.evaluate(OVER):
            wrong.append(f"wider than a window of {size['width']}")
        wrong += [f"at {size['width']}, {one}" for one in await broken_ids(page)]
        if size == PHONE:
            wrong += [f"on a phone: {one}" for one in await _sideways(page)]
            if language == "en":
                wrong += [f"on a phone: {one}" for one in await faults(page)]
    return wrong


async def _sideways(page: Page) -> list[str]:
    return [f"scrolls sideways: {one}" for one in await page.evaluate(SIDEWAYS)]


async def test_by_keyboard_one_goes_on_where_the_eye_is(
    browser: Browser, console: RunningConsole
) -> None:
    async with opened_page(browser, **PLAIN) as page:
        await sign_in(console, page, "li.na", "en")
        await page.goto(f"{console.base}/payments")
        await page.locator('[name="amount"]').focus()
        await page.keyboard.type("12.80")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**amount=12.80**")
        await page.keyboard.press("Tab")
        assert await page.evaluate(IN_FOUND), "what was found, not the menu"
        await page.locator('[name="amount"]').focus()
        await page.keyboard.type("x")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[aria-invalid]")
        assert await page.evaluate("() => document.activeElement.name") == "amount"
        await page.goto(f"{console.base}/payments/{console.disputed}")
        await page.locator('main [name="amount"]').fill("0.01")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("h1:has-text('Check the refund')")
        await page.keyboard.press("Tab")
        assert await page.evaluate(FOCUSED) == "Refund now"
        await page.keyboard.press("Enter")
        await page.wait_for_selector("[role=status]:focus")
        assert await page.evaluate(FOCUSED) == "The refund is asked for."
