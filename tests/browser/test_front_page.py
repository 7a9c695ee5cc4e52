"""The front page: a stranger takes a first payment by its five steps, and reads everything."""

import asyncio
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser, Route

from protocol.errors import OperatingError
from tests.support.axe import faults, needs_axe
from tests.support.browser import LARGE, opened_page
from tests.support.front_scenes import STORIES, scenes
from tests.support.front_shop import (
    ENDED,
    FakeKeeper,
    FakePhone,
    FakeTill,
    Program,
    fake_shop,
)
from tests.support.wallet_phone import PHONE
from tillway.front.server import front_page
from tillway.front.shop import Shop
from tillway.front.words import WORDS
from tillway.revival import TRIES_MAX, End, Phase, Revival

LATER = 2**50
_CUT = """
(said) => {
  const row = document.querySelector('[data-hop="charger"]:has(.small)');
  const words = row.querySelector('strong').lastChild, told = row.querySelector('.happened');
  return said.filter((one) => {
    words.data = one;
    const label = words.parentElement, [within, outer] = [told, row].map(
      (each) => each.getBoundingClientRect().height);
    return label.scrollWidth > label.clientWidth || within > outer + 1;
  });
}
"""
"""What of this is cut off, or taller than its row, where it stands above an amount."""
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


async def test_a_stranger_takes_a_payment_in_five_steps_and_a_reload_keeps_each(
    browser: Browser,
) -> None:
    with front_page(fake_shop(Program()), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            async for step in scenes(page, url, "zh"):
                head, _, rest = step.partition("-")
                if step != "evening":
                    await page.reload()
                    place, at = ("stage", rest) if head in STORIES else ("step", head)
                    assert await page.get_attribute(f"[data-{place}]", f"data-{place}") == at
                if step == "charge-pull":
                    assert "0.62" in await page.inner_text("[data-stage]")
                if step == "charge-bill":
                    assert "0.413 kWh × 1.50" in await page.inner_text("[data-stage]")
                if step == "vend-scan":
                    assert "50.00" in await page.inner_text("[data-stage]")
                if step == "receipt":
                    assert await page.locator("[data-hop]").count() == 12
                if step == "postings":
                    told = await page.inner_text(".stage")
                    assert "C:CUST:pyr_1:CNY" in told
                    assert "0.08" in told
                if step == "confirm":
                    assert "晨光便利店" in await page.inner_text(".stage")
                if step == "evening":
                    told = await page.inner_text("[data-closed]")
                    assert "2026-11-28" in told
                    assert "12.72" in told
            assert {asked.split("/")[2] for asked in page.asked} == {url.split("/")[2]}  # type: ignore[attr-defined]


async def test_a_press_shows_what_it_waits_for_and_is_done_once_that_is_well(
    browser: Browser,
) -> None:
    is_back = threading.Event()

    class Ended(FakeTill):
        def screen(self) -> dict[str, Any]:
            if not is_back.is_set():
                raise OperatingError("server_unreachable")
            return super().screen()

    keeper = FakeKeeper(ENDED.started(1))
    shop = replace(_with(fake_shop(Program()), Ended()), keeper=keeper)
    with front_page(shop, 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.goto(f"{url}?lang=en")
            keeper.hub = Revival("hub-1")
            await page.wait_for_selector("[data-matter]", state="detached")
            await page.click('[data-do="guide/key"]')
            keeper.hub = ENDED.started(1)
            told = await page.inner_text('[data-matter="hub-1"]')
            assert "is being started anew" in told
            assert "done once it is well" in told
            assert await page.locator('[data-do="guide/key"][aria-busy="true"]').count() == 1
            keeper.hub = Revival("hub-1")
            is_back.set()
            await page.wait_for_selector('[data-step="show"]')
            await page.wait_for_selector("[data-matter]", state="detached")


def _with(shop: Shop, till: FakeTill) -> Shop:
    assert isinstance(shop.phone, FakePhone)
    return replace(shop, till=till, tills=(till,), phone=replace(shop.phone, till=till))


@needs_axe
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_everybody_can_read_every_step(browser: Browser, language: str) -> None:
    wrong: list[str] = []
    with front_page(fake_shop(Program()), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            async for step in scenes(page, url, language):
                wrong += [f"{step}: {fault}" for fault in await faults(page)]
    assert not wrong, "\n".join(sorted(set(wrong)))


BELOW = """
() => ({ width: document.documentElement.scrollWidth,
  way: document.querySelector('.way :is(.sum, .empty)').getBoundingClientRect().bottom + scrollY })
"""


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_phone_shows_the_guide_s_step_and_the_payment_s_way_together(
    browser: Browser, language: str
) -> None:
    wrong: list[str] = []
    with front_page(fake_shop(Program()), 0) as url:
        async with opened_page(browser, viewport=PHONE) as page:
            async for step in scenes(page, url, language):
                seen = await page.evaluate(BELOW)
                if seen["width"] > PHONE["width"]:
                    wrong.append(f"{step}: {seen['width']} px wide")
                if step not in {"postings", "evening"} and seen["way"] > PHONE["height"]:
                    wrong.append(f"{step}: the way is at {seen['way']:.0f} px")
    assert not wrong, "\n".join(wrong)


WATCHED = """
() => {
  globalThis.steps = [];
  const note = () => globalThis.steps.push(document.querySelector('[data-step]').dataset.step);
  const guide = document.querySelector('[data-piece="guide"]');
  new MutationObserver(note).observe(guide, { childList: true });
}
"""


async def tell(route: Route, html: str, drawn: int) -> None:
    """Answer the page's question for its stream: the guide, drawn then."""
    told = json.dumps({"html": html, "drawn": drawn})
    body = f"event: guide\ndata: {told}\n\n"
    await route.fulfill(content_type="text/event-stream", body=body)


async def test_what_was_drawn_before_an_act_does_not_undo_it_on_the_page(browser: Browser) -> None:
    html, acted, drawn = "", asyncio.Event(), iter((1, LATER))

    async def draw_late(route: Route) -> None:
        await acted.wait()
        at = next(drawn, LATER)
        await tell(route, html if at == 1 else html.replace('"key"', '"later"'), at)

    with front_page(fake_shop(Program()), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.route("**/live?*", draw_late)
            await page.goto(f"{url}?lang=en")
            html = await page.inner_html('[data-piece="guide"]')
            await page.click('[data-do="guide/key"] >> nth=0')
            await page.wait_for_selector('[data-step="show"]')
            await page.evaluate(WATCHED)
            acted.set()
            await page.wait_for_selector('[data-step="later"]')  # the page asks again, and is told
            assert await page.evaluate("() => globalThis.steps") == ["later"]


@pytest.mark.parametrize("press", ["pointer", "space"])
async def test_a_press_counts_although_its_button_is_drawn_anew_meanwhile(
    browser: Browser, press: str
) -> None:
    drawn = asyncio.Event()

    async def draw_again(route: Route) -> None:
        await drawn.wait()
        html = await page.inner_html('[data-piece="guide"]')
        await tell(route, html, LATER)

    with front_page(fake_shop(Program()), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.route("**/live?*", draw_again)
            await page.goto(f"{url}?lang=en")
            button = page.locator('[data-do="guide/key"]').first
            await button.hover()
            await button.focus()
            await (page.mouse.down() if press == "pointer" else page.keyboard.down("Space"))
            async with page.expect_event("requestfinished", lambda asked: "/live" in asked.url):
                drawn.set()
            await (page.mouse.up() if press == "pointer" else page.keyboard.up("Space"))
            await page.wait_for_selector('[data-step="show"]')


async def test_a_refusal_is_told_in_words_and_the_guide_begins_again(browser: Browser) -> None:
    shop = fake_shop(Program())
    assert isinstance(shop.till, FakeTill)
    shop.till.declines = "insufficient_balance"
    with front_page(shop, 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.goto(f"{url}?lang=en")
            for act, then in (("key", "show"), ("show", "scan")):
                await page.focus(f'[data-do="guide/{act}"]')
                await page.keyboard.press("Enter")
                await page.wait_for_selector(f'[data-step="{then}"]')
            await page.click('[data-do="guide/scan"]')
            await page.wait_for_selector('[data-step="key"]')
            assert "insufficient_balance" in await page.inner_text("[data-refusal]")


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_guide_goes_by_keyboard_alone_and_a_refusal_leaves_the_focus_where_it_was(
    browser: Browser, language: str
) -> None:
    shop = fake_shop(Program())
    assert isinstance(shop.till, FakeTill)
    focus = "(document.activeElement.dataset.do ?? '')"
    is_cut = False

    async def cut(route: Route) -> None:
        await (route.abort() if is_cut else route.continue_())

    with front_page(shop, 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.route("**/guide/show", cut)
            await page.goto(f"{url}?lang={language}")
            while await page.evaluate(focus) != "guide/key":
                await page.keyboard.press("Tab")
            for step, act in (
                ("show", "show"), ("scan", "scan"), ("receipt", "look"), ("postings", "again"),
                ("key", "key"), ("show", "show"),
            ):  # fmt: skip
                await page.keyboard.press("Enter")
                await page.wait_for_selector(f'[data-step="{step}"]')
                await page.wait_for_function(f"() => {focus} === 'guide/{act}'")
            is_cut = True
            await page.keyboard.press("Enter")
            await page.wait_for_selector("[data-refusal]:not([hidden])")
            await page.wait_for_function(f"() => {focus} === 'guide/show'")


async def test_whatever_a_stop_of_the_way_says_can_be_read_to_its_end(browser: Browser) -> None:
    said = [said.en for name, said in WORDS.items() if name.startswith("hop_")]
    with front_page(fake_shop(Program()), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.goto(f"{url}?lang=en")
            await page.click('[data-do="things/plug"]')
            await page.click('[data-do="things/pull"]')
            await page.wait_for_selector('[data-hop="charger"] .small')
            for viewport in (LARGE, PHONE):
                await page.set_viewport_size(viewport)
                assert not await page.evaluate(_CUT, said)


async def test_a_part_that_goes_silent_says_so_within_seconds_and_is_well_again_after(
    browser: Browser,
) -> None:
    program = Program()
    with front_page(fake_shop(program), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.goto(url)
            await page.wait_for_selector('[data-part="hub"][data-state="ready"]')
            program.error = OperatingError("server_unreachable")
            await page.wait_for_selector('[data-part="hub"][data-state="silent"]')
            await page.wait_for_selector('.top [data-ill="1"]')
            assert "hub-1" in await page.inner_text(".top .health")
            await page.set_viewport_size(PHONE)
            health, language = [
                await page.locator(f".top {one}").bounding_box() for one in (".health", "> a")
            ]
            assert health is not None
            assert language is not None
            assert health["y"] >= language["y"] + language["height"]
            await page.click(".top .health a")
            assert await page.evaluate("location.hash") == "#runs"
            program.error = None
            await page.wait_for_selector('[data-part="hub"][data-state="ready"]')
            await page.wait_for_selector('.top [data-ill="0"]', state="attached")
            assert await page.is_hidden(".top .health")


async def test_a_part_that_was_given_up_is_started_by_a_press_and_its_log_stays_unfolded(
    browser: Browser,
) -> None:
    program = Program()
    gave_up = Revival("hub-1", Phase.FAILED, TRIES_MAX, 6, End(3, tail=("port is taken",)))
    keeper = FakeKeeper(gave_up)
    with front_page(replace(fake_shop(program), keeper=keeper), 0) as url:
        async with opened_page(browser, viewport=LARGE) as page:
            await page.goto(f"{url}?lang=en")
            await page.click("#log-hub-1 summary")
            await page.wait_for_selector("text=port is taken")
            program.error = OperatingError("server_unreachable")
            await page.wait_for_selector('[data-part="hub"][data-state="silent"]')
            assert await page.is_visible("text=port is taken")
            await page.click("text=Start hub-1")
            await page.wait_for_selector('[data-phase="starting"]')
            assert keeper.hub.phase is Phase.STARTING
            assert await page.is_visible("text=port is taken")
