"""axe-core, which judges whether everybody can read and use a page; contrast of 7:1 included."""

import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

AXE = Path(sys.prefix) / "npm_readers" / "node_modules" / "axe-core" / "axe.min.js"
needs_axe = pytest.mark.skipif(
    not AXE.is_file(), reason="axe-core is not installed (deploy/setup/npm_readers.py)"
)
SWITCHED = {"color-contrast-enhanced": {"enabled": True}, "color-contrast": {"enabled": False}}
"""The first asks 7:1 (4.5:1 of large text), which holds the 4.5:1 (3:1) that the second asks."""
RULES = ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def faults(page: Page) -> list[str]:
    """What axe finds, one line each."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate(
        "([tags, rules]) => axe.run(document, {runOnly: tags, resultTypes: ['violations'], rules})",
        [RULES, SWITCHED],
    )
    return [
        f"{fault['id']}: {node['target']} {node['failureSummary'][:160]}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
