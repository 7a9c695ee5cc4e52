"""What every face is measured by, in Debian's Chromium: bytes of a first visit, first paint, a tap
to its paint, requests that leave the machine. Where several pages are measured, the worst counts.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from playwright.async_api import Browser, CDPSession, Page

from bench.result import Result
from tests.support.browser import opened_page

THROTTLE = 6
LOADS = 5
_WAIT_MS = 120_000
_PAGE_KB, _PAINT_MS, _TAP_MS = 60, 1_000, 100
_PAINTED = """
async () => {
  const painted = () => performance.getEntriesByName('first-contentful-paint')[0];
  while (!painted()) await new Promise(requestAnimationFrame);
  return [performance.timeOrigin, painted().startTime];
}
"""
_TAP = """
(selector) => new Promise((resolve) => {
  const button = document.querySelector(selector);
  const from = performance.now();
  button.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}));
  button.click();
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - from)));
})
"""
_FOLLOW = """
(selector) => {
  const link = document.querySelector(selector);
  setTimeout(() => link.click());
  return performance.timeOrigin + performance.now();
}
"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a browser of their own, so that one may be signed in and another not."""

    page: Page
    tools: CDPSession


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose, to which page, and the selector of what is there once the page is whole."""

    visitor: Visitor
    url: str
    ready: str = "main"

    async def make(self) -> None:
        """Load it, and wait until it is whole."""
        await self.visitor.page.goto(self.url)
        await self.visitor.page.wait_for_selector(self.ready)


@asynccontextmanager
async def visitor(
    browser: Browser,
    **options: Any,  # noqa: ANN401
) -> AsyncIterator[Visitor]:
    """Until the block ends. Pages with a certificate of their own are taken."""
    async with opened_page(browser, ignore_https_errors=True, **options) as page:
        page.set_default_timeout(_WAIT_MS)
        yield Visitor(page, await page.context.new_cdp_session(page))


@asynccontextmanager
async def throttled(*visitors: Visitor) -> AsyncIterator[None]:
    """Their pages' processor is slowed down until the block ends."""
    async with AsyncExitStack() as later:
        for each in visitors:
            await each.tools.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
            rate = {"rate": 1}
            later.push_async_callback(each.tools.send, "Emulation.setCPUThrottlingRate", rate)
        yield


async def weight(face: str, visits: Sequence[Visit]) -> Result:
    """What a first visit loads, with nothing in the cache."""
    weights = [(await _weight(visit), visit.url) for visit in visits]
    worst, url = max(weights)
    return Result(f"faces_{face}_page_kb", worst, "kB", _against_weight(len(visits), url))


async def _weight(visit: Visit) -> float:
    tools, sizes = visit.visitor.tools, list[float]()

    def loaded(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    tools.on("Network.loadingFinished", loaded)
    await tools.send("Network.enable")
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    await visit.make()
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": False})
    await tools.send("Network.disable")
    tools.remove_listener("Network.loadingFinished", loaded)
    return sum(sizes) / 1000


async def first_paint(face: str, visits: Sequence[Visit]) -> Result:
    """The slowest of all loads."""
    times: list[tuple[float, str]] = []
    for visit in visits:
        for _ in range(LOADS):
            await visit.make()
            painted = (await visit.visitor.page.evaluate(_PAINTED))[1]
            times.append((painted, visit.url))
    slowest, url = max(times)
    against = f"below {_PAINT_MS:,} at {THROTTLE}x throttle; the slowest of {len(times)} loads"
    return Result(f"faces_{face}_first_paint_ms", slowest, "ms", against + _at(len(visits), url))


async def taps(face: str, page: Page, selectors: Sequence[str], *, done: str = "") -> Result:
    """Taps that the page itself answers; ``done`` is what a tapped one is by then, before the
    next tap."""
    times = []
    for selector in selectors:
        times.append(await page.evaluate(_TAP, selector))
        if done:
            await page.wait_for_selector(selector + done)
    against = f"below {_TAP_MS} at {THROTTLE}x throttle; p95 of {len(times)}, to the second frame"
    return _tapped(face, times, against)


async def followed(face: str, page: Page, selectors: Sequence[str]) -> Result:
    """Taps on links that the server answers: until the next page's first paint."""
    times = []
    for selector in selectors:
        async with page.expect_navigation():
            from_ms = await page.evaluate(_FOLLOW, selector)
        origin_ms, painted_ms = await page.evaluate(_PAINTED)
        times.append(origin_ms + painted_ms - from_ms)
    against = f"below {_PAINT_MS:,} at {THROTTLE}x throttle; p95 of {len(times)}, to the next page"
    return _tapped(face, times, against)


def off_loopback(face: str, visitors: Sequence[Visitor], origin: str) -> Result:
    """Requests to anything but the program itself."""
    asked: list[str] = [url for each in visitors for url in each.page.asked]  # type: ignore[attr-defined]
    outside = [url for url in asked if not url.startswith(origin)]
    against = f"none of {len(asked)} requests may"
    return Result(f"faces_{face}_requests_off_loopback", len(outside), "", against)


def _tapped(face: str, times: Sequence[float], against: str) -> Result:
    p95 = quantiles(times, n=20)[-1]
    return Result(f"faces_{face}_tap_to_paint_ms_p95", p95, "ms", against)


def _against_weight(pages: int, url: str) -> str:
    heaviest = f", the heaviest of {pages} pages" if pages > 1 else ""
    return f"below {_PAGE_KB}; the first visit{heaviest}{_at(pages, url)}"


def _at(pages: int, url: str) -> str:
    return f": {url.split('/', 3)[3] or '/'}" if pages > 1 else ""
