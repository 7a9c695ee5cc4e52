"""The till's page in Debian's Chromium, its processor throttled six times as a stand-in for a small
board: first paint, a tap to its paint, bytes, requests that leave the machine, memory over sales.
"""

import asyncio
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from playwright.async_api import CDPSession, Page

from bench.result import Result
from tests.support.browser import CHROMIUM, opened_page, started_browser
from tests.support.till_scenes import ready_keypad, shows
from tests.support.tills import Till, running_till

THROTTLE = 6
LOADS = 5
TAPS = 60
SALES = 1_000
WARM_SALES = 100
TAP = """
(key) => new Promise((resolve) => {
  const button = document.querySelector(`[data-key="${key}"]`);
  const from = performance.now();
  button.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}));
  button.click();
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - from)));
})
"""
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
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
        async with (
            started_browser() as browser,
            running_till(Path(folder)) as till,
            opened_page(browser) as page,
        ):
            page.set_default_timeout(120_000)
            await ready_keypad(till, page)
            tools = await page.context.new_cdp_session(page)
            results = [await _weight(till, page, tools)]
            await tools.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
            results += [await _first_paint(page), await _taps(page)]
            await tools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
            results += await _memory(page, tools, sales)
            asked: list[str] = page.asked  # type: ignore[attr-defined]
            outside = [url for url in asked if not url.startswith(till.base)]
            against = f"none of {len(asked)} requests may"
            return [*results, Result("faces_till_requests_off_loopback", len(outside), "", against)]


async def _weight(till: Till, page: Page, tools: CDPSession) -> Result:
    """What a first visit loads."""
    sizes: list[float] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await tools.send("Network.enable")
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await page.goto(till.base)
    await shows(page, "keypad")
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": False})
    return Result("faces_till_page_kb", sum(sizes) / 1000, "kB", "below 60; the first visit")


async def _first_paint(page: Page) -> Result:
    times = []
    for _ in range(LOADS):
        await page.reload()
        await shows(page, "keypad")
        times.append(await page.evaluate(PAINTED))
    against = f"below 1,000 at {THROTTLE}x throttle; the slowest of {LOADS} loads"
    return Result("faces_till_first_paint_ms", max(times), "ms", against)


async def _taps(page: Page) -> Result:
    times = [await page.evaluate(TAP, str(number % 10)) for number in range(1, TAPS + 1)]
    p95 = quantiles(times, n=20)[-1]
    against = f"below 100 at {THROTTLE}x throttle; p95 of {TAPS}, to the second frame"
    return Result("faces_till_tap_to_paint_ms_p95", p95, "ms", against)


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
