"""The tester's bench: injects a fault and sees it on the wire; every control by keyboard."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import serial
from playwright.async_api import Browser, Page, Route, expect

from tests.support.axe import faults, needs_axe
from tests.support.browser import LARGE, opened_page
from tests.support.sim_bench import RunningSim, running_sim

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
READ_MODE = bytes.fromhex("7E000701000A01EE8A")
PAGE_BYTES_MAX = 60_000


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSim]:
    with running_sim(tmp_path_factory.mktemp("sim")) as running:
        yield running


def _ask(sim: RunningSim) -> bytes:
    """What the scanner answers to a host that reads its mode."""
    with serial.Serial(sim.devices["scanner"], 9600, timeout=1) as port:
        port.write(READ_MODE)
        return bytes(port.read(7))


async def test_a_tester_injects_a_fault_and_sees_it_on_the_wire(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench?lang=en&device=scanner")
        assert _ask(sim) == bytes.fromhex("020000013EE4AC")
        await page.click('.row.host[data-number]:has-text("read")')
        await page.wait_for_selector("#detail .decoded")
        await page.click('#detail button[data-f="1"]')
        lit = page.locator("#detail .octets .lit")
        assert await lit.all_inner_texts() == ["00", "0a"]
        await page.evaluate("window.isSamePage = true")
        await page.click("#choose-display")
        await page.wait_for_selector('.inspected[data-device="display"]')
        await page.click("#choose-scanner")
        await page.wait_for_selector('.inspected[data-device="scanner"]')
        await page.click("[data-tab=faults]")
        await page.fill("#fault-at", "4")
        await page.click('[data-fault="flip"]')
        await page.wait_for_selector(".faults-now [data-heal]")
        assert "at byte 4" in await page.inner_text(".faults-now")
        assert "has not struck yet" in await page.inner_text(".faults-now")
        assert _ask(sim)[4] == 0x3E ^ 0x04
        await page.wait_for_selector(".row.device.junk")
        await page.click(".row.device.junk")
        await page.wait_for_selector("#detail .badge.error")
        assert "3a" in await page.inner_text("#detail .octets")
        await page.click('[data-do="heal"]')
        await page.wait_for_selector(".faults-now [data-heal]", state="detached")
        assert await page.evaluate("window.isSamePage")
        assert _ask(sim) == bytes.fromhex("020000013EE4AC")
        assert {asked.split("/")[2] for asked in page.asked} == {sim.url.split("/")[2]}  # type: ignore[attr-defined]


async def test_things_are_dragged_to_their_part_and_all_of_it_goes_by_keyboard(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE, has_touch=False) as page:
        await page.goto(f"{sim.url}/bench?lang=en")
        await page.drag_and_drop(
            '.hand:has-text("alice")', '[data-part="fingerprint"] .choose .plate'
        )
        await page.wait_for_selector('[data-part="fingerprint"] .fingertip')
        await page.focus('[data-part="fingerprint"] .hot')
        await page.keyboard.press("Enter")
        await page.wait_for_selector('[data-part="fingerprint"] .fingertip', state="detached")
        await page.focus("#choose-printer")
        await page.keyboard.press("Enter")
        await page.wait_for_selector('.inspected[data-device="printer"]')
        await page.focus("#tab-acts")
        await page.keyboard.press("ArrowRight")
        assert await page.get_attribute("#tab-faults", "aria-selected") == "true"
        await page.focus("#rows")
        await page.keyboard.press("ArrowUp")
        await page.wait_for_selector("#detail h3")


FOCUS = "document.activeElement.id || JSON.stringify(document.activeElement.dataset)"


async def test_who_works_by_keyboard_is_never_thrown_back_to_the_page_s_beginning(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE, has_touch=False) as page:
        await page.goto(f"{sim.url}/bench?lang=en")
        await page.focus("#choose-pinpad")
        await page.keyboard.press("Enter")
        await page.wait_for_function(f"() => ({FOCUS}) === 'tab-acts'")
        assert await page.is_visible(".back")
        for button, turns in (("power", ("power-on", "power-off")), ("plug", ("plug", "unplug"))):
            await page.focus(f"#{button}")
            for then in turns:
                await page.keyboard.press("Enter")
                await page.wait_for_selector(f'#{button}[data-do="{then}"]:not(:disabled)')
                await page.wait_for_function(f"() => ({FOCUS}) === '{button}'")
        await page.focus("#tab-acts")
        await page.keyboard.press("ArrowRight")
        await page.focus('[data-fault="flip"]')
        for number in range(2):
            await page.keyboard.press("Enter")
            await page.wait_for_selector(f'[data-heal="{number}"]')
            await page.wait_for_function(f"() => ({FOCUS}).includes('flip')")
        await page.focus('[data-heal="1"]')
        await page.keyboard.press("Enter")
        await page.wait_for_selector('[data-heal="1"]', state="detached")
        await page.wait_for_function(f"() => ({FOCUS}) === 'side'")
        await page.focus('[data-do="heal"]')
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".faults-now [data-heal]", state="detached")
        await page.keyboard.press("Escape")
        await page.wait_for_function(f"() => ({FOCUS}) === 'choose-pinpad'")


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "alice belongs on fingerprint"), ("zh", "“alice”要放到 fingerprint 上")],
)
async def test_a_thing_that_is_let_go_on_a_wrong_part_is_told_where_it_belongs(
    browser: Browser, sim: RunningSim, language: str, told: str
) -> None:
    async with opened_page(browser, viewport=LARGE, has_touch=False) as page:
        await page.goto(f"{sim.url}/bench?lang={language}")
        await page.drag_and_drop('.hand:has-text("alice")', '[data-part="printer"] .choose .plate')
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        assert told in await page.inner_text("[data-refusal]")
        await page.drag_and_drop(
            '.hand:has-text("alice")', '[data-part="fingerprint"] .choose .plate'
        )
        await page.wait_for_selector('[data-part="fingerprint"] .fingertip')
        assert await page.is_hidden("[data-refusal]")
        await page.click('[data-part="fingerprint"] .hot')
        await page.wait_for_selector('[data-part="fingerprint"] .fingertip', state="detached")


async def test_what_is_pressed_before_the_scripts_are_there_is_done_when_they_are(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE, has_touch=False) as page:
        pressed = asyncio.Event()

        async def late(route: Route) -> None:
            await pressed.wait()
            await route.continue_()

        await page.route("**/bench/bench.js", late)
        await page.goto(f"{sim.url}/bench?lang=en&device=scanner", wait_until="commit")
        await page.click("#choose-printer")
        await page.click('.hand:has-text("bob")')
        assert await page.get_attribute(".inspected", "data-device") == "scanner"
        pressed.set()
        await page.wait_for_selector('.inspected[data-device="printer"]')
        await page.click('[data-part="fingerprint"] .hot')
        await page.wait_for_selector('[data-part="fingerprint"] .fingertip', state="detached")


async def test_a_reload_shows_the_same_device_tab_port_and_message(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench?lang=en")
        _ask(sim)
        await page.click("#choose-scanner")
        await page.click("[data-tab=state]")
        await page.select_option("#only", "scanner")
        await page.click(".row.device >> nth=-1")
        told = await page.inner_text("#detail h3:has-text('reply')")
        for _ in range(2):
            await page.reload()
            await page.wait_for_selector(".row.device[aria-current]")
            assert await page.inner_text("#detail h3") == told
            assert await page.get_attribute("#tab-state", "aria-selected") == "true"
            assert await page.input_value("#only") == "scanner"
            assert await page.locator('.row:not(:has(.who:text("scanner")))').count() == 0
            await page.click('a[hreflang="en"], a[hreflang="zh"]')
            await page.wait_for_selector("html[lang^=zh]")
            await page.goto(page.url.replace("lang=zh", "lang=en"))


async def test_what_is_typed_on_the_page_of_scenarios_outlives_a_reload(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench/scenarios?lang=en&name=lost-byte")
        assert not await page.is_visible("#source")
        await page.fill("#seed", "77")
        await page.click(".own summary")
        await page.fill("#source", "name: mine\nboard: pos\nsteps: []\n")
        await page.reload()
        assert await page.input_value("#seed") == "77"
        assert (await page.input_value("#source")).startswith("name: mine")
        assert await page.is_visible("#source")
        await page.click('a[href="?name=noisy-line"]')
        await page.wait_for_selector('#controls[data-scenario="noisy-line"]')
        assert await page.input_value("#seed") == "5"
        assert "mine" not in await page.input_value("#source")


async def test_a_phone_scrolls_the_whole_bench_and_breaks_no_word(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport={"width": 390, "height": 844}) as page:
        await page.goto(f"{sim.url}/bench?lang=en&device=printer")
        for _ in range(6):
            _ask(sim)
        await page.wait_for_selector(".row >> nth=9")
        heights = await page.evaluate(
            "['.rows', '.side'].map((one) => document.querySelector(one).clientHeight)"
        )
        assert min(heights) > 200, heights
        tall = await page.evaluate(
            "[...document.querySelectorAll('.hand, .bunch > .small')]"
            ".filter((one) => one.offsetHeight > 40).map((one) => one.textContent)"
        )
        assert tall == []


@pytest.mark.parametrize("width", [390, 800])
async def test_no_page_of_the_bench_is_wider_than_its_window(
    browser: Browser, sim: RunningSim, width: int
) -> None:
    async with opened_page(browser, viewport={"width": width, "height": 844}) as page:
        for place in ("bench", "bench/scenarios", "bench/traces"):
            await page.goto(f"{sim.url}/{place}?lang=en")
            assert await page.evaluate("document.documentElement.scrollWidth") == width, place


async def test_what_a_form_says_is_done_and_a_refusal_is_told(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench?lang=en&device=pinpad")
        await page.click('summary:has-text("Type a PIN")')
        await page.fill("#f-enter_pin-pin", "1234")
        await page.click('form[data-act="enter_pin"] [type="submit"]')
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        assert "does not ask for a PIN" in await page.inner_text("[data-refusal]")
        await page.goto(f"{sim.url}/bench?lang=zh&device=pinpad")
        await page.click('summary:has-text("输入密码")')
        await page.fill("#f-enter_pin-pin", "1234")
        await page.click('form[data-act="enter_pin"] [type="submit"]')
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        told = await page.inner_text("[data-refusal]")
        assert "密码键盘现在不要密码" in told
        assert "does not" not in told
        await page.click('[data-do="unplug"]')
        await page.wait_for_selector('[data-do="plug"]')
        await page.click('[data-do="plug"]')
        await page.wait_for_selector('[data-do="unplug"]')


async def test_the_wire_waits_while_paused_and_shows_one_port_alone(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench?lang=en")
        await page.wait_for_selector(".row")
        await page.click('[data-do="pause"]')
        before = await page.locator(".row").count()
        _ask(sim)
        await page.wait_for_selector(".missed:not([hidden])")
        assert await page.locator(".row").count() == before
        await page.click('[data-do="pause"]')
        await page.wait_for_selector(".missed", state="hidden")
        await page.select_option("#only", "display")
        await page.wait_for_function("() => !document.querySelector('.row .who')")
        with serial.Serial(sim.devices["display"], 9600) as port:
            port.write(b"\x0cTILLWAY")
        await page.wait_for_selector('.row:has-text("TILLWAY")')
        with serial.Serial(sim.devices["display"], 9600) as port:
            port.write(b"\x0cTILLWAY" * 2)
        again = '.row:has-text("TILLWAY"):has(.times:has-text("3×"))'
        await page.wait_for_selector(again)
        assert await page.locator('.row:has-text("TILLWAY")').count() == 1
        await page.click(again)
        await page.click("#detail .repeats [data-opens] >> nth=0")
        await page.wait_for_selector("#detail .repeats [aria-current] >> nth=0")
        assert await page.get_attribute(again, "aria-current") == "true"
        await page.click('#detail button[data-f="1-1"]')
        assert "".join(await page.locator("#detail .text .lit").all_inner_texts()) == "TILLWAY"


def _mentions(file: Path, words: str) -> bool:
    return words in file.read_text(encoding="utf-8")


async def test_a_scenario_is_stepped_with_a_seed_and_its_report_downloaded(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE, accept_downloads=True) as page:
        await page.goto(f"{sim.url}/bench/scenarios?lang=en&name=lost-byte")
        await page.fill("#seed", "21")
        await page.focus('[value="stepwise"]')
        await page.keyboard.press("Enter")
        for line in ("7", "8", "9"):
            await page.wait_for_selector(
                f'[data-state="waiting"] [value="{line}"][data-mark="now"]'
            )
            await page.focus('[data-run-do="step"]')
            await page.keyboard.press("Enter")
        await page.wait_for_selector('.said li:has-text("faults")')
        for language in ("zh", "en"):
            await page.click(f'a[hreflang="{language}"]')
            await page.wait_for_selector(f'html[lang^="{language}"] [data-mark="now"]')
        await page.click('[data-run-do="go-on"]')
        await page.wait_for_selector('[data-state="passed"]')
        assert "7 / 7 steps" in await page.inner_text(".outcome")
        assert "seed 21" in await page.inner_text(".outcome")
        async with page.expect_download() as loading:
            await page.click('a[href$="report.xml"]')
        assert _mentions(await (await loading.value).path(), 'name="seed" value="21"')
        await page.reload()
        await page.wait_for_selector('[data-state="passed"]')


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("scenario:3: steps.0.do: no device 'scaner'; did you mean 'scanner'?",
                "scenario:4: steps.1.wiat: there is no such key; did you mean 'wait'?")),
        ("zh", ("scenario 第 3 行：steps.0.do：没有器件 'scaner'；是不是 'scanner'？",
                "scenario 第 4 行：steps.1.wiat：没有这个键；是不是 'wait'？")),
    ],
)  # fmt: skip
async def test_all_that_is_wrong_with_an_own_scenario_is_told_a_line_each_and_seen(
    browser: Browser, sim: RunningSim, language: str, told: tuple[str, str]
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench/scenarios?lang={language}&name=lost-byte")
        await page.click(".own summary")
        await page.fill("#source", "name: x\nsteps:\n  - do: scaner.present\n  - wiat: 1s\n")
        await page.click('[data-do="own"]')
        refusal = page.locator("[data-refusal]:not([hidden])")
        await expect(refusal).to_be_in_viewport(ratio=1)
        assert tuple((await refusal.inner_text()).splitlines()[-2:]) == told


async def test_a_recording_is_made_and_replayed_in_the_page(
    browser: Browser, sim: RunningSim
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        await page.goto(f"{sim.url}/bench/traces?lang=en")
        await page.fill("#record-name", "a day")
        await page.click('[data-do="start"]')
        field = page.locator("#record-name")
        wrong = await field.evaluate("(one) => one.validationMessage")
        assert wrong == "Letters, digits, - and _ only."
        await field.fill("day")
        await field.press("Enter")
        await page.wait_for_selector('[data-recording="day"]')
        _ask(sim)
        await page.wait_for_selector('.recording:has-text("2 events")')
        await page.click('[data-do="stop"]')
        await page.click('#play [value="host"]')
        await page.wait_for_selector('[data-state="passed"]')
        await page.click('[data-do="throw-away"]')
        await page.wait_for_selector("#play", state="detached")


async def test_a_trace_is_chosen_and_refused_in_the_page_s_language(
    sim: RunningSim, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text("")
    async with opened_page(browser, viewport=LARGE) as page:
        for language, choose, none, missing in (
            ("zh", "选择文件", "尚未选择", "请先选择或填写。"),
            ("en", "Choose a file", "None chosen", "Please choose or fill this in."),
        ):
            await page.goto(f"{sim.url}/bench/traces?lang={language}")
            label = page.locator("label[for=load-file]")
            assert choose in await label.inner_text()
            assert none in await label.inner_text()
            await page.click("#load button")
            field = page.locator("#load-file")
            assert await field.evaluate("(one) => one.validationMessage") == missing
            async with page.expect_file_chooser() as chooser:
                await label.click()
            await (await chooser.value).set_files(file)
            assert "mine.jsonl" in await label.inner_text()
            assert await field.evaluate("(one) => one.validity.valid")


@pytest.mark.parametrize(
    ("language", "missing", "unfit"),
    [
        ("zh", "请先选择或填写。", "请填 0 到 {} 的整数。"),
        ("en", "Please choose or fill this in.", "A whole number from 0 to {}."),
    ],
)
async def test_a_number_that_does_not_fit_is_told_at_its_field_and_sent_to_nobody(
    browser: Browser, sim: RunningSim, language: str, missing: str, unfit: str
) -> None:
    async with opened_page(browser, viewport=LARGE) as page:
        for place, field, press, most in (
            ("bench", "#fault-at", '[data-fault="flip"]', "1,000,000"),
            ("bench/scenarios", "#seed", '#controls [value="run"]', "9,007,199,254,740,991"),
        ):
            await page.goto(f"{sim.url}/{place}?lang={language}&device=scanner")
            if place == "bench":
                await page.click("[data-tab=faults]")
            for value, told in (("", missing), ("-1", unfit), ("1.5", unfit), ("9" * 20, unfit)):
                await page.fill(field, value)
                await page.click(press)
                said = await page.locator(field).evaluate("(one) => one.validationMessage")
                assert said == told.format(most), value
        asked = page.asked  # type: ignore[attr-defined]
        assert not [one for one in asked if one.endswith(("/faults", "/runs"))]


@needs_axe
async def test_every_page_of_the_bench_is_readable_and_light(
    browser: Browser, sim: RunningSim
) -> None:
    wrong: list[str] = []
    _ask(sim)
    for language in ("zh", "en"):
        async with opened_page(browser, viewport=LARGE) as page:
            async for name in _views(page, sim.url, language):
                wrong += [f"{name} {language}: {fault}" for fault in await faults(page)]
    assert not wrong, "\n".join(sorted(set(wrong)))
    async with opened_page(browser, viewport=LARGE) as page:
        sizes: list[int] = []
        page.on(
            "response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0)))
        )
        for place in ("", "/scenarios", "/traces"):
            sizes.clear()
            await page.goto(f"{sim.url}/bench{place}")
            await page.wait_for_timeout(300)
            assert sum(sizes) < PAGE_BYTES_MAX, place


async def _views(page: Page, url: str, language: str) -> AsyncIterator[str]:
    """The bench's pages, each with something on it."""
    await page.goto(f"{url}/bench?lang={language}&device=printer")
    await page.click(".row >> nth=0")
    await page.wait_for_selector("#detail h3")
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    yield "acts"
    await page.click("[data-tab=faults]")
    yield "faults"
    await page.goto(f"{url}/bench/scenarios?lang={language}")
    await page.click('[value="stepwise"]')
    await page.wait_for_selector('[data-state="waiting"]')
    yield "stepwise"
    await page.click('[data-run-do="stop"]')
    await page.wait_for_selector('[data-state="stopped"]')
    await page.goto(f"{url}/bench/traces?lang={language}")
    await page.fill("#record-name", f"read-{language}")
    await page.click('[data-do="start"]')
    await page.click('[data-do="stop"]')
    await page.wait_for_url(f"**name=read-{language}")
    await page.wait_for_selector("#play")
    yield "traces"
