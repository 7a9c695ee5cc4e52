"""The pages of till, wallet and console in Debian's Chromium, its processor throttled six times as
a stand-in for a small board: first paint, a tap to its paint, bytes, requests that leave the
machine; for the till also its memory over sales.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from bench.faces_backend import measured_console, measured_wallet
from bench.faces_measures import Visit, first_paint, off_loopback, taps, throttled, weight
from bench.result import Result
from tests.support.browser import CHROMIUM, opened_page, started_browser
from tests.support.till_scenes import ready_keypad
from tests.support.tills import running_till

TAPS = 60
SALES = 1_000
WARM_SALES = 100
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
        till, wallet, console = (Path(folder) / name for name in ("till", "wallet", "console"))
        for each in (till, wallet, console):
            each.mkdir()
        async with started_browser() as browser:
            return [
                *await _measured_till(browser, till, sales),
                *await measured_wallet(browser, wallet),
                *await measured_console(browser, console),
            ]


async def _measured_till(browser: Browser, folder: Path, sales: int) -> list[Result]:
    async with running_till(folder) as till, opened_page(browser) as page:
        page.set_default_timeout(120_000)
        await ready_keypad(till, page)
        tools = await page.context.new_cdp_session(page)
        visits = [Visit(till.base, '[data-kind="keypad"]')]
        keys = [f'[data-key="{number % 10}"]' for number in range(1, TAPS + 1)]
        results = [await weight("till", page, tools, visits)]
        async with throttled(tools):
            results.append(await first_paint("till", page, visits))
            results.append(await taps("till", page, keys))
        results += await _memory(page, tools, sales)
        return [*results, off_loopback("till", page, till.base)]


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
