"""Goal: the scan engine's and the displays' drivers survive a real port being pulled and put back.

Method: simulated devices on ptys, reached by the link that follows them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import cast

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import KINDS
from protocol.errors import OperatingError
from terminal.adapters.customer_display import SerialCustomerDisplay
from terminal.adapters.ssi_scanner import SsiScanner
from terminal.bootstrap import _show_customer
from terminal.config import Settings
from terminal.domain.screen import Screen
from terminal.domain.words import TITLES
from terminal.ports import CustomerView
from terminal.probes import probe_named
from terminal.shell import Shell
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

CODE = "134567890123456789"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A counter with a scan engine and a display."""
    wanted = {"engine": "ssi", "display": "epson_vfd"}
    devices = {
        name: BoardDevice(KINDS[kind], KINDS[kind].entry.model_validate({"kind": kind}))
        for name, kind in wanted.items()
    }
    with HostedBoard(BoardFile("counter", devices), state_dir=tmp_path) as board:
        yield board


async def _plug(hosted: HostedBoard, name: str, *, is_in: bool) -> None:
    deed = "plug" if is_in else "unplug"
    await asyncio.to_thread(hosted.call, lambda board: getattr(board, deed)(name))


@pytest.mark.asyncio
async def test_an_engine_is_read_pulled_out_and_comes_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    scanner = opened(SsiScanner(str(tmp_path / "dev" / "engine")))
    await asyncio.to_thread(hosted.do, "engine", "present", text=CODE)
    assert await scanner.scan(5) == CODE
    scan = asyncio.create_task(scanner.scan(20))
    async with asyncio.timeout(PATIENCE_S):
        while not (await asyncio.to_thread(hosted.state, "engine"))["is_reading"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await _plug(hosted, "engine", is_in=False)
    with pytest.raises(OperatingError, match="device_disconnected"):
        await scan
    await _plug(hosted, "engine", is_in=True)
    await asyncio.to_thread(hosted.do, "engine", "present", text=CODE)
    assert await scanner.scan(5) == CODE


async def _until_shown(hosted: HostedBoard, upper: str) -> None:
    wanted = upper.ljust(20)
    async with asyncio.timeout(PATIENCE_S):
        while (await asyncio.to_thread(hosted.state, "display"))["upper"] != wanted:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.asyncio
async def test_a_display_is_pulled_out_and_comes_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    display = opened(SerialCustomerDisplay(str(tmp_path / "dev" / "display"), "epson_vfd"))
    await display.show(CustomerView("Scan to pay", "CNY 12.80"))
    await _until_shown(hosted, "Scan to pay")
    await _plug(hosted, "display", is_in=False)
    with pytest.raises(OperatingError, match="device_disconnected"):
        await display.show(CustomerView("Paid", ""))
    await _plug(hosted, "display", is_in=True)
    await display.show(CustomerView("Paid", ""))
    await _until_shown(hosted, "Paid")


@pytest.mark.asyncio
async def test_both_are_probed(hosted: HostedBoard) -> None:
    paths = hosted.paths
    await asyncio.to_thread(hosted.do, "engine", "present", text=CODE)
    shown = str((await probe_named("ssi")(paths["engine"], 3))["code"])
    assert (shown[:2], shown[-4:]) == (CODE[:2], CODE[-4:])
    assert CODE not in shown
    assert (await probe_named("epson_vfd")(paths["display"], 3))["written"] is True
    await _until_shown(hosted, "Tillway")


class _Shell:
    """As much of a shell as a display sees."""

    async def screens(self, after: int) -> AsyncIterator[tuple[int, Screen]]:
        yield after + 1, Screen(kind="qr", title=TITLES["qr"], amount="12.80", currency="CNY")


@pytest.mark.asyncio
async def test_a_terminal_with_a_display_shows_the_payer_its_screen(hosted: HostedBoard) -> None:
    settings = Settings.model_validate(
        {
            "merchant": {"id": "mer_1", "zh": "店", "en": "Shop"},
            "customer_display": {"port": hosted.paths["display"], "kind": "epson_vfd"},
        }
    )
    async with AsyncExitStack() as stack:
        _show_customer(settings, cast(Shell, _Shell()), stack)
        await _until_shown(hosted, "Scan to pay")
