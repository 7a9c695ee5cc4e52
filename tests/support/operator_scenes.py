"""The console's screens about people, switches, acts and flows; for pictures, and for axe."""

from collections.abc import AsyncIterator, Callable

from playwright.async_api import Page

from backend.observability.flows import Flow, FlowMeter, Outcome
from tests.support.console_world import PASSWORD
from tests.support.shop import MERCHANT

_MINUTE_MS = 60_000


def morning_flows(meter: FlowMeter, now_ms: int) -> None:
    """An hour of requests: many sales, some refusals, a channel that fell silent for a while."""
    for minute in range(60):
        at_ms = now_ms - minute * _MINUTE_MS
        for number in range(6 + (minute * 7) % 11):
            outcome = Outcome.REFUSED if number == 8 else Outcome.DONE
            meter.note(Flow.SALE_BY_CODE, outcome, took_ms=6 + number * 3, at_ms=at_ms)
        for number in range(1 + minute % 4):
            meter.note(Flow.SHOWN_CODE, Outcome.DONE, took_ms=9 + number, at_ms=at_ms)
            meter.note(Flow.MERCHANT_API, Outcome.DONE, took_ms=14 + number * 9, at_ms=at_ms)
            meter.note(Flow.WALLET, Outcome.DONE, took_ms=8 + number * 4, at_ms=at_ms)
            is_silent = 20 <= minute < 24
            failed = Outcome.FAILED if is_silent else Outcome.DONE
            took_ms = 3_000 if is_silent else 120 + number * 60
            meter.note(Flow.CHANNEL, failed, took_ms=took_ms, at_ms=at_ms)


async def operator_scenes(base: str, page: Page, language: str) -> AsyncIterator[str]:
    """The names of the screens, each while it is shown; an operator who is an owner is signed
    in."""
    await page.goto(f"{base}/flows")
    yield "flows"
    for name in ("settlements", "keys"):
        await page.goto(f"{base}/merchants/{MERCHANT}/{name}")
        yield f"merchant-{name}"
    await page.goto(f"{base}/merchants")
    yield "merchants"
    await page.goto(f"{base}/switches?find=1001")
    yield "switches-found"
    await page.goto(f"{base}/switches?kind=merchant&subject={MERCHANT}")
    yield "switches"
    stop = page.locator("form:has(input[value='merchant']):has(input[value='stop'])")
    await stop.locator("[name='reason']").fill(
        "投诉集中，核查中" if language == "zh" else "Many complaints; being looked into"
    )
    await stop.locator("[name='category']").select_option("complaints")
    await stop.locator("button").click()
    await page.wait_for_selector("form:has(input[name='do'])")
    yield "switch-check"
    await page.click("main button.danger")
    await page.wait_for_selector(".stop-card")
    yield "switches-stopped"
    start = page.locator(".stop-card form")
    await start.locator("[name='reason']").fill("核查无误" if language == "zh" else "All was well")
    await start.locator("button").click()
    await page.wait_for_selector(".stop-card", state="detached")
    await page.goto(f"{base}/staff")
    yield "staff"
    await page.click("main a[href$='/reset']")
    await page.wait_for_selector("main .door")
    yield "staff-check"
    await page.goto(f"{base}/staff")
    invite = page.locator("form[action='/console/staff/invite']")
    await invite.locator("[name='name']").fill(f"wang.{language}")
    await invite.locator("[name='merchant_id']").fill(MERCHANT)
    await invite.locator("button").click()
    await page.wait_for_selector(".secret")
    yield "staff-invited"
    await page.goto(f"{base}/audit")
    yield "audit"
    await page.goto(f"{base}/account")
    yield "account"


async def setup_scenes(
    base: str, page: Page, told: dict[str, str], code_of: Callable[[str], str]
) -> AsyncIterator[str]:
    """How a new person comes in, with the setup code that an owner was told. ``code_of`` is the
    phone, which was told a secret."""
    await page.goto(f"{base}/setup")
    yield "setup"
    await page.fill("[name='name']", told["name"])
    await page.fill("[name='setup']", told["setup_secret"])
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".scan svg")
    yield "setup-phone"
    await page.fill("[name='code']", code_of(await page.inner_text(".code-text")))
    for field in ("password", "again"):
        await page.fill(f"[name='{field}']", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".banner.paid")
    yield "setup-done"
