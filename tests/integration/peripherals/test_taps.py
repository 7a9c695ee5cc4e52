"""Goal: the reader's driver works on a port: taps, plugs pulled and put back, and its probes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.hosting import HostedBoard
from protocol import paycode
from protocol.errors import OperatingError
from terminal.adapters.pn532_reader import Pn532Reader
from terminal.probes import probe_named
from tests.kit.drivers import Opened
from tests.kit.patience import PATIENCE_S

CODE = "134567890123456789"


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A reader on a pty."""
    with HostedBoard(board_with("pn532", device="reader"), state_dir=tmp_path) as board:
        yield board


@pytest.mark.asyncio
async def test_a_reader_unplugged_while_waiting_is_disconnected_and_comes_back(
    hosted: HostedBoard, tmp_path: Path, opened: Opened
) -> None:
    reader = opened(Pn532Reader(str(tmp_path / "dev" / "reader")))
    tap = asyncio.create_task(reader.scan(20))
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(lambda: hosted.state("reader")["is_field_on"]):  # noqa: ASYNC110 - another loop's state
            await asyncio.sleep(0.02)
    await asyncio.to_thread(hosted.call, lambda board: board.unplug("reader"))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await tap
    await asyncio.to_thread(hosted.call, lambda board: board.plug("reader"))
    await asyncio.to_thread(hosted.do, "reader", "present", text=CODE)
    assert await reader.scan(5) == CODE


@pytest.mark.asyncio
async def test_the_probes_tell_a_code_and_a_masked_card(hosted: HostedBoard) -> None:
    path = hosted.paths["reader"]
    await asyncio.to_thread(hosted.do, "reader", "present", card="visa")
    found = await probe_named("pn532")(path, 5)
    assert found == {
        "aid": "A0000000031010", "label": "VISA CREDIT",
        "pan_masked": "424242******4242", "last_four": "4242",
    }  # fmt: skip
    await asyncio.to_thread(hosted.do, "reader", "remove")
    await asyncio.to_thread(hosted.do, "reader", "present", card="tag")
    assert await probe_named("pn532_code")(path, 5) == {"code": paycode.mask(CODE)}
