"""Debian's Chromium, driven by playwright: started once, a new context for each test."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from tests.kit.patience import PATIENCE_S

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The whole one also draws a window that nobody sees: it takes twice the processor time."""
START_MS = 60_000  # the first start from a cold disk took 24 s
_WORDS = [
    f"--{word}"
    for word in (
        "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync",
        "autoplay-policy=no-user-gesture-required",
    )
]  # fmt: skip
_BROKEN_IDS = """
() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = walk.nextNode());) {
    if (!text.parentElement.checkVisibility()) continue;
    let edge = innerWidth;
    for (let up = text.parentElement; up; up = up.parentElement) {
      const cuts = getComputedStyle(up).overflowX !== 'visible';
      if (cuts) edge = Math.min(edge, up.getBoundingClientRect().right);
    }
    for (const hit of text.data.matchAll(/[a-z]{2,4}_[0-9A-Za-z]{26,32}/g)) {
      const range = document.createRange();
      range.setStart(text, hit.index);
      range.setEnd(text, hit.index + hit[0].length);
      const boxes = [...range.getClientRects()].filter((box) => box.width > 0);
      const lines = new Set(boxes.map((box) => Math.round(box.top))).size;
      const isCut = boxes.some((box) => box.right > edge + 1);
      if (lines > 1 || isCut) found.push(`${hit[0]}: ${lines} lines${isCut ? ', cut' : ''}`);
    }
  }
  return found;
}
"""
SMALL: ViewportSize = {"width": 800, "height": 480}
LARGE: ViewportSize = {"width": 1280, "height": 800}


@asynccontextmanager
async def started_browser() -> AsyncIterator[Browser]:
    """A browser until the block ends."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=_WORDS, timeout=START_MS
        )
        try:
            warm = await browser.new_page()
            await warm.goto("data:text/html,<h1>warm</h1>", timeout=START_MS)
            await warm.close()
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def opened_page(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A page in a context of its own. What it says wrong, and where it goes, is kept on it.

    Call ``page.route`` before the page that it is for is opened: what an open page asks for in the
    moment after may go its way unseen (one time in fifty).
    """
    context = await browser.new_context(**{"viewport": SMALL, "has_touch": True, **options})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_S * 1_000)
    faults: list[str] = []
    asked: list[str] = []
    page.faults, page.asked = faults, asked  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    try:
        yield page
        assert not faults, faults
    finally:
        await context.close()


async def broken_ids(page: Page) -> list[str]:
    """The ids that are broken over lines or cut at an edge."""
    found: list[str] = await page.evaluate(_BROKEN_IDS)
    return found
