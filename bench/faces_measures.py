"""What every face is measured by, in Debian's Chromium: bytes of a first visit, first paint, a tap
to its paint, requests that leave the machine. Where several pages are measured, the worst counts.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import quantiles

from playwright.async_api import CDPSession, Page

from bench.result import Result

THROTTLE = 6
LOADS = 5
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
class Visit:
    """A page's address, and the selector of what is there once the page is whole."""

    url: str
    ready: str

    async def make(self, page: Page) -> None:
        """Load it, and wait until it is whole."""
        await page.goto(self.url)
        await page.wait_for_selector(self.ready)


@asynccontextmanager
async def throttled(tools: CDPSession) -> AsyncIterator[None]:
    """The page's processor is slowed down until the block ends."""
    await tools.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    yield
    await tools.send("Emulation.setCPUThrottlingRate", {"rate": 1})


async def weight(face: str, page: Page, tools: CDPSession, visits: Sequence[Visit]) -> Result:
    """What a first visit loads, with nothing in the cache."""
    sizes: list[float] = []
    tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await tools.send("Network.enable")
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    worst = 0.0
    for visit in visits:
        sizes.clear()
        await visit.make(page)
        worst = max(worst, sum(sizes) / 1000)
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": False})
    await tools.send("Network.disable")
    against = f"below {_PAGE_KB}; the first visit{_worst_of(visits)}"
    return Result(f"faces_{face}_page_kb", worst, "kB", against)


async def first_paint(face: str, page: Page, visits: Sequence[Visit]) -> Result:
    """The slowest of all loads."""
    times: list[float] = []
    for visit in visits:
        for _ in range(LOADS):
            await visit.make(page)
            times.append((await page.evaluate(_PAINTED))[1])
    against = f"below {_PAINT_MS:,} at {THROTTLE}x throttle; the slowest of {len(times)} loads"
    return Result(f"faces_{face}_first_paint_ms", max(times), "ms", against)


async def taps(face: str, page: Page, selectors: Sequence[str]) -> Result:
    """Taps that the page itself answers."""
    times = [await page.evaluate(_TAP, selector) for selector in selectors]
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


def off_loopback(face: str, page: Page, origin: str) -> Result:
    """Requests to anything but the program itself."""
    asked: list[str] = page.asked  # type: ignore[attr-defined]
    outside = [url for url in asked if not url.startswith(origin)]
    against = f"none of {len(asked)} requests may"
    return Result(f"faces_{face}_requests_off_loopback", len(outside), "", against)


def _tapped(face: str, times: Sequence[float], against: str) -> Result:
    p95 = quantiles(times, n=20)[-1]
    return Result(f"faces_{face}_tap_to_paint_ms_p95", p95, "ms", against)


def _worst_of(visits: Sequence[Visit]) -> str:
    return f", the heaviest of {len(visits)} pages" if len(visits) > 1 else ""
