"""The pages of the backend, the wallet's, what other wallets see, and the console's, by the
measures of every face."""

from itertools import cycle, islice
from pathlib import Path

from playwright.async_api import Browser

from backend.pay_page.service import MakeStaticCode
from bench.faces_measures import (
    Tap,
    Visit,
    Visitor,
    all_loaded,
    came,
    followed,
    off_loopback,
    pressed,
    tap_times,
    tapped,
    visitor,
    worst,
)
from bench.result import Result
from tests.support.backend import MERCHANT
from tests.support.browser import LARGE
from tests.support.console_scenes import RunningConsole, running_console, scenes, sign_in
from tests.support.wallet_phone import PHONE, Phone, open_wallet, running_phone, shown_code
from tests.support.wallet_scenes import LISTS

_ABOVE_MINOR, _BELOW_MINOR = 100_001, 1_280  # a PIN is asked for, and is not
_TAPS, _FOLLOWED = 60, 24
_CODE = "wall"
_WALLET = (*LISTS, "code", "me", "scan", "mandates", "passkeys", "offline", "red-packets/new")
_ASKED = ("switches", f"agree?merchant_id={MERCHANT}&device=vending-08")
_LINK = 'nav a[href="/console/{}"]'
_MENU = ("today", "payments", "refunds", "settlements", "bills", "callbacks", "stores")
_MERCHANT = (*_MENU, "payouts", "breaks", "keys", "staff", "audit", "account")
_OPERATOR = (
    "overview", "flows", "devices", "letters", "breaks", "merchants", "switches",
    f"switches?kind=merchant&subject={MERCHANT}", "staff", "audit", "account",
)  # fmt: skip
_OF_MERCHANT = ("settlements", "payouts", "bills", "breaks", "callbacks", "stores", "keys")


async def measured_wallet(browser: Browser, folder: Path) -> list[Result]:
    """Every page of a payer, and of whoever opens a code; the taps are keys of the PIN pad."""
    async with (
        running_phone(folder) as phone,
        visitor(browser, viewport=PHONE) as payer,
        visitor(browser, viewport=PHONE) as stranger,
    ):
        await phone.fill()
        places = await _places(phone, payer)
        root = f"{phone.base}/wallet"
        pad = Visit(payer, payer.page.url, '[data-pin="1"]')
        visits = [pad, *(Visit(payer, f"{root}/{place}") for place in places)]
        shown = await phone.sell(_BELOW_MINOR, description="Coffee")
        code = MakeStaticCode(code_id=_CODE, merchant_id=MERCHANT, label="wall")
        await phone.served.backend.services.submit(code)
        opened = (f"p/{shown['payment_id']}", f"s/{_CODE}", "s/nowhere")
        visits += [Visit(stranger, f"{phone.base}/q/{place}") for place in opened]
        visits.append(Visit(stranger, root, "#token"))
        keys = islice(cycle([Tap('[data-pin="1"]'), Tap('[data-pin="back"]')]), _TAPS)
        results = worst("wallet", await all_loaded(visits))
        await pad.make()
        results.append(tapped("wallet", await tap_times(payer, list(keys))))
        return [*results, off_loopback("wallet", (payer, stranger), phone.base)]


async def _places(phone: Phone, payer: Visitor) -> list[str]:
    """The wallet's pages, also those about one thing; the payer's page is at the PIN pad then."""
    mandate = await phone.agree("vending-07")
    contract, order = await phone.proposals(name="Membership", service="Power bank")
    await open_wallet(phone, payer.page)
    paid = await phone.sell(_BELOW_MINOR, pay_code=await shown_code(payer.page))
    await payer.page.reload()
    await phone.sell(_ABOVE_MINOR, pay_code=await shown_code(payer.page))
    await payer.page.click("[data-asked]")
    await payer.page.wait_for_selector("[data-pin]")
    of_one = (f"mandates/{mandate}", f"contracts/{contract}", f"services/{order}")
    of_payment = [f"{place}/{paid['payment_id']}" for place in ("paid", "bills")]
    return [*_WALLET, *_ASKED, *of_one, *of_payment, f"pay/{phone.id('pay')}"]


async def measured_console(browser: Browser, folder: Path) -> list[Result]:
    """Every page of a merchant's owner, of an operator, and of who is not signed in; besides, all
    as they come in a story, with those that only answer a form. The taps are on the menu: it looks
    pressed, and the server answers with the next page."""
    async with (
        running_console(folder) as console,
        visitor(browser, viewport=LARGE) as merchant,
        visitor(browser, viewport=LARGE) as operator,
        visitor(browser, viewport=LARGE) as stranger,
        visitor(browser, viewport=LARGE) as new,
    ):
        await Visit(new, console.base).make()  # so that its browser is there, as everybody's is
        story = await came(new, scenes(console, new.page, "en"))
        await sign_in(console, merchant.page, "li.na")
        await sign_in(console, operator.page, "ops")
        everybody = (merchant, operator, stranger)
        visits = await _of_console(console, *everybody)
        links = list(islice(cycle(map(_LINK.format, _MENU)), _FOLLOWED))
        results = worst("console", [*await all_loaded(visits), *story])
        await visits[0].make()
        results.append(await pressed("console", merchant, links))
        results.append(await followed("console", merchant, links))
        seen = (*everybody, new)
        return [*results, off_loopback("console", seen, console.served.url("public"))]


async def _of_console(
    console: RunningConsole, merchant: Visitor, operator: Visitor, stranger: Visitor
) -> list[Visit]:
    await operator.page.goto(f"{console.base}/breaks")
    a_break = await operator.page.get_attribute("main td a", "href") or ""
    await merchant.page.goto(f"{console.base}/settlements")
    a_day = await merchant.page.get_attribute("main table a >> nth=1", "href") or ""
    own = (
        *_MERCHANT,
        f"payments/{console.latest}",
        f"payments/{console.disputed}",
        f"callbacks/{console.given_up}",
        a_day.removeprefix("/console/"),
    )
    of_merchant = [f"merchants/{MERCHANT}/{name}" for name in _OF_MERCHANT]
    all_of = (*_OPERATOR, *of_merchant, f"payments/{console.routed}")
    return [
        *(Visit(merchant, f"{console.base}/{name}") for name in own),
        *(Visit(operator, f"{console.base}/{name}") for name in all_of),
        Visit(operator, f"{console.served.url('public')}{a_break}", "ol.timeline"),
        Visit(stranger, console.base),
        Visit(stranger, f"{console.base}/setup"),
    ]
