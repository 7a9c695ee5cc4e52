"""The pages that listen on the loopback only, the firmware's bench and the front page, by the
measures of every face."""

from itertools import cycle, islice
from pathlib import Path

from playwright.async_api import Browser, Page

from bench.faces_measures import (
    Tap,
    Visit,
    Visitor,
    all_loaded,
    off_loopback,
    tap_times,
    tapped,
    visitor,
    worst,
)
from bench.result import Result
from tests.support.bench_scenes import talk
from tests.support.browser import LARGE
from tests.support.front_scenes import MANNERS
from tests.support.front_shop import Program, fake_shop
from tests.support.sim_bench import RunningSim, running_sim
from tests.support.wallet_phone import PHONE
from tillway.front.server import front_page

_TAPS = 60


async def measured_bench(browser: Browser, folder: Path) -> list[Result]:
    """A counter's board with each device chosen, a scenario that has been run, a trace that has
    been replayed; the taps are on a device's tabs."""
    with running_sim(folder) as sim:
        async with visitor(browser, viewport=LARGE) as tester:
            visits = await _of_bench(sim, tester)
            tabs = islice(cycle(f"#tab-{name}" for name in ("faults", "state", "acts")), _TAPS)
            results = worst("bench", await all_loaded(visits))
            await visits[0].make()
            taps = [Tap(tab) for tab in tabs]
            results.append(tapped("bench", await tap_times(tester, taps)))
            return [*results, off_loopback("bench", (tester,), sim.url)]


async def _of_bench(sim: RunningSim, tester: Visitor) -> list[Visit]:
    root, page = f"{sim.url}/bench", tester.page
    await page.goto(f"{root}/traces")
    await page.click('[data-do="start"]')
    await page.wait_for_selector('[data-do="stop"]')
    talk(sim)
    await page.click('[data-do="stop"]')
    await page.wait_for_url("**name=*")
    await _run(page, '#play [value="host"]')
    trace = page.url
    await page.goto(f"{root}/scenarios?name=lost-byte")
    await _run(page, '[value="run"]')
    return [
        *(Visit(tester, f"{root}?device={device}", ".row") for device in sim.devices),
        Visit(tester, page.url, '[data-state="passed"]'),
        *(Visit(tester, f"{root}/scenarios?name={name}", ".source") for name in _SCENARIOS),
        Visit(tester, trace, '[data-state="passed"]'),
        Visit(tester, f"{root}/traces"),
    ]


_SCENARIOS = ("lost-byte", "noisy-line")


async def _run(page: Page, button: str) -> None:
    await page.click(button)
    await page.wait_for_selector('[data-state="passed"]')


async def measured_front(browser: Browser) -> list[Result]:
    """At a desk and on a phone, before a payment and after it; the taps are on its manners."""
    shop = fake_shop(Program())
    with front_page(shop, 0) as url:
        async with (
            visitor(browser, viewport=LARGE) as desk,
            visitor(browser, viewport=PHONE) as phone,
        ):
            visits = [Visit(each, f"{url}?lang=en", "[data-step]") for each in (desk, phone)]
            manners = islice(cycle(f'[data-manner="{manner}"]' for manner in MANNERS), _TAPS)
            results = worst("front", await all_loaded(visits))
            await visits[0].make()
            taps = [Tap(manner, f'{manner}[aria-pressed="true"]') for manner in manners]
            results.append(tapped("front", await tap_times(desk, taps)))
            return [*results, off_loopback("front", (desk, phone), url)]
