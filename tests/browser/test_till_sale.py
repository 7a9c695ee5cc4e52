"""The main stories of the till in a real browser."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from terminal.limits import IDLE_LOCK_MS
from terminal.profile import Good
from tests.browser.test_till_screens import HIDDEN
from tests.kit.patience import PATIENCE_S
from tests.support.browser import opened_page
from tests.support.till_scenes import (
    SHOWN_MS,
    ask_for_float,
    charge,
    open_shift,
    ready_keypad,
    scan,
    shows,
    sign,
    sign_in,
)
from tests.support.tills import CASHIER_PIN, hire_both, running_till
from tests.unit.terminal.fakes import CODE
from tillway.demo.ports import lasting_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

CANCEL_IS_WHOLE = """
() => document.querySelector('#approve [data-do="disapprove"]').getBoundingClientRect().bottom
  <= document.getElementById('approve').getBoundingClientRect().bottom
"""


async def test_a_sale_by_scan_from_sign_in_to_paid_without_a_pointer(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.keyboard.type("1280")
        assert await page.inner_text("[data-shown]") == "12.80"
        await page.reload()
        assert await page.inner_text("[data-shown]") == "12.80"
        till.scanner.show(CODE)
        await page.keyboard.press("F3")
        await shows(page, "paid")
        assert "12.80" in await page.inner_text("main")
        await page.reload()
        await shows(page, "paid")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")
        assert await page.inner_text("[data-shown]") == "0.00"
        assert all(url.startswith(till.base) for url in page.asked)  # type: ignore[attr-defined]


async def test_a_scanner_that_types_pays_from_the_keypad_in_one_act(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.keyboard.type("350")
        await page.wait_for_timeout(550)  # the next burst is another one
        await scan(page, CODE)
        await shows(page, "paid")
        assert "3.50" in await page.inner_text("main")
        assert till.backend.seen.count("payment.create") == 1


async def test_an_amount_that_is_keyed_before_a_shift_is_open_never_becomes_its_float(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        hire_both(till.people)
        await page.goto(f"{till.base}/?lang=en")
        await sign_in(page)
        await shows(page, "no_shift")
        await page.keyboard.type("1280")
        async with page.expect_navigation():
            await page.keyboard.press("F2")
        await shows(page, "no_shift")
        await ask_for_float(page, "1280")
        await page.keyboard.press("Enter")
        await shows(page, "shift_open")
        assert till.counter.station().shifts.store.open_shift() is None
        async with page.expect_navigation():
            await page.keyboard.press("F2")
        await open_shift(page, "50000")
        shift = till.counter.station().shifts.store.open_shift()
        assert shift is not None
        assert shift.float_minor == 50000
        assert await page.inner_text("[data-shown]") == "0.00"


async def test_a_double_tap_makes_one_payment(browser: Browser, tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.keyboard.type("500")
        await page.evaluate("""() => {
          const pad = document.querySelector('[data-pad]');
          const token = document.querySelector('meta[name="page-token"]').content;
          const body = JSON.stringify({amount_minor: 500, currency: 'CNY', method: 'merchant_qr',
            draft_id: pad.dataset.draft});
          const headers = {'content-type': 'application/json', 'x-page-token': token};
          return Promise.all([1, 2, 3].map(() =>
            fetch('/api/sales', {method: 'POST', headers, body})));
        }""")
        await shows(page, "paid")
        assert till.backend.seen.count("payment.create") == 1


async def test_the_code_is_on_the_till_and_on_the_customer_s_side(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_till(tmp_path) as till, opened_page(browser) as page, opened_page(browser) as side,
    ):  # fmt: skip
        till.backend.state, till.backend.fields = "awaiting_payer", {"code_url": "tillway://p/1"}
        await ready_keypad(till, page)
        await side.goto(f"{till.base}/customer?lang=zh")
        await page.tap('[data-key="5"]')
        await page.tap('[data-key="00"]')
        await page.tap('[data-do="charge"].primary')
        await page.tap('[data-method="merchant_qr"]')
        for shown in (page, side):
            await shown.wait_for_selector(".white svg")
            box = await shown.locator(".white").bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 320
            assert "请扫码支付" in await shown.inner_text("main")
        await page.reload()
        await shows(page, "qr")
        await page.keyboard.press("Escape")
        await shows(page, "closed")


async def to_a_payment_of_ten_yuan(page: Page) -> None:
    """From the keypad to the page of what was paid, where it is given back."""
    await charge(page, "1000", way="merchant_qr")
    await shows(page, "paid")
    await page.keyboard.press("Enter")
    await shows(page, "keypad")
    await page.keyboard.press("F4")
    await page.click(".list a")
    await page.wait_for_selector(".refund")


async def test_a_refund_needs_a_supervisor_and_a_wrong_pin_is_asked_again(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await to_a_payment_of_ten_yuan(page)
        await page.keyboard.type("400")
        await page.keyboard.press("F2")
        await page.wait_for_selector("#approve[open]")
        await page.keyboard.type("1111")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#approve [data-refusal]:not([hidden])")
        assert await page.evaluate(CANCEL_IS_WHOLE)
        await sign(page)
        await shows(page, "refund_done")
        assert till.backend.seen.count("refund.create") == 1


async def test_unknown_stays_over_a_reload_and_is_resolved_when_the_line_is_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        till.backend.is_cut_off = True
        await charge(page, "800", way="merchant_qr")
        await shows(page, "unknown")
        till.link.cut()
        await page.reload()
        await shows(page, "unknown")
        assert "do not charge again" in await page.inner_text("main")
        assert await page.inner_text(".badge.offline")
        await page.click('[data-do="park"]')
        await shows(page, "keypad")
        assert "8.00" in await page.inner_text(".badge.offline")
        till.backend.is_cut_off = False
        till.link.mend()
        await page.wait_for_selector(".badge.offline", state="detached")
        await page.keyboard.press("F4")
        await page.wait_for_selector(".list .badge.paid")
        await page.keyboard.press("Escape")
        await shows(page, "keypad")


async def test_an_idle_till_locks_and_the_pin_brings_the_same_screen_back(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await page.clock.install()
        await ready_keypad(till, page, language="en")
        await page.keyboard.type("700")
        await page.clock.fast_forward(IDLE_LOCK_MS + 2_000)
        await shows(page, "signin")
        assert till.counter.sign_in.signed_in() is None
        for pin in ("1111", CASHIER_PIN):
            await page.keyboard.type(pin)  # whoever locked it is asked first
            await page.keyboard.press("Enter")
            if pin == "1111":
                await page.wait_for_selector("[data-refusal]:not([hidden])")
        await shows(page, "keypad")
        assert await page.inner_text("[data-shown]") == "7.00"


async def test_cash_gives_change_and_stands_in_the_shift(browser: Browser, tmp_path: Path) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.keyboard.type("1250")
        await page.keyboard.press("F2")
        await shows(page, "choosing")
        await page.keyboard.press("3")
        await shows(page, "cash")
        assert await page.inner_text(".change") == "Change\n0.00"
        await page.keyboard.type("1000")
        await page.keyboard.press("F2")
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        assert await page.inner_text(".change") == "Still due\n2.50"
        assert await page.evaluate(HIDDEN) == []
        await page.keyboard.type("15")  # what was refused is not lengthened
        assert await page.inner_text("[data-shown]") == "0.15"
        await page.keyboard.type("00")
        async with asyncio.timeout(PATIENCE_S):
            while (await till.get("api/draft"))["given"] != "1500":
                await page.wait_for_timeout(SHOWN_MS)
        await page.reload()
        await shows(page, "cash")
        assert await page.inner_text(".change") == "Change\n2.50"
        await page.keyboard.press("Backspace")
        assert await page.inner_text("[data-shown]") == "1.50"
        await page.click('[data-note="2000"]')
        assert await page.inner_text("[data-change]") == "7.50"
        await page.keyboard.press("F2")
        await shows(page, "cash_done")
        assert "7.50" in await page.inner_text("main")
        await page.reload()
        await shows(page, "cash_done")
        await page.goto(f"{till.base}/shift")
        assert "12.50" in await page.inner_text(".facts")
        assert till.printer.is_drawer_open
        assert "payment.create" not in till.backend.seen


async def test_another_try_of_a_declined_sale_has_its_amount_and_note_on_the_keypad(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.fill("#note", "六号桌")
        await page.locator("#note").blur()
        till.backend.state = "declined"
        await charge(page, "700")
        await shows(page, "scanning")
        till.scanner.show(CODE)
        await shows(page, "declined")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")
        assert await page.inner_text("[data-shown]") == "7.00"
        assert await page.input_value("#note") == "六号桌"
        till.backend.state = "captured"
        await page.keyboard.press("F3")
        await shows(page, "scanning")
        till.scanner.show(CODE)
        await shows(page, "paid")


async def test_digits_after_a_refused_count_are_a_count_of_their_own(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        await page.goto(f"{till.base}/shift/close")
        await page.keyboard.type("100")
        await page.keyboard.press("F2")
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        assert "say why" in await page.inner_text("[data-refusal]")
        await page.keyboard.press("Backspace")  # to mend it is no new count
        assert await page.inner_text("[data-shown]") == "0.10"
        await page.keyboard.press("F2")
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        await page.wait_for_selector('[data-pad][data-fresh="yes"]')
        await page.keyboard.type("50000")
        assert await page.inner_text("[data-shown]") == "500.00"
        async with page.expect_navigation():
            await page.keyboard.press("F2")
        await page.wait_for_selector('[data-kind="z"]')


async def test_digits_with_another_key_between_are_no_scan(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await page.keyboard.type("12345678")
        await page.keyboard.press("Delete")
        await page.keyboard.type("1000")
        await page.keyboard.press("Enter")
        await shows(page, "choosing")


async def test_an_amount_outside_the_limits_is_told_with_them_and_asks_nobody(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        refusal = "[data-refusal]:not([hidden])"
        for keyed in ("", "10000001"):
            await page.keyboard.type(keyed)
            await page.keyboard.press("F2")
            told = await page.inner_text(refusal)
            assert told.startswith("Key in an amount from 0.01 to 100000.00.")
            assert await page.get_attribute("main > *", "data-kind") == "keypad"
        await page.keyboard.press("Delete")
        await to_a_payment_of_ten_yuan(page)
        assert await page.evaluate(HIDDEN) == []
        await page.keyboard.type("1001")
        await page.keyboard.press("F2")
        told = await page.inner_text(refusal)
        assert told.startswith("Key in an amount from 0.01 to 10.00.")
        assert not await page.is_visible("#approve")
        assert "refund.create" not in till.backend.seen


async def test_while_a_supervisor_s_pin_is_asked_no_key_leads_to_where_it_is_an_amount(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_till(tmp_path) as till, opened_page(browser) as page:
        await ready_keypad(till, page)
        await to_a_payment_of_ten_yuan(page)
        await page.keyboard.press("F2")
        await page.wait_for_selector("#approve[open]")
        asked = len(page.asked)  # type: ignore[attr-defined]
        for key in ("F2", "F4", "F6", "F8", "F9"):
            await page.keyboard.press(key)
        await sign(page)
        await shows(page, "refund_done")
        said = [url for url in page.asked[asked:] if "/static/" not in url]  # type: ignore[attr-defined]
        assert said[0].endswith("/api/refunds")


async def test_training_is_striped_and_never_reaches_the_hub(
    browser: Browser, tmp_path: Path
) -> None:
    async with (
        running_till(tmp_path) as till, opened_page(browser) as page, opened_page(browser) as side,
    ):  # fmt: skip
        await ready_keypad(till, page, language="en")
        await side.goto(f"{till.base}/customer?lang=en")
        await page.goto(f"{till.base}/settings")
        await page.click('[data-do="train"]')
        await side.wait_for_selector('.customer[data-training="yes"]')
        await open_shift(page, "")
        await charge(page, "500", way="merchant_qr")
        await shows(page, "qr")
        await side.wait_for_selector(".customer.with-qr")
        assert "TRAINING 培训: do not pay" in await side.inner_text("main")
        assert "5.00" in await side.inner_text("main")
        assert await side.evaluate(HIDDEN) == []
        await page.goto(f"{till.base}/settings")
        await page.click('[data-do="train"]')
        await page.wait_for_selector("[data-refusal]:not([hidden])")
        assert "not finished" in await page.inner_text("[data-refusal]")
        assert await page.evaluate(HIDDEN) == []
        await page.goto(f"{till.base}/")
        await page.keyboard.press("Escape")
        await shows(page, "closed")
        await page.keyboard.press("Escape")
        await charge(page, "501")
        await shows(page, "scanning")
        await page.click('[data-do="practice"]')
        await shows(page, "declined")
        assert await page.get_attribute("body", "data-training") == "yes"
        assert "TRAINING" in await page.inner_text(".bar")
        await page.keyboard.press("F8")
        await page.click('.settings [data-do="train"]')  # over a screen that is done
        await page.wait_for_selector('body[data-training="no"]')
        await side.wait_for_selector('.customer[data-training="no"]')
        assert "payment.create" not in till.backend.seen


async def test_barcodes_typed_by_a_scanner_fill_the_cart_and_lose_none(
    browser: Browser, tmp_path: Path
) -> None:
    goods = {
        code: Good(code=code, zh=zh, en=en, amount_minor=price)
        for code, zh, en, price in (
            ("6921734976505", "茶", "Tea", 350), ("6901939621608", "可乐", "Cola", 300),
        )
    }  # fmt: skip
    async with running_till(tmp_path, goods=goods) as till, opened_page(browser) as page:
        await ready_keypad(till, page, language="en")
        for code in (*goods, *goods, "6921734976505"):
            await scan(page, code)
        await page.wait_for_selector('#lines[data-count="5"]', state="attached")
        assert await page.inner_text("[data-shown]") == "16.50"
        await page.keyboard.press("Backspace")
        await page.wait_for_selector('#lines[data-count="4"]', state="attached")
        await page.reload()
        shown = await page.inner_text("[data-shown]")
        await page.keyboard.press("F2")
        await shows(page, "choosing")
        await page.click('[data-method="merchant_qr"]')
        await shows(page, "paid")
        assert shown in await page.inner_text("main")
        await page.keyboard.press("Enter")
        await shows(page, "keypad")
        assert await page.inner_text("[data-shown]") == "0.00"


async def test_a_page_outlives_the_program_and_comes_back_to_the_same_payment(
    browser: Browser, tmp_path: Path
) -> None:
    port = lasting_port()
    async with opened_page(browser) as page:
        async with running_till(tmp_path, port=port) as till:
            await ready_keypad(till, page, language="en")
            till.backend.is_cut_off = True
            await charge(page, "900", way="merchant_qr")
            await shows(page, "unknown")
            number = await page.inner_text("main code")
        await page.wait_for_selector(".lost", state="visible")
        async with running_till(tmp_path, port=port) as till:
            till.backend.is_cut_off = True
            await page.wait_for_selector(".lost", state="hidden")
            await shows(page, "unknown")
            assert await page.inner_text("main code") == number
            assert "9.00" in await page.inner_text("main")


async def test_a_finger_pays_in_two_acts_of_the_payer(browser: Browser, tmp_path: Path) -> None:
    """The code before the scanner, the finger on the glass: the payer touches nothing else."""
    async with (
        running_till(tmp_path, biometric_above_minor=0) as till,
        opened_page(browser) as page,
    ):
        await ready_keypad(till, page, language="en")
        await page.keyboard.type("680")
        await page.keyboard.press("F3")
        await shows(page, "scanning")
        acts = {
            "code": (lambda: till.scanner.show(CODE), "verifying"),
            "finger": (lambda: till.sensor.place("mine"), "paid"),
        }
        done: list[str] = []
        while await page.locator('[data-kind="paid"]').count() == 0:
            name = list(acts)[len(done)]
            act, then = acts[name]
            act()
            done.append(name)
            await shows(page, then)
        assert len(done) <= 2
        assert till.backend.seen.count("payment.create") == 1
        assert "6.80" in await page.inner_text("main")
