"""What the till tells at a glance: what waits offline, what the printer did, that it is gone."""

import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route

from tests.support.browser import opened_page
from tests.support.offline_phone import Phone, hub_word
from tests.support.till_scenes import LONG_NAMES, METHODS, charge, pay_by_code, ready_keypad, shows
from tests.support.tills import Till, running_till
from tests.unit.terminal.fakes import CODE
from tillway.demo.ports import lasting_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]
SEEN = """
all => all.filter((each) => {
  const box = each.getBoundingClientRect();
  const cut = each.closest('.says').getBoundingClientRect();
  return each.checkVisibility() && box.left >= cut.left && box.right <= cut.right + 1
    && box.top >= 0 && box.bottom <= document.getElementById('bar').offsetHeight;
}).map((each) => each.innerText)
"""

PLACES = "all => all.map((each) => JSON.stringify(each.getBoundingClientRect()))"


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", (("1 笔待处理 ¥36.00", "最早"), ("1 笔离线待入账 ¥15.00", "最早"))),
        ("en", (("1 waiting ¥36.00", "oldest"), ("1 taken offline ¥15.00", "oldest"))),
    ],
)
async def test_of_what_waits_offline_count_sum_and_age_are_told_on_a_small_screen(
    language: str, told: tuple[tuple[str, str], ...], browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_till(tmp_path, methods=METHODS, **LONG_NAMES) as till,
        opened_page(browser) as page,
    ):
        await ready_keypad(till, page, language=language)
        till.backend.is_cut_off = True
        await charge(page, "3600", way="merchant_qr")
        await shows(page, "unknown")
        now_ms = int(time.time() * 1000)
        till.link.announce(hub_word("offline", now_ms))
        till.link.cut()
        await page.click('[data-do="park"]')
        await charge(page, "1500", way="offline_token")
        await shows(page, "offline_scan")
        till.scanner.show(Phone(now_ms).sign(till.shell.screen.code_url or ""))
        await shows(page, "accepted_offline")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")
        ages = "all => all.forEach((each) => (each.dataset.age = Date.now() - 46_740_000))"
        await page.eval_on_selector_all(".bar [data-age]", ages)
        await page.wait_for_selector('[data-offline] [data-age]:text-is("12 h 59 min")')
        seen = await page.eval_on_selector_all(".bar .badge", SEEN)
        assert len(seen) == len(told)
        for badge, words in zip(seen, told, strict=True):
            for word in words:
                assert word in badge
            assert badge.endswith("12 h 59 min")


async def test_what_is_printed_is_told_and_so_is_a_printer_without_paper(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.goto(f"{till.base}/shift")
        await page.tap('[data-do="print_x"]')
        await page.wait_for_selector('[data-refusal][role="status"]:has-text("已打印")')
        assert len(till.printer.receipts) == 1
        till.printer.paper = "end"
        await page.tap('[data-do="print_x"]')
        await page.wait_for_selector('[data-refusal][role="alert"]:has-text("缺纸，请装纸")')
        status, told = await till.post("shift/x")
        assert (status, told["error"]["code"]) == (400, "printer_paper_end")
        till.printer.paper = "adequate"
        assert (await till.post("shift/x"))[1]["print"] == "printed"


REPRINT = 'main [data-do="reprint"]'
TOLD = "main [data-refusal]"


async def reprints_once_there_is_paper(till: Till, page: Page) -> None:
    """What the printer lacks is said beside the button, which prints when it is there."""
    printed = len(till.printer.receipts)
    till.printer.is_cover_open = True
    for _ in range(2):
        await page.tap(REPRINT)
        await page.wait_for_selector(f'{TOLD}[role="alert"]:has-text("打印机盖未关，请合上")')
    await page.reload()
    till.printer.is_cover_open = False
    await page.tap(REPRINT)
    await page.wait_for_selector(f'{TOLD}[role="status"]:has-text("已打印")')
    assert len(till.printer.receipts) == printed + 1


async def test_what_the_printer_lacks_is_said_where_a_copy_was_asked_for(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await pay_by_code(till, page)
        await reprints_once_there_is_paper(till, page)
        await page.goto(f"{till.base}/recent")
        await page.tap("td a")
        await shows(page, "payment")
        await reprints_once_there_is_paper(till, page)
        await page.goto(f"{till.base}/shift/close")
        await page.keyboard.type("50000")
        await page.tap('[data-do="close_shift"]')
        await shows(page, "z")
        await reprints_once_there_is_paper(till, page)


async def test_a_receipt_that_was_not_printed_is_told_on_the_sale_that_it_is_of(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        till.scanner.show(CODE)
        till.printer.paper = "end"
        await charge(page, "1280")
        await shows(page, "paid")
        await page.wait_for_selector(f'{TOLD}:has-text("缺纸，请装纸")')
        till.printer.paper = "adequate"
        await page.tap(REPRINT)
        await page.wait_for_selector(f'{TOLD}[role="status"]:has-text("已打印")')
        await page.wait_for_function("!document.querySelector('.bar .badge')")
        assert "已打印" in await page.inner_text(TOLD)


async def test_an_answer_that_comes_after_the_screen_has_told_it_says_nothing_twice(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        told = f'{TOLD}.warn:has-text("缺纸，请装纸")'

        async def late(route: Route) -> None:
            answer = await route.fetch()
            await page.wait_for_selector(told)
            await route.fulfill(response=answer)

        await page.route("**/api/receipts/reprint", late)
        await pay_by_code(till, page)
        await page.wait_for_function("!document.querySelector('.bar .badge')")
        till.printer.paper = "end"
        async with page.expect_response("**/api/receipts/reprint"):
            await page.tap(REPRINT)
        await page.wait_for_selector(f"{REPRINT}:not([aria-busy])")
        assert await page.locator(told).count() == 1


async def test_a_slip_or_a_report_that_did_not_come_is_told_on_its_page(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        till.printer.paper = "end"
        await page.keyboard.type("1280")
        await page.keyboard.press("F2")
        await shows(page, "choosing")
        await page.tap('[data-do="cash"]')
        await shows(page, "cash")
        await page.tap('[data-do="take_cash"]')
        await shows(page, "cash_done")
        await page.wait_for_selector(f'{TOLD}:has-text("缺纸，请装纸")')
        till.printer.paper = "adequate"
        await page.tap(REPRINT)
        await page.wait_for_selector(f'{TOLD}[role="status"]:has-text("已打印")')
        await page.goto(f"{till.base}/shift/close")
        till.printer.is_cover_open = True
        await page.keyboard.type("51280")
        await page.tap('[data-do="close_shift"]')
        await shows(page, "z")
        await page.wait_for_selector(f'{TOLD}:has-text("打印机盖未关，请合上")')
        till.printer.is_cover_open = False
        await till.post("receipts/reprint", payment_id="shift-1")
        await page.wait_for_selector(TOLD, state="hidden")


async def test_the_payers_side_says_in_both_languages_that_the_till_is_gone_and_comes_back(
    browser: Browser, tmp_path: Path
) -> None:
    port = lasting_port()
    async with opened_page(browser) as side:
        async with running_till(tmp_path, port=port) as till:
            await side.goto(f"{till.base}/customer?lang=zh")
            await side.wait_for_selector(".customer")
            assert await side.is_hidden(".away")
        await side.wait_for_selector(".away")
        told = await side.inner_text(".away")
        assert "请询问店员" in told
        assert "ask the staff" in told
        # What is below is covered: a code that was there is to be paid no longer.
        at = "document.elementFromPoint(innerWidth / 2, innerHeight / 2).closest('.away') !== null"
        assert await side.evaluate(at)
        async with running_till(tmp_path, port=port):
            await side.wait_for_selector(".away", state="hidden")
            await side.wait_for_selector('.customer h1:has-text("欢迎光临")')


async def test_the_till_says_that_its_program_is_gone_and_no_key_moves(
    browser: Browser, tmp_path: Path
) -> None:
    async with opened_page(browser) as page:
        async with running_till(tmp_path) as till:
            await ready_keypad(till, page)
            places = await page.eval_on_selector_all("main .key, #note", PLACES)
        await page.wait_for_selector(".lost:visible")
        assert await page.eval_on_selector_all("main .key, #note", PLACES) == places


async def test_why_there_is_no_line_is_whole_on_the_settings_of_a_small_screen(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        till.link.cut()
        till.link.refuse("hub_certificate_unknown")
        await page.goto(f"{till.base}/settings")
        await page.wait_for_selector(".beside-code code")
        whole = "code => code.getBoundingClientRect().bottom <= innerHeight"
        assert await page.eval_on_selector(".beside-code code", whole)
        assert await page.eval_on_selector(".column", "e => e.scrollHeight <= e.clientHeight")


async def test_a_page_that_is_refused_waits_for_an_answer_before_it_loads_itself_again(
    browser: Browser, tmp_path: Path
) -> None:
    port = lasting_port()
    async with opened_page(browser) as side:
        async with running_till(tmp_path, port=port) as till:
            await side.goto(f"{till.base}/customer?lang=zh")
            await side.wait_for_selector(".customer")
            await side.route("**/fragments*", lambda route: route.fulfill(status=503))
        await side.wait_for_selector(".away")  # refused, and nobody there to load the page from
        await side.wait_for_timeout(2_500)
        assert await side.is_visible(".away")
        await side.unroute("**/fragments*")
        async with running_till(tmp_path, port=port):
            await side.wait_for_selector(".away", state="hidden")
