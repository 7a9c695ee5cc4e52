"""Every screen of the console on a running backend with a shop's morning in its books; for
pictures, and for axe."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playwright.async_api import Page

from backend.channels.facts import DEFAULT_FACTS
from backend.console.desk import PeopleDesk
from backend.console.model import Rank, Role
from backend.console.staff_desk import By, StaffDesk
from backend.console.totp import STEP_MS
from backend.notify.model import Tried
from backend.notify.service import ClaimCallbacks, NoteDelivered, NoteFailed
from backend.reconciliation.breaks import Break, BreakClass, BreakStep
from backend.reconciliation.cases import TakeUpBreak
from backend.routing.model import Routing
from tests.support import console_merchant_scenes as merchant
from tests.support.backend import Served, served
from tests.support.case_scenes import case_scenes, some_cases
from tests.support.console_world import PASSWORD, code_of
from tests.support.merchant_caller import Caller
from tests.support.operator_scenes import morning_flows, operator_scenes, setup_scenes
from tests.support.risk_scenes import rules_and_models
from tests.support.shop import MERCHANT, Shop

_SALES = (1_280, 860, 4_500, 29_900, 1_980, 1_280, 6_600, 350, 12_800, 2_450)
_MINUTES = 17
_TAKEN_TWICE = "2026112800001234567890123456789"
"""The clearing house's number of what it has taken twice."""
_AFTERNOON_MS = 6 * 3_600_000
"""Two o'clock in the shop."""


@dataclass
class RunningConsole:
    """A backend, and the people who may sign in."""

    served: Served
    made: dict[str, dict[str, str]]
    latest: str
    """The number of the payment that the story looks at."""
    disputed: str
    """The one that its payer disputes."""
    given_up: str
    """The callback that was given up at first."""
    routed: str
    """The one that is at a channel."""

    invited: dict[str, dict[str, str]]
    """For each language a person who is to set up, and by which code."""

    token: str
    """The operator's."""

    @property
    def base(self) -> str:
        return self.served.url("public", "/console")

    def code(self, name: str) -> str:
        """The next code of a person's phone: never one that was used."""
        return self._next_code(self.made[name])

    def code_by(self, secret: str) -> str:
        """The next code of a phone that was told a secret just now."""
        return self._next_code({"totp_uri": f"otpauth://totp/x?secret={secret}"})

    def _next_code(self, made: dict[str, str]) -> str:
        clock = self.served.backend.clock
        clock.at_ms += STEP_MS  # type: ignore[attr-defined]
        return code_of(made, clock.now_ms())


@asynccontextmanager
async def running_console(directory: Path) -> AsyncIterator[RunningConsole]:
    """Ten sales of a morning, one of them declined, one given back in part; two people."""
    async with served(directory) as (found, token):
        clock = found.backend.clock
        clock.at_ms = clock.now_ms() // merchant.DAY_MS * merchant.DAY_MS + _AFTERNOON_MS  # type: ignore[attr-defined]
        shop = Shop(found.backend.settings.url, engine=merchant.an_engine())
        try:
            first, latest, given_up = _morning(shop, found.backend.clock.now_ms())
            routed = merchant.by_card(shop)
            rules_and_models(shop)
            some_cases(shop, routed)
        finally:
            shop.close()
        services = found.backend.services
        # It knows what channels can do, and speaks with none.
        routed_rules = replace(services.rules, routing=Routing(facts=DEFAULT_FACTS))
        object.__setattr__(services, "rules", routed_rules)
        staff, by = StaffDesk(services, PeopleDesk(services)), By(actor="operator", origin="")
        made = {
            name: await staff.add(
                by, name=name, role=role, rank=Rank.OWNER, merchant_id=of, password=PASSWORD
            )
            for name, role, of in (("li.na", Role.MERCHANT, MERCHANT), ("ops", Role.OPERATOR, ""))
        }
        await found.backend.merchant_api.accounts.open(
            merchant_id=MERCHANT,
            csr=base64.b64encode(Caller.csr()).decode(),
            key_mode="public_key",
        )
        invited = {
            language: await staff.invite(
                by, name=name, role=Role.MERCHANT, rank=Rank.CLERK, merchant_id=MERCHANT
            )
            for language, name in (("zh", "chen"), ("en", "zhao"))
        }
        morning_flows(services.flows, clock.now_ms())
        yield RunningConsole(found, made, latest, first, given_up, routed, invited, token)


def _morning(shop: Shop, now_ms: int) -> tuple[str, str, str]:
    """The payments, a quarter of an hour apart, the last of them now, after some days of before.
    The first one and the last, and a
    callback that was given up."""
    shop.clock.at_ms = now_ms - 4 * merchant.DAY_MS
    shop.add_merchant(notify_url="https://127.0.0.1/news")
    payer, poor = shop.add_payer(balance_minor=900_000), shop.add_payer(name="韩梅梅")
    merchant.days_before(shop, payer, now_ms)
    shop.clock.at_ms = now_ms - len(_SALES) * _MINUTES * 60_000
    merchant.stores_and_devices(shop)
    first, body = "", {}
    for number, amount in enumerate(_SALES):
        shop.clock.at_ms += _MINUTES * 60_000
        code = shop.code(poor if number == 4 else payer)
        body = shop.create_body("pay_code", amount, pay_code=code)
        shop.ask("payment.create", body)
        first = first or str(body["payment_id"])
    given_up = _troubles(shop, first)
    merchant.dispute(shop, first)
    return first, str(body["payment_id"]), given_up


def _troubles(shop: Shop, payment_id: str) -> str:
    """A callback that was given up, whose id this is; two differences for a person, one of them
    about this payment, and one that the channel can give back."""
    callback_id, *others = (
        str(row["callback_id"]) for row in shop.rows("SELECT callback_id FROM outbox_callback")
    )
    shop.do(ClaimCallbacks(callback_ids=(callback_id, *others)))
    lost = Tried("status 500", status=500, duration_ms=112)
    shop.do(NoteFailed(callback_id=callback_id, tried=lost, gaps_ms=()))
    for other in others:
        taken = Tried(status=200, duration_ms=38)
        shop.do(NoteDelivered(callback_id=other, tried=taken))
    day, amount = shop.rules.business_date(shop.clock.at_ms), BreakClass.AMOUNT
    twice = Break(
        BreakClass.DUPLICATE, "channel NUCC", payment_id, None, 1_280, number=2,
        channel_reference=_TAKEN_TWICE,
    )  # fmt: skip
    for found, step in (
        (Break(amount, "statement", "20261128-000017", 1_280, 1_260), BreakStep.HAND_OVER),
        (Break(amount, "channel NUCC", payment_id, 1_280, 1_208), BreakStep.HAND_OVER),
        (twice, BreakStep.POST),
    ):
        shop.do(
            TakeUpBreak(found=found, business_date=day, currency="CNY", step=step, booked_on=day)
        )
    return callback_id


async def sign_in(console: RunningConsole, page: Page, name: str, language: str = "zh") -> None:
    """As a person does it."""
    await page.goto(f"{console.base}?lang={language}")
    await page.fill('[name="name"]', name)
    await page.fill('[name="password"]', PASSWORD)
    await page.fill('[name="code"]', console.code(name))
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".top .me")


async def sign_out(page: Page) -> None:
    await page.click(".top form button")
    await page.wait_for_selector('[name="password"]')


async def status_scene(console: RunningConsole, page: Page, language: str) -> AsyncIterator[str]:
    """The operator's page without a script, which asks for the token as a password."""
    name_and_token = base64.b64encode(f"operator:{console.token}".encode()).decode()
    await page.set_extra_http_headers({"authorization": f"Basic {name_and_token}"})
    await page.goto(console.served.url("public", f"/?lang={language}"))
    yield "status"


async def opening_scene(directory: Path, page: Page, language: str) -> AsyncIterator[str]:
    """Where a development stack's door leads to, for who comes without a code."""
    async with served(directory, opening_links=True, clock_control=True) as (found, _):
        await page.goto(found.url("public", f"/console/open?lang={language}"))
        yield "open"


async def scenes(console: RunningConsole, page: Page, language: str) -> AsyncIterator[str]:
    """The names of the screens, each while it is shown."""
    await page.goto(f"{console.base}?lang={language}")
    yield "sign-in"
    await page.fill('[name="name"]', "li.na")
    await page.fill('[name="password"]', "wrong horse battery")
    await page.fill('[name="code"]', "000000")
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".banner.error")
    yield "sign-in-wrong"
    await sign_in(console, page, "li.na", language)
    yield "today"
    await page.goto(f"{console.base}/payments")
    yield "payments"
    await page.goto(f"{console.base}/payments/{console.latest}")
    yield "payment"
    await page.fill('main [name="amount"]', "4.50")
    await page.fill('main [name="reason"]', "商品破损" if language == "zh" else "It was broken")
    await page.click("main form.stack button")
    yield "refund"
    await page.click("main form.stack button")
    yield "payment-refunded"
    await page.goto(f"{console.base}/payments/pay_00000000000000000000000000")
    yield "refused"
    async for name in merchant.merchant_scenes(
        console.base, page, console.disputed, console.given_up, lambda: console.code("li.na")
    ):
        yield name
    await sign_out(page)
    await sign_in(console, page, "ops", language)
    for name in ("overview", "devices", "risk", "letters", "breaks"):
        await page.goto(f"{console.base}/{name}")
        yield name
    await page.click(
        "td a:has-text('对方重复')" if language == "zh" else "td a:has-text('Twice with')"
    )
    await page.wait_for_selector("ol.timeline")
    yield "break"
    async for name in case_scenes(console.base, page):
        yield name
    await page.goto(f"{console.base}/payments/{console.routed}")
    yield "payment-judged"
    async for name in operator_scenes(console.base, page, language):
        yield name
    await sign_out(page)
    async for name in setup_scenes(console.base, page, console.invited[language], console.code_by):
        yield name
