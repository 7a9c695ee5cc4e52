"""What every face is measured by, in Debian's Chromium: bytes of a first visit, first paint, a tap
to its paint, requests that leave the machine. Where several pages are measured, the worst counts.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
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
_PRESSED = """
() => {
  const to = (resolve) => ({timeStamp}) => requestAnimationFrame(
    () => requestAnimationFrame(() => resolve(performance.now() - timeStamp)));
  window.pressed = new Promise(
    (resolve) => addEventListener('pointerdown', to(resolve), {once: true}));
  addEventListener('click', (event) => event.preventDefault(), {once: true});
}
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


@dataclass(frozen=True, slots=True)
class Tap:
    """On which part of a page, and the selector of what is there by the next tap."""

    selector: str
    then: str = ""


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
async def beside(visitor: Visitor) -> AsyncIterator[Visitor]:
    """The same person at another window."""
    page = await visitor.page.context.new_page()
    page.set_default_timeout(_WAIT_MS)
    yield Visitor(page, await page.context.new_cdp_session(page))
    await page.close()


@dataclass(frozen=True, slots=True)
class Load:
    """What it cost to open a page: the bytes of a first visit, and the slowest first paint."""

    name: str
    page_kb: float
    paint_ms: float
    count: int = LOADS


@asynccontextmanager
async def throttled(visitor: Visitor) -> AsyncIterator[None]:
    """Their page's processor is slowed down until the block ends. It burns time even while
    nothing happens: nobody but who is measured is slowed down."""
    await visitor.tools.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    try:
        yield
    finally:
        await visitor.tools.send("Emulation.setCPUThrottlingRate", {"rate": 1})


@asynccontextmanager
async def _weighed(tools: CDPSession) -> AsyncIterator[list[float]]:
    """What the newest page has loaded, with nothing in the cache."""
    sizes = list[float]()

    def asked(event: dict[str, Any]) -> None:
        if event.get("type") == "Document":
            sizes.clear()

    def loaded(event: dict[str, Any]) -> None:
        sizes.append(event["encodedDataLength"])

    heard = {"Network.requestWillBeSent": asked, "Network.loadingFinished": loaded}
    for name, take in heard.items():
        tools.on(name, take)
    await tools.send("Network.enable")
    await tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    try:
        yield sizes
    finally:
        await tools.send("Network.setCacheDisabled", {"cacheDisabled": False})
        await tools.send("Network.disable")
        for name, take in heard.items():
            tools.remove_listener(name, take)


async def loaded(visit: Visit, name: str = "") -> Load:
    """Open a page, first with nothing in the cache, then as somebody who comes back.

    :param name: What it is called; its address if it has no name.
    """
    async with _weighed(visit.visitor.tools) as sizes:
        await visit.make()
        page_kb = sum(sizes) / 1000
    times = []
    async with throttled(visit.visitor):
        for _ in range(LOADS):
            await visit.make()
            times.append((await visit.visitor.page.evaluate(_PAINTED))[1])
    return Load(name or visit.url.split("/", 3)[3] or "/", page_kb, max(times))


async def all_loaded(visits: Sequence[Visit]) -> list[Load]:
    """One after the other."""
    return [await loaded(visit) for visit in visits]


async def came(visitor: Visitor, scenes: AsyncIterator[str]) -> list[Load]:
    """The pages of a story, each as it comes in it, once: so are those met that only answer a
    form."""
    found: list[Load] = []
    async with _weighed(visitor.tools) as sizes, throttled(visitor):
        async for name in scenes:
            await visitor.page.wait_for_load_state()
            painted_ms = (await visitor.page.evaluate(_PAINTED))[1]
            found.append(Load(f"{name}, as it comes", sum(sizes) / 1000, painted_ms, 1))
    return found


def worst(face: str, loads: Sequence[Load]) -> list[Result]:
    """The heaviest page and the slowest load."""
    heavy, slow = (max(loads, key=lambda load: load.page_kb),
                   max(loads, key=lambda load: load.paint_ms))  # fmt: skip
    count = sum(load.count for load in loads)
    return [
        Result(
            f"faces_{face}_page_kb", heavy.page_kb, "kB",
            f"below {_PAGE_KB}; the first visit, the heaviest of {len(loads)} pages: {heavy.name}",
        ),
        Result(
            f"faces_{face}_first_paint_ms", slow.paint_ms, "ms",
            f"below {_PAINT_MS:,} at {THROTTLE}x throttle; the slowest of {count} loads: "
            f"{slow.name}",
        ),
    ]  # fmt: skip


async def tap_times(visitor: Visitor, taps: Sequence[Tap]) -> list[float]:
    """Taps that the page itself answers, one after the other."""
    times = []
    async with throttled(visitor):
        for tap in taps:
            await visitor.page.wait_for_selector(tap.selector)
            times.append(await visitor.page.evaluate(_TAP, tap.selector))
            if tap.then:
                await visitor.page.wait_for_selector(tap.then)
    return times


def tapped(face: str, times: Sequence[float]) -> Result:
    """How long until the second frame."""
    against = f"below {_TAP_MS} at {THROTTLE}x throttle; p95 of {len(times)}, to the second frame"
    return _tapped(face, times, against)


async def pressed(face: str, visitor: Visitor, selectors: Sequence[str]) -> Result:
    """Links under a mouse that goes down: from its event until the second frame, which shows them
    pressed."""
    times, mouse = [], visitor.page.mouse
    async with throttled(visitor):
        for selector in selectors:
            await visitor.page.hover(selector)
            await visitor.page.evaluate(_PRESSED)
            await mouse.down()
            times.append(await visitor.page.evaluate("window.pressed"))
            await mouse.up()
    against = f"below {_TAP_MS} at {THROTTLE}x throttle; p95 of {len(times)}, to the second frame"
    return Result(f"faces_{face}_press_to_paint_ms_p95", quantiles(times, n=20)[-1], "ms", against)


async def followed(face: str, visitor: Visitor, selectors: Sequence[str]) -> Result:
    """Taps on links that the server answers: until the next page's first paint."""
    times, page = [], visitor.page
    async with throttled(visitor):
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
