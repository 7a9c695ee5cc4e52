"""The scenes of the front page: its guide, the things that pay by themselves, and the evening."""

from collections.abc import AsyncIterator, Sequence

from playwright.async_api import Page

from tillway.demo.at_work import Car
from tillway.demo.machines import Goods

MANNERS = {
    "code": (("show", "scan"), ("scan", "receipt")),
    "finger": (("scan", "lay"), ("lay", "receipt")),
    "qr": (("read", "confirm"), ("confirm", "receipt")),
}
"""Acts between the first step and the receipt, each with the step that follows."""


async def scenes(
    page: Page, url: str, language: str, manners: Sequence[str] = tuple(MANNERS)
) -> AsyncIterator[str]:
    """The guide's manners, step by step, and the evening, as a stranger clicks through them."""
    await page.goto(f"{url}?lang={language}")
    await page.wait_for_selector('[data-step="key"]')
    for manner in manners:
        await page.click(f'[data-manner="{manner}"]')
        await page.wait_for_selector(f'[data-manner="{manner}"][aria-pressed="true"]')
        yield "key" if manner == "code" else f"key-{manner}"
        first = MANNERS[manner][0][0]
        for act, then in (("key", first), *MANNERS[manner], ("look", "postings")):
            await page.click(f'[data-do="guide/{act}"]')
            await page.wait_for_selector(f'[data-step="{then}"]')
            if then in {"scan", "read", "receipt"}:
                await page.wait_for_function(
                    "() => [...document.images].every((each) => each.complete && each.naturalWidth)"
                )
            if then == "postings":
                await page.wait_for_selector("[data-step] td")
            if manner == "code" or then in {"scan", "lay", "read", "confirm"}:
                yield then if then != "scan" or manner == "code" else f"scan-{manner}"
        await page.click('[data-do="guide/again"]')
        await page.wait_for_selector('[data-step="key"]')
    async for scene in thing_scenes(page):
        yield scene
    await page.click('[data-do="day/close"]')
    await page.wait_for_selector("[data-closed]")
    yield "evening"


CHOSEN = {"enter": "car", "press": "item"}
STORIES = {
    "charge": ((("plug",), "pull"), (("pull",), "bill")),
    "park": (
        (("enter", Car.WITHOUT), "leave"), (("leave",), "pay"), (("pay",), "out"),
        (("out",), "bill"),
    ),
    "vend": ((("press", Goods.BOX), "scan"), (("scan",), "bill")),
}  # fmt: skip
"""A car charges; one without a mandate leaves the car park; a machine sells what its mandate does
not allow: acts, each with what follows."""
FIRST = {"charge": "plug", "park": "enter", "vend": "press"}


async def thing_scenes(page: Page) -> AsyncIterator[str]:
    """The stories of things that pay by themselves, as a stranger clicks through them."""
    for story, acts in STORIES.items():
        await page.click(f'[data-story="{story}"]')
        await page.wait_for_selector(f'[data-story="{story}"][aria-pressed="true"]')
        if story == "vend":
            await page.wait_for_selector('[data-stage="press"]')
            yield "vend-press"
        for (act, *what), then in acts:
            chosen = f'[data-{CHOSEN[act]}="{what[0].value}"]' if what else ""
            await page.click(f'[data-do="things/{act}"]{chosen}')
            await page.wait_for_selector(f'[data-stage="{then}"]')
            if (story, then) == ("charge", "bill"):
                await page.wait_for_selector('[data-hop="charger"]')  # it is the last payment now
            yield f"{story}-{then}"
        await page.click('[data-do="things/again"]')
        await page.wait_for_selector(f'[data-stage="{FIRST[story]}"]')
