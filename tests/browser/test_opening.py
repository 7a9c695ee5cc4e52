"""From the front page into the wallet and the console by one press, in a real browser."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page
from structlog.testing import capture_logs

from backend.console.totp import STEP_MS
from backend.wallet.desk import WalletDesk
from protocol.crypto import generate
from tests.support.axe import faults, needs_axe
from tests.support.backend import Served, mint, served
from tests.support.browser import LARGE, opened_page
from tests.support.console_world import PASSWORD, code_of
from tests.support.front_shop import Program, fake_shop
from tests.support.wallet_phone import PIN
from tillway.demo.opening import Door, Doors
from tillway.front.server import front_page
from tillway.json_api import JsonApi

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser"),
]  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def stack(tmp_path: Path) -> AsyncIterator[tuple[Served, Doors]]:
    """A development stack's backend, with a payer, and who may open its doors."""
    async with served(tmp_path, opening_links=True, clock_control=True) as (found, token):
        key, desk = generate(), WalletDesk(found.backend.services)
        made = await desk.create_payer(
            payer_id=mint("pyr", 1), name="李娜", pin=PIN, key_suite="SM2-SM3",
            key_public=key.public.public,
        )  # fmt: skip
        ca = tmp_path / "ca.crt"
        ca.write_text(found.backend.state.identity.tls.ca_pem, "ascii")
        api = JsonApi(found.url("public"), ca, token)
        yield found, Doors(wallet=replace(api, token=made["token"]), operator=api)


async def pressed(page: Page, door: str) -> Page:
    """The tab that a press opens, once it has come in."""
    async with page.context.expect_page() as opening:
        await page.click(f'[data-door="{door}"]')
    tab = await opening.value
    await tab.wait_for_url(re.compile(r"/(wallet/code|console(/open)?)(\?lang=en)?$"))
    return tab


async def test_one_press_opens_the_wallet_and_its_code_stands_nowhere(
    browser: Browser, stack: tuple[Served, Doors]
) -> None:
    with (
        capture_logs() as logs,
        front_page(replace(fake_shop(Program()), doors=stack[1]), 0) as url,
    ):
        async with opened_page(browser, viewport=LARGE, ignore_https_errors=True) as page:
            asked: list[str] = []
            page.context.on("request", lambda request: asked.append(request.url))
            await page.goto(f"{url}?lang=en")
            tab = await pressed(page, "wallet")
            await tab.wait_for_selector('[data-tab="code"]')
            assert await tab.evaluate("window.opener") is None
            await tab.go_back()
            assert "#" not in tab.url
            sent = [one for one in asked if "/wallet/open" in one]
            assert sent
            assert not re.search(r"[0-9a-f]{48}", " ".join(asked) + json.dumps(logs, default=str))


async def test_the_first_press_leads_to_setting_up_and_the_next_one_to_signing_in(
    browser: Browser, stack: tuple[Served, Doors]
) -> None:
    found, doors = stack
    with front_page(replace(fake_shop(Program()), doors=doors), 0) as url:
        async with opened_page(browser, viewport=LARGE, ignore_https_errors=True) as page:
            await page.goto(f"{url}?lang=en")
            tab = await pressed(page, "operator")
            await tab.wait_for_selector(".scan svg")
            secret = await tab.inner_text(".small .code-text")
            at_ms = found.backend.clock.now_ms()
            told = {"totp_uri": f"otpauth://totp/x?secret={secret}"}
            await tab.fill("[name='code']", code_of(told, at_ms))
            for name in ("password", "again"):
                await tab.fill(f"[name='{name}']", PASSWORD)
            await tab.keyboard.press("Enter")
            await tab.wait_for_selector("text=operator-owner", state="detached")
            later = await pressed(page, "operator")
            await later.fill("[name='name']", "operator-owner")
            await later.fill("[name='password']", PASSWORD)
            await later.fill("[name='code']", code_of(told, at_ms + STEP_MS))
            await later.keyboard.press("Enter")
            await later.wait_for_url("**/console/overview")


@needs_axe
async def test_everybody_can_read_how_a_phone_is_paired(
    browser: Browser, stack: tuple[Served, Doors]
) -> None:
    with front_page(replace(fake_shop(Program()), doors=stack[1]), 0) as url:
        async with opened_page(browser, viewport=LARGE, ignore_https_errors=True) as page:
            await page.goto(f"{url}?lang=en")
            tab = await pressed(page, "operator")
            await tab.wait_for_selector(".scan svg")
            wrong = await faults(tab)
    assert not wrong, "\n".join(wrong)


async def test_a_link_that_was_used_says_so_in_words(
    browser: Browser, stack: tuple[Served, Doors]
) -> None:
    link = await asyncio.to_thread(stack[1].link, Door.WALLET, "en")
    for is_first in (True, False):
        async with opened_page(browser, viewport=LARGE, ignore_https_errors=True) as page:
            await page.goto(link)
            if is_first:
                await page.wait_for_url("**/wallet/code")
            else:
                refused = await page.wait_for_selector("[data-refusal]")
                assert refused is not None
                assert "was used once already" in await refused.inner_text()


async def test_a_door_that_does_not_open_is_told_beside_the_buttons(browser: Browser) -> None:
    shop = fake_shop(Program())
    nobody = JsonApi("http://127.0.0.1:9")
    with front_page(replace(shop, doors=Doors(wallet=nobody, operator=nobody)), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.goto(f"{url}?lang=en")
            await page.click('[data-door="wallet"]')
            await page.wait_for_selector(".doors [data-refusal]:not([hidden])")
            assert "server_unreachable" in await page.inner_text(".doors")
            assert len(page.context.pages) == 1
