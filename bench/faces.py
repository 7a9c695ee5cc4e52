"""The pages of all faces in Debian's Chromium, its processor throttled six times as a stand-in for
a small board: first paint, a tap to its paint, bytes, requests that leave the machine; for the till
also its memory over sales.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from bench.faces_backend import measured_console, measured_wallet
from bench.faces_loopback import measured_bench, measured_front
from bench.faces_measures import (
    Load,
    Tap,
    Visit,
    Visitor,
    all_loaded,
    beside,
    loaded,
    off_loopback,
    tap_times,
    tapped,
    visitor,
    worst,
)
from bench.result import Result
from tests.support.browser import CHROMIUM, SMALL, started_browser
from tests.support.till_scenes import GOODS, METHODS, ready_keypad, scenes
from tests.support.tills import running_till

TAPS = 60
SALES = 1_000
WARM_SALES = 100
PLACES = ("recent", "shift", "shift/move?kind=pay_in", "shift/close", "cash", "settings", "log")
CUSTOMER_SIDE = "main"
PADS = ("cash", "shift/move?kind=pay_in", "shift/close")
ROUNDS = 5
EMPTY = '[data-pad][data-digits=""], [data-pad][data-digits="0"]'
SALE = (
    Tap('[data-key="8"]'),
    Tap('[data-key="00"]'),
    Tap('[data-do="charge"]:not([data-method])', '[data-kind="choosing"]'),
    Tap('[data-method="merchant_qr"]', '[data-kind="paid"]'),
    Tap('[data-do="dismiss"]', '[data-kind="keypad"]'),
)
"""Buttons from the first digit until the next sale, each with the screen that it leads to."""
SELL = """
async (count) => {
  const token = document.querySelector('meta[name="page-token"]').content;
  const headers = {'content-type': 'application/json', 'x-page-token': token};
  const post = (path, body) =>
    fetch(`/api/${path}`, {method: 'POST', headers, body: JSON.stringify(body)});
  const until = async (kind) => {
    const there = () => document.querySelector(`[data-kind="${kind}"]`);
    while (!there()) await new Promise(requestAnimationFrame);
  };
  for (let sale = 0; sale < count; sale += 1) {
    await post('sales', {amount_minor: 1280, currency: 'CNY', method: 'merchant_qr'});
    await until('paid');
    await post('sales/current/dismiss', {});
    await until('keypad');
  }
}
"""


def run(scale: float = 1.0) -> list[Result]:
    """All of it; ``scale`` is of the sales."""
    if CHROMIUM is None:
        return []
    return asyncio.run(_measured(max(WARM_SALES, round(SALES * scale))))


async def _measured(sales: int) -> list[Result]:
    with TemporaryDirectory(prefix="tillway-bench-") as folder:
        names = ("till", "wallet", "console", "bench")
        till, wallet, console, board = (Path(folder) / name for name in names)
        for each in (till, wallet, console, board):
            each.mkdir()
        async with started_browser() as browser:
            return [
                *await _measured_till(browser, till, sales),
                *await measured_wallet(browser, wallet),
                *await measured_console(browser, console),
                *await measured_bench(browser, board),
                *await measured_front(browser),
            ]


async def _measured_till(browser: Browser, folder: Path, sales: int) -> list[Result]:
    """The cashier's pages and the customer's, every screen of a day opened anew in a window beside;
    the taps are keys of the pads, and each button of a sale."""
    day = folder / "day"
    day.mkdir()
    async with (
        running_till(folder) as till,
        visitor(browser, viewport=SMALL) as cashier,
        visitor(browser, viewport=SMALL) as customer,
    ):
        page = cashier.page
        await ready_keypad(till, page)
        keypad = Visit(cashier, f"{till.base}/", '[data-kind="keypad"]')
        others = [Visit(cashier, f"{till.base}/{place}") for place in PLACES]
        side = Visit(customer, f"{till.base}/customer", CUSTOMER_SIDE)
        loads = await all_loaded([keypad, *others, side])
        times = await _tapped_till(cashier, keypad)
        memory = await _memory(page, cashier.tools, sales)
        outside = off_loopback("till", (cashier, customer), till.base)
    results = worst("till", [*loads, *await _day(browser, day)])
    return [*results, tapped("till", times), *memory, outside]


async def _day(browser: Browser, folder: Path) -> list[Load]:
    """Each screen of a day, as somebody finds it who opens it just then."""
    found = []
    async with (
        running_till(folder, goods=GOODS, methods=METHODS, biometric_above_minor=100_000) as till,
        visitor(browser, viewport=SMALL) as cashier,
        visitor(browser, viewport=SMALL) as customer,
        beside(cashier) as window,
        beside(customer) as glass,
    ):
        async for name, page in scenes(till, cashier.page, customer.page, "zh"):
            seen = window if page is cashier.page else glass
            found.append(await loaded(Visit(seen, page.url), name))
    return found


async def _tapped_till(cashier: Visitor, keypad: Visit) -> list[float]:
    """On the keypad, through sales that are paid, and on the pads of the other pages."""
    await keypad.make()
    taps = [Tap(f'[data-key="{number % 10}"]') for number in range(1, TAPS + 1)]
    times = await tap_times(cashier, taps)
    for _ in range(ROUNDS):
        await keypad.make()
        await cashier.page.keyboard.press("Delete")
        await cashier.page.wait_for_selector(EMPTY)
        times += await tap_times(cashier, SALE)
        for place in PADS:
            await Visit(cashier, f"{keypad.url}{place}", "[data-key]").make()
            times += await tap_times(cashier, [Tap(f'[data-key="{key}"]') for key in "1207"])
    await keypad.make()
    await cashier.page.keyboard.press("Delete")
    await cashier.page.wait_for_selector(EMPTY)
    return times


async def _memory(page: Page, tools: CDPSession, sales: int) -> list[Result]:
    """The page's heap and nodes after all sales, against those after the first hundred."""
    await page.evaluate(SELL, WARM_SALES)
    before = await _metrics(tools)
    await page.evaluate(SELL, sales - WARM_SALES)
    after = await _metrics(tools)
    heap = (after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1000
    nodes = after["Nodes"] - before["Nodes"]
    against = (
        f"flat from sale {WARM_SALES} to {sales:,}; {after['JSHeapUsedSize'] / 1e6:.1f} MB then"
    )
    return [
        Result("faces_till_heap_growth_kb", heap, "kB", against),
        Result("faces_till_nodes_growth", nodes, "", f"flat; {after['Nodes']:,.0f} then"),
    ]


async def _metrics(tools: CDPSession) -> dict[str, Any]:
    await tools.send("Performance.enable")
    await tools.send("HeapProfiler.collectGarbage")
    found = await tools.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in found["metrics"]}
