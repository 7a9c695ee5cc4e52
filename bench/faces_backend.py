"""The pages of the backend, the wallet's and the console's, by the measures of every face."""

from itertools import cycle, islice
from pathlib import Path

from playwright.async_api import Browser

from bench.faces_measures import Visit, first_paint, followed, off_loopback, taps, throttled, weight
from bench.result import Result
from tests.support.browser import LARGE, opened_page
from tests.support.console_scenes import running_console, sign_in
from tests.support.wallet_phone import PHONE, open_wallet, running_phone, shown_code

_ABOVE_MINOR = 100_001  # a PIN is asked for
_TAPS, _FOLLOWED = 60, 24
_WALLET = ("bills", "me", "cards", "scan", "coupons")
_CONSOLE = ("today", "payments", "refunds", "settlements", "bills", "callbacks", "stores")


async def measured_wallet(browser: Browser, folder: Path) -> list[Result]:
    """The tabs, the lists and the PIN; the taps are keys of the PIN pad."""
    async with (
        running_phone(folder) as phone,
        opened_page(browser, viewport=PHONE, ignore_https_errors=True) as page,
    ):
        await phone.fill()
        await open_wallet(phone, page)
        root = f"{phone.base}/wallet"
        await phone.sell(_ABOVE_MINOR, pay_code=await shown_code(page))
        await page.click("[data-asked]")
        await page.wait_for_selector("[data-pin]")
        visits = [Visit(page.url, '[data-pin="1"]'), Visit(root, "[data-code]")]
        visits += [Visit(f"{root}/{name}", "main") for name in _WALLET]
        keys = islice(cycle(['[data-pin="1"]', '[data-pin="back"]']), _TAPS)
        tools = await page.context.new_cdp_session(page)
        results = [await weight("wallet", page, tools, visits)]
        async with throttled(tools):
            results.append(await first_paint("wallet", page, visits))
            await visits[0].make(page)
            results.append(await taps("wallet", page, list(keys)))
        return [*results, off_loopback("wallet", page, phone.base)]


async def measured_console(browser: Browser, folder: Path) -> list[Result]:
    """A merchant's pages; the taps are on the menu, which the server answers with the next page."""
    async with (
        running_console(folder) as console,
        opened_page(browser, viewport=LARGE, ignore_https_errors=True) as page,
    ):
        await sign_in(console, page, "li.na")
        pages = (*_CONSOLE, f"payments/{console.latest}")
        visits = [Visit(f"{console.base}/{name}", "main") for name in pages]
        links = islice(cycle(f'nav a[href="/console/{name}"]' for name in _CONSOLE), _FOLLOWED)
        tools = await page.context.new_cdp_session(page)
        results = [await weight("console", page, tools, visits)]
        async with throttled(tools):
            results.append(await first_paint("console", page, visits))
            results.append(await followed("console", page, list(links)))
        return [*results, off_loopback("console", page, console.served.url("public"))]
