"""The bench's screens, each as a tester meets it, for the pictures in the documents."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import serial
from playwright.async_api import Page

from protocol.framing.customer_display import cd5220_rows
from tests.support.sim_bench import RunningSim

_READ_MODE, _COMMAND_MODE, _TRIGGER = (
    bytes.fromhex(words)
    for words in ("7E000701000A01EE8A", "7E0008010000D5ABCD", "7E000801000201ABCD")
)
_RECEIPT = (
    b"\x1b@\x1ba\x01\x1d!\x11Tillway\n\x1d!\x00"
    + "街角小店  Corner Shop\n\n".encode("gb18030")
    + b"\x1ba\x00Coffee                                     12.80\n"
    b"Tea                                         6.66\n"
    b"------------------------------------------------\n"
    b"\x1d!\x01Total                                 CNY  19.46\n\x1d!\x00\n"
    b"\x1dV\x42\x00\x1bp\x00\x32\x32"
)
_WRONG = """name: a scanner reads the right code
board: pos
seed: 7
steps:
  - {do: scanner.present, text: TILLWAY-0001}
  - {send: scanner, hex: 7E 00 08 01 00 00 D5 AB CD}
  - {send: scanner, hex: 7E 00 08 01 00 02 01 AB CD}
  - {expect: scanner, frame: code, fields: {text: TILLWAY-0002}, within: 1s}
"""


async def scenes(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    """Each screen by its name, as it is on the page then."""
    await page.goto(f"{sim.url}/bench?lang={language}&device=scanner")
    await page.request.put(f"{sim.url}/devices/scanner/faults", data={"faults": []})
    await _do(page, sim, "scanner/acts/present", {"text": "134567890123456789"})
    await asyncio.to_thread(talk, sim)
    await _do(page, sim, "fingerprint/acts/place", {"finger": "alice"})
    await _do(page, sim, "reader/acts/present", {"card": "unionpay"})
    await page.click('.row.host:has-text("read")')
    await page.wait_for_selector("#detail .decoded")
    await page.click('#detail button[data-f="1"]')
    yield "board"
    await page.click("[data-tab=faults]")
    await page.fill("#fault-at", "4")
    await page.click('[data-fault="flip"]')
    await page.wait_for_selector(".faults-now [data-heal]")
    await asyncio.to_thread(_ask, sim)
    await page.wait_for_selector(".row.device.junk")
    await page.click(".row.device.junk >> nth=-1")
    await page.wait_for_selector("#detail .badge.error")
    yield "fault"
    await page.click("#choose-printer")
    await page.wait_for_selector('.inspected[data-device="printer"]')
    await page.click("[data-tab=state]")
    yield "state"
    await asyncio.to_thread(_show_again, sim)
    await page.click("#choose-display")
    await page.wait_for_selector('.inspected[data-device="display"]')
    await page.click(".row:has(.times) >> nth=-1")
    await page.wait_for_selector("#detail .repeats")
    yield "picture"
    await page.click(".row.deed >> nth=-1")
    await page.wait_for_selector('#detail h3:has-text("#")')
    yield "deed"
    await page.locator(".row").first.evaluate("(row) => { row.dataset.opens = '99999999'; }")
    await page.click(".row >> nth=0")
    await page.wait_for_selector("#detail > p.muted")
    yield "gone"
    await page.goto(f"{sim.url}/bench?lang={language}&device=balance")
    yield "lost"
    async for name in _runs(page, sim, language):
        yield name
    async for name in _traces(page, sim, language):
        yield name


async def _runs(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    await page.goto(f"{sim.url}/bench/scenarios?lang={language}&name=lost-byte")
    await page.click('[value="stepwise"]')
    for line in ("7", "8", "9"):
        await page.wait_for_selector(f'[data-state="waiting"] [value="{line}"][data-mark="now"]')
        await page.click('[data-run-do="step"]')
    await page.wait_for_selector('[data-state="waiting"] [value="10"][data-mark="now"]')
    yield "steps"
    await page.click('[data-run-do="go-on"]')
    await page.wait_for_selector('[data-state="passed"]')
    yield "passed"
    await page.click(".own summary")
    await page.fill("#source", _WRONG)
    await page.click('[data-do="own"]')
    await page.wait_for_selector('[data-state="failed"]')
    await page.click(".own summary")
    yield "failed"


async def _traces(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    await _do(page, sim, "scanner/acts/take_away", {})
    await page.request.put(f"{sim.url}/devices/scanner/faults", data={"faults": []})
    await page.goto(f"{sim.url}/bench/traces?lang={language}")
    await page.click('[data-do="start"]')
    await page.wait_for_selector('[data-do="stop"]')
    await asyncio.to_thread(talk, sim)
    await page.wait_for_timeout(500)
    yield "recording"
    await page.click('[data-do="stop"]')
    await page.wait_for_url("**name=*")
    await page.click('#play [value="host"]')
    await page.wait_for_selector('[data-state="passed"]')
    yield "replay"


async def _do(page: Page, sim: RunningSim, deed: str, words: dict[str, str]) -> None:
    answer = await page.request.post(f"{sim.url}/devices/{deed}", data=words)
    assert answer.ok, await answer.text()


async def vending_scenes(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    """A vending machine's board."""
    await page.goto(f"{sim.url}/bench?lang={language}")
    yield "vending"


async def machine_scenes(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    """The devices that no counter has."""
    await page.goto(f"{sim.url}/bench?lang={language}")
    yield "machine"


async def charger_scenes(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    """A charger's board."""
    await page.goto(f"{sim.url}/bench?lang={language}")
    yield "charger"


async def controller_scenes(page: Page, sim: RunningSim, language: str) -> AsyncIterator[str]:
    """A controller's board."""
    await page.goto(f"{sim.url}/bench?lang={language}")
    yield "controller"


BOARDS = {
    "pos": scenes,
    f"{Path(__file__).with_name('machine_board.yaml')}": machine_scenes,
    "vending": vending_scenes,
    "charger": charger_scenes,
    "controller": controller_scenes,
}
"""The scenes of each board, by its name or its file."""


def _ask(sim: RunningSim) -> None:
    with serial.Serial(sim.devices["scanner"], 9600, timeout=0.5) as port:
        port.write(_READ_MODE)
        port.read(7)


def _show_again(sim: RunningSim) -> None:
    """A till refreshes its display."""
    with serial.Serial(sim.devices["display"], 9600, timeout=0.2) as port:
        for _ in range(4):
            port.write(cd5220_rows("TOTAL        CNY", f"{'19.46':>20}"))
            port.read(1)


def talk(sim: RunningSim) -> None:
    """What a till's drivers say in a sale."""
    _ask(sim)
    with serial.Serial(sim.devices["scanner"], 9600, timeout=0.5) as port:
        port.write(_COMMAND_MODE)
        port.read(7)
        port.write(_TRIGGER)
        port.read(26)
    with serial.Serial(sim.devices["printer"], 115_200, timeout=0.5) as port:
        port.write(_RECEIPT)
        port.read(1)
    with serial.Serial(sim.devices["display"], 9600, timeout=0.2) as port:
        port.write(b"\x0c\x1bQATOTAL        CNY\r\x1bQB               19.46\r")
        port.read(1)
