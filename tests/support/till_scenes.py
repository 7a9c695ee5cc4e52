"""Every screen of the till, reached as a person reaches it; for pictures, and for axe."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

from playwright.async_api import Page

from terminal import logs
from terminal.ports import CardOutcome
from terminal.profile import Good, Item
from tests.support.offline_phone import Phone, hub_word
from tests.support.tills import CASHIER_PIN, SUPERVISOR_PIN, Till, hire_both
from tests.unit.terminal.fakes import CODE

SHOWN_MS = 30
NO_TIME_PASSES = """
keys => {
  const at = performance.now();
  const still = { configurable: true, get: () => at };
  Object.defineProperty(KeyboardEvent.prototype, 'timeStamp', still);
  const heard = () => {
    keys -= 1;
    if (keys > 0) return;
    delete KeyboardEvent.prototype.timeStamp;
    removeEventListener('keydown', heard, { capture: true });
  };
  addEventListener('keydown', heard, { capture: true });  // after the page has heard the key
}
"""
GOODS = {
    code: Good(code=code, zh=zh, en=en, amount_minor=price)
    for code, zh, en, price in (
        ("6921734976505", "龙井茶", "Longjing tea", 850),
        ("6901939621608", "可乐", "Cola", 300),
        ("6902083886455", "矿泉水", "Spring water", 200),
    )
}
MACHINE: dict[str, Any] = {
    "kind": "vending",
    "methods": ("merchant_qr",),
    "items": tuple(
        Item(item=good.code, zh=good.zh, en=good.en, amount_minor=good.amount_minor)
        for good in GOODS.values()
    ),
}
LOGGED = (
    {"at": "2026-11-28T08:30:02Z", "event": "terminal_started", "device": "till-1"},
    {"at": "2026-11-28T08:30:03Z", "event": "link_up", "hub": "hub-1"},
    {"at": "2026-11-28T08:41:10Z", "event": "scanner_failed", "level": "warning",
     "code": "device_no_reply", "tries": 3},
    {"at": "2026-11-28T08:41:15Z", "event": "sale_moved", "payment_id": "pay_01M8H5DVHY52HT5B2K",
     "state": "paid"},
)  # fmt: skip
"""What a till logs in a few minutes."""
Scene = tuple[str, Page]
GIVEN_PIN = "860247"
"""One that a supervisor sets."""
LONG_NAMES: dict[str, Any] = {
    "merchant_zh": "街角小店中山公园地铁站二号口店",
    "merchant_en": "Corner Shop at Zhongshan Park Station",
}
METHODS = ("pay_code", "merchant_qr", "offline_token")
QUERY = """
fetch('/api/sales/current/query', {method: 'POST', headers: {
  'x-page-token': document.querySelector('meta[name="page-token"]').content}})
"""


async def sign_in(page: Page, pin: str = CASHIER_PIN, *, staff: int = 2) -> None:
    """Choose a person and type the PIN."""
    await page.click(f'main [data-staff="{staff}"]')
    await page.keyboard.type(pin)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def key_pin(page: Page, pin: str, *, staff: int = 2) -> None:
    """Choose a person and type the PIN, which may not open a session."""
    await page.click(f'main [data-staff="{staff}"]')
    await page.keyboard.type(pin)
    await page.keyboard.press("Enter")


async def choose_pin(page: Page, pin: str = CASHIER_PIN) -> None:
    """An own PIN, twice, where the page asks for one."""
    await page.keyboard.type(pin)
    await page.keyboard.press("Enter")
    await page.wait_for_selector('[data-asks="repeat"]')
    await page.keyboard.type(pin)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def sign(page: Page) -> None:
    """A supervisor signs in the dialog."""
    await page.wait_for_selector("#approve[open]")
    await page.keyboard.type(SUPERVISOR_PIN)
    await page.keyboard.press("Enter")


async def ready_keypad(till: Till, page: Page, *, language: str = "zh") -> None:
    """Staff, somebody signed in, a shift open."""
    hire_both(till.people)
    await page.goto(f"{till.base}/?lang={language}")
    await sign_in(page)
    await open_shift(page)


async def ask_for_float(page: Page, digits: str = "50000") -> None:
    """From the page that says that no shift is open: the float is asked for, and keyed."""
    await page.wait_for_selector('[data-kind="no_shift"]')
    async with page.expect_navigation():
        await page.keyboard.press("F6")
    await page.wait_for_selector('[data-kind="shift_open"]')
    await page.keyboard.type(digits)


async def scan(page: Page, code: str) -> None:
    """As a scanner that types. It leaves no time between its keys, however slow this machine is."""
    await page.evaluate(NO_TIME_PASSES, len(code) + 1)
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")


async def open_shift(page: Page, digits: str = "50000") -> None:
    """A shift is opened, and the keypad is there."""
    await ask_for_float(page, digits)
    async with page.expect_navigation():
        await page.keyboard.press("F6")
    await page.wait_for_selector('[data-kind="keypad"]')


async def charge(page: Page, digits: str, *, way: str = "") -> None:
    """Key an amount and charge it: F3, or a way of the choice."""
    await page.wait_for_selector('[data-kind="keypad"]')
    await page.keyboard.type(digits)
    await page.keyboard.press("F2" if way else "F3")
    if way:
        await page.wait_for_selector('[data-kind="choosing"]')
        await page.click(f'[data-method="{way}"]')


async def shows(page: Page, kind: str) -> None:
    """Wait for a screen, and a breath for its paint."""
    await page.wait_for_selector(f'[data-kind="{kind}"]')
    await page.wait_for_timeout(SHOWN_MS)


async def pay_by_code(till: Till, page: Page) -> None:
    """A till made ready, and a first sale paid by the payer's code."""
    await ready_keypad(till, page)
    till.scanner.show(CODE)
    await charge(page, "1280")
    await shows(page, "paid")


async def scenes(till: Till, page: Page, side: Page, language: str) -> AsyncIterator[Scene]:
    """The name of each screen and the page that shows it, in the order of a day."""
    async for scene in day_scenes(till, page, side, language):
        yield scene
    async for scene in _trouble(till, page, side):
        yield scene


async def trouble_scenes(till: Till, page: Page, side: Page, language: str) -> AsyncIterator[Scene]:
    """Settings, training and what goes wrong, at a till where nothing was sold yet."""
    await ready_keypad(till, page, language=language)
    await side.goto(f"{till.base}/customer?lang={language}")
    async for scene in _trouble(till, page, side):
        yield scene


async def day_scenes(till: Till, page: Page, side: Page, language: str) -> AsyncIterator[Scene]:
    """From signing in to the Z report."""
    hire_both(till.people)
    await side.goto(f"{till.base}/customer?lang={language}")
    await page.goto(f"{till.base}/?lang={language}")
    yield "sign-in", page
    await till.counter.staffing.renew_pin(2, pin=GIVEN_PIN, by_name="王店长")
    await key_pin(page, GIVEN_PIN)
    await page.wait_for_selector('[data-asks="choose"]')
    yield "choose-pin", page
    await choose_pin(page)
    await page.wait_for_selector('[data-kind="no_shift"]')
    yield "no-shift", page
    await ask_for_float(page)
    yield "shift-open", page
    async with page.expect_navigation():
        await page.keyboard.press("F6")
    await shows(page, "keypad")
    async for scene in _sales(till, page, side):
        yield scene
    async for scene in _past(till, page):
        yield scene
    async for scene in _shift(till, page):
        yield scene


async def machine_scenes(till: Till, page: Page, language: str) -> AsyncIterator[Scene]:
    """What a vending machine's own screen shows: its goods, and the code that pays for one."""
    await page.goto(f"{till.base}/?lang={language}")
    await shows(page, "keypad")
    yield "vending", page
    _await_payer(till)
    await page.click("[data-item]")
    await shows(page, "qr")
    yield "vending-qr", page


def _await_payer(till: Till) -> None:
    """The backend shows a code."""
    until_ms = int(time.time() * 1000) + 120_000
    till.backend.state = "awaiting_payer"
    till.backend.fields = {"code_url": "tillway://p/pay_01M8H002QB", "code_expires_at_ms": until_ms}


async def _sales(till: Till, page: Page, side: Page) -> AsyncIterator[Scene]:
    await page.keyboard.type("1280")
    yield "keypad", page
    await page.keyboard.press("F2")
    await shows(page, "choosing")
    yield "choosing", page
    _await_payer(till)
    await page.click('[data-method="merchant_qr"]')
    await shows(page, "qr")
    yield "qr", page
    await side.wait_for_selector(".white svg")
    yield "customer-qr", side
    await page.keyboard.press("Escape")
    await shows(page, "closed")
    await page.keyboard.press("Escape")
    till.backend.fields = {"payer_masked": "张*", "coupon_minor": 500}
    await charge(page, "8850")
    await shows(page, "scanning")
    yield "scanning", page
    till.scanner.show(CODE)
    await shows(page, "waiting")
    yield "waiting", page
    till.backend.state = "captured"
    await page.evaluate(QUERY)
    await shows(page, "paid")
    yield "paid", page
    till.printer.paper = "end"
    await page.click('[data-do="reprint"]')
    await page.wait_for_selector("main [data-refusal].warn")
    yield "paid-no-paper", page
    till.printer.paper = "adequate"
    await page.click('[data-do="reprint"]')
    await page.wait_for_selector("main [data-refusal].paid")
    await side.wait_for_selector('[data-kind="paid"]')
    yield "customer-paid", side
    await side.evaluate("document.documentElement.dataset.line = 'lost'")
    yield "customer-lost", side
    await side.evaluate("delete document.documentElement.dataset.line")
    await page.keyboard.press("Enter")
    if till.counter.real.agent.profile.biometric_above_minor is not None:
        await shows(page, "keypad")
        till.scanner.show(CODE)
        await charge(page, "250000")
        await shows(page, "verifying")
        yield "verifying", page
        await page.keyboard.press("Escape")
        await shows(page, "keypad")
        await page.keyboard.press("Delete")
    till.backend.state, till.backend.fields = "declined", {"error": _error("insufficient_balance")}
    till.scanner.show(CODE)
    await charge(page, "19900")
    await shows(page, "declined")
    yield "declined", page
    await page.keyboard.press("Escape")
    till.backend.state, till.backend.fields = "captured", {"payer_masked": "李**"}
    await shows(page, "keypad")
    await page.keyboard.type("4550")
    await page.keyboard.press("F2")
    await shows(page, "choosing")
    await page.click('[data-do="cash"]')
    await page.wait_for_selector('[data-kind="cash"]')
    await page.keyboard.type("5000")
    yield "cash", page
    await shows(side, "cash_due")
    yield "customer-cash", side
    await page.keyboard.press("F2")
    await shows(page, "cash_done")
    yield "cash-done", page
    await shows(side, "cash_taken")
    yield "customer-cash-done", side
    await page.keyboard.press("Enter")
    await shows(page, "keypad")
    async for scene in _cards(till, page, side):
        yield scene


async def _hub_trouble(till: Till, page: Page, side: Page) -> AsyncIterator[Scene]:
    """The hub has no room for new business for a while; the cashier gives up. Then it answers
    nothing, while a code is being closed."""
    for code, name in (("busy", "busy"), ("spool_unwritable", "hub-disk-full")):
        till.backend.puts_off = code
        await charge(page, "6400", way="merchant_qr")
        await page.wait_for_selector('[data-kind="sending"] .reason')
        yield name, page
        if code == "busy":
            await side.wait_for_selector('[data-kind="sending"] .reason')
            yield "customer-busy", side
        await page.keyboard.press("Escape")
        await shows(page, "keypad")
        till.backend.puts_off = ""
        await page.keyboard.press("Delete")
    _await_payer(till)
    await charge(page, "2750", way="merchant_qr")
    await shows(page, "qr")
    till.backend.is_hub_silent = True
    await page.keyboard.press("Escape")
    await page.wait_for_selector('[data-kind="closing"] .reason')
    yield "hub-silent", page
    await side.wait_for_selector('[data-kind="closing"] .reason')
    yield "customer-hub-silent", side
    till.backend.is_hub_silent = False
    await page.evaluate(QUERY)
    await shows(page, "closed")
    await page.keyboard.press("Escape")
    await shows(page, "keypad")
    till.backend.state, till.backend.fields = "captured", {}


async def _cards(till: Till, page: Page, side: Page) -> AsyncIterator[Scene]:
    await _by_card(page, "16800")
    yield "card-asking", page
    await shows(side, "card_asking")
    yield "customer-card", side
    till.pinpad.hold(CardOutcome("approved", card="411111******1111", reference="024531"))
    await shows(page, "card_approved")
    yield "card-paid", page
    await page.keyboard.press("Enter")
    await shows(page, "keypad")
    await _by_card(page, "9900")
    till.pinpad.hold(CardOutcome("declined", card="400000******9995", why="card_not_approved"))
    await shows(page, "card_declined")
    yield "card-declined", page
    await page.keyboard.press("Enter")  # the same amount again
    await page.wait_for_selector('[data-kind="keypad"]')
    await page.keyboard.press("F2")
    await shows(page, "choosing")
    await page.click('[data-do="card"]')
    await page.wait_for_selector('[data-kind="card_asking"]')
    till.pinpad.hold(CardOutcome("unknown", why="device_no_reply"))
    await shows(page, "card_unknown")
    yield "card-unknown", page
    await page.click("a.primary")
    await page.wait_for_selector(".resolve")
    await page.click('[data-mark="paid"]')
    await page.fill("#mark-reason", "签购单已批准 Approved")
    yield "resolve", page
    await page.keyboard.press("F2")
    await sign(page)
    await page.wait_for_selector(".head .badge.warn + .badge.warn")
    await page.goto(f"{till.base}/payments/card-1")
    await page.keyboard.press("F2")
    await sign(page)
    await shows(page, "card_asking")
    yield "card-refund", page
    till.pinpad.hold(CardOutcome("approved", card="411111******1111", reference="024532"))
    await shows(page, "card_approved")
    await page.keyboard.press("Enter")
    await shows(page, "keypad")


async def _by_card(page: Page, digits: str) -> None:
    await page.keyboard.type(digits)
    await page.keyboard.press("F2")
    await shows(page, "choosing")
    await page.click('[data-do="card"]')
    await page.wait_for_selector('[data-kind="card_asking"]')


async def _past(till: Till, page: Page) -> AsyncIterator[Scene]:
    for code in till.counter.real.agent.profile.goods:
        await scan(page, code)
    if till.counter.real.agent.profile.goods:
        count = len(till.counter.real.agent.profile.goods)
        await page.wait_for_selector(f'#lines[data-count="{count}"]', state="attached")
        yield "cart-keypad", page
        await page.goto(f"{till.base}/cart")
        await shows(page, "cart")
        yield "cart", page
        for _ in range(count):
            left = int(await page.get_attribute("#lines", "data-count") or 0)
            await page.click('#lines [data-step="-1"]')
            await page.wait_for_selector(f'#lines[data-count="{left - 1}"]', state="attached")
    await page.keyboard.press("F4")
    await page.wait_for_selector(".list")
    yield "recent", page
    await page.click('tr:has(.badge.paid) a[href*="pay_"]')
    await page.wait_for_selector(".refund")
    yield "payment", page
    await page.keyboard.type("1000")
    await page.keyboard.press("F2")
    await page.wait_for_selector("#approve[open]")
    yield "approve", page
    await page.keyboard.type(SUPERVISOR_PIN)
    await page.keyboard.press("Enter")
    await shows(page, "refund_done")
    yield "refund-done", page
    await page.keyboard.press("Enter")
    await shows(page, "keypad")
    async for scene in _unknown_refund(till, page):
        yield scene


async def _unknown_refund(till: Till, page: Page) -> AsyncIterator[Scene]:
    """The line is cut while money goes back; a supervisor says what it is taken for."""
    till.backend.is_cut_off = True
    await page.goto(f"{till.base}/recent")
    await page.click('tr:has(.badge.paid) a[href*="pay_"]')
    await page.wait_for_selector(".refund")
    await page.keyboard.type("200")
    with patch("terminal.refund_flow.ANSWER_WAIT_MS", 200):
        await page.keyboard.press("F2")
        await sign(page)
        await shows(page, "refund_unknown")
    await page.goto(f"{till.base}/recent")
    await page.click('tr:has(.badge.paid) a[href*="pay_"]')
    await page.wait_for_selector('[data-of="refund"]')
    await page.click('[data-mark="paid"]')
    await page.fill("#mark-reason", "顾客已到账 Money came")
    yield "refund-resolve", page
    await page.keyboard.press("F2")
    await sign(page)
    await page.wait_for_selector('[data-refund]:has-text("王店长")')
    till.backend.is_cut_off = False
    await page.goto(f"{till.base}/")
    await shows(page, "keypad")


async def _shift(till: Till, page: Page) -> AsyncIterator[Scene]:
    await page.keyboard.press("F6")
    await page.wait_for_selector('[data-kind="shift"]')
    yield "shift", page
    await page.click('[data-do="print_x"]')
    await page.wait_for_selector("[data-refusal].paid")
    yield "shift-printed", page
    till.printer.paper = "end"
    await page.click('[data-do="print_x"]')
    await page.wait_for_selector("[data-refusal].error")
    yield "shift-no-paper", page
    till.printer.paper = "adequate"
    await page.click('a[href="/shift/close"]')
    await page.wait_for_selector('[data-kind="count_close"]')
    await page.keyboard.type("54500")
    await page.fill("#reason", "找零有误 Wrong change")
    yield "count", page
    async with page.expect_navigation():
        await page.click('[data-do="close_shift"]')
    await shows(page, "z")
    yield "z-report", page
    await page.keyboard.press("Enter")
    await shows(page, "shift_open")
    await page.keyboard.type("50000")
    async with page.expect_navigation():
        await page.keyboard.press("F6")


async def _trouble(till: Till, page: Page, side: Page) -> AsyncIterator[Scene]:
    await page.goto(f"{till.base}/settings")
    await page.wait_for_selector('[data-kind="settings"]')
    yield "settings", page
    logs.KEPT.clear()
    logs.KEPT.extend(json.dumps({"level": "info", **line}) for line in LOGGED)
    await page.click('a[href="/log"]')
    await page.wait_for_selector('[data-kind="log"]')
    yield "log", page
    await page.goto(f"{till.base}/staff")
    await page.click('[data-person="2"]')
    yield "staff", page
    await page.tap('[data-person=""]')
    await page.tap("#staff-name")
    await page.wait_for_selector("#letters")
    for act in ("capitals", "w"):
        await page.tap(f'#letters :is([data-act="{act}"], [data-letter="{act}"])')
    await page.fill("#staff-name", "Wang Li")
    yield "letters", page
    await page.goto(f"{till.base}/settings")
    async with page.expect_navigation():
        await page.click('[data-do="train"]')
    await open_shift(page, "")
    await page.keyboard.type("1280")
    yield "training", page
    await charge(page, "", way="merchant_qr")
    await shows(side, "qr")
    yield "customer-training", side
    await page.keyboard.press("Escape")
    await shows(page, "closed")
    await page.goto(f"{till.base}/settings")
    yield "training-settings", page
    async with page.expect_navigation():
        await page.click('[data-do="train"]')
    await shows(page, "keypad")
    async for scene in _hub_trouble(till, page, side):
        yield scene
    till.backend.is_cut_off = True
    await charge(page, "3600", way="merchant_qr")
    await shows(page, "unknown")
    yield "unknown", page
    now_ms = int(time.time() * 1000)
    till.link.announce(hub_word("offline", now_ms))
    till.link.cut()
    await page.click('[data-do="park"]')
    await shows(page, "keypad")
    await page.keyboard.type("1500")
    till.link.refuse("hub_unreachable")
    await page.wait_for_selector(".bar .to-line", state="attached")
    yield "offline", page
    await page.keyboard.press("F2")
    await shows(page, "choosing")
    await page.click('[data-method="offline_token"]')
    await shows(page, "offline_scan")
    yield "offline-scan", page
    wish = till.shell.screen.code_url
    assert wish is not None
    till.scanner.show(Phone(now_ms).sign(wish))
    await shows(page, "accepted_offline")
    yield "offline-accepted", page
    await page.keyboard.press("Enter")
    await shows(page, "keypad")
    await page.wait_for_selector("[data-offline]")
    yield "offline-held", page
    await page.evaluate("document.documentElement.dataset.line = 'lost'")
    yield "lost", page


def _error(code: str) -> dict[str, str]:
    from protocol.errors import advice

    found = advice(code)
    return {"code": code, "retry": found.retry, "zh": found.zh, "en": found.en}
