"""Debian's Chromium, driven by playwright: started once, a new context for each test."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from tests.kit.patience import PATIENCE_S

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The whole one also draws a window that nobody sees: it takes twice the processor time."""
START_MS = 60_000  # the first start from a cold disk took 24 s
FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_WORDS = [
    f"--{word}"
    for word in (
        "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync",
        "autoplay-policy=no-user-gesture-required",
    )
]  # fmt: skip
SMALL, LARGE = {"width": 800, "height": 480}, {"width": 1280, "height": 800}


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
    """A page in a context of its own. What it says wrong, and where it goes, is kept on it."""
    context = await browser.new_context(**{"viewport": SMALL, "has_touch": True, **options})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_S * 1_000)
    page.faults = []  # type: ignore[attr-defined]
    page.asked = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
    page.on("request", lambda request: page.asked.append(request.url))  # type: ignore[attr-defined]
    try:
        yield page
        assert not page.faults, page.faults  # type: ignore[attr-defined]
    finally:
        await context.close()
