"""Goal: the controller board's driver gives a clear error on a bad line, and `tillway terminal
firmware` renews a board whose power fails on the way.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from firmware_sim.board_file import board_with
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import HostedBoard
from protocol.errors import CallerError, OperatingError
from protocol.framing import mcuboot
from terminal.adapters import smp_board
from terminal.adapters.smp_board import SmpSerialBoard
from terminal.cli import firmware, probe
from tests.kit.drivers import Opened
from tests.support.firmware import body_of

NEW = mcuboot.pack_image(body_of("new", 5000), mcuboot.Version(2, 0, 1))


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    file = board_with("smp_board", device="board")
    with HostedBoard(file, state_dir=tmp_path, pace=False) as board:
        yield board


Printed = Callable[[], dict[str, Any]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """What a command printed last."""
    return lambda: dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_firmware_is_renewed_though_the_power_fails_on_the_way(
    hosted: HostedBoard, tmp_path: Path, printed: Printed
) -> None:
    image = tmp_path / "new.bin"
    image.write_bytes(NEW)
    hosted.do("board", "cut_power", after_writes=40, torn=True, off_ms=100)
    firmware(hosted.paths["board"], image)
    assert printed()["version"] == "2.0.1"
    state = hosted.state("board")
    assert (state["version"], state["next_swap"], state["power_failures"]) == ("2.0.1", "none", 1)
    firmware(hosted.paths["board"], image)
    assert printed()["was_there"]


def test_what_is_no_firmware_is_refused_with_its_code(
    hosted: HostedBoard, tmp_path: Path, printed: Printed
) -> None:
    image = tmp_path / "junk.bin"
    image.write_bytes(b"junk")
    for file in (image, tmp_path / "missing.bin"):
        with pytest.raises(typer.Exit):
            firmware(hosted.paths["board"], file)
        assert printed()["error"]["code"] == "firmware_file_invalid"


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.FLIP, FaultKind.NOISE])
async def test_one_damaged_answer_is_asked_for_again(
    hosted: HostedBoard, opened: Opened, kind: FaultKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smp_board, "BOARD_REPLY_S", 0.5)
    board = opened(SmpSerialBoard(hosted.paths["board"]))
    hosted.set_fault("board", Fault(kind, at=7))
    [image] = await board.images()
    assert (image.slot, image.version, image.is_confirmed) == (0, "1.0.0", True)


@pytest.mark.asyncio
async def test_damage_silence_and_the_plug_have_their_codes_and_heal(
    hosted: HostedBoard, opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smp_board, "BOARD_REPLY_S", 0.4)
    board = opened(SmpSerialBoard(str(tmp_path / "dev" / "board")))
    for fault, code in (
        (Fault(FaultKind.FLIP, at=9, repeat=True), "device_bad_frame"),
        (Fault(FaultKind.SILENT), "device_no_reply"),
    ):
        hosted.set_fault("board", fault)
        with pytest.raises(OperatingError, match=code):
            await board.images()
    hosted.set_fault("board", Fault())
    hosted.call(lambda running: running.unplug("board"))
    with pytest.raises(OperatingError, match="device_disconnected"):
        await board.images()
    hosted.call(lambda running: running.plug("board"))
    assert await board.images()


@pytest.mark.asyncio
async def test_a_no_of_the_board_is_its_own_and_is_not_asked_again(
    hosted: HostedBoard, opened: Opened
) -> None:
    board = opened(SmpSerialBoard(hosted.paths["board"]))
    with pytest.raises(CallerError, match="firmware_refused: group 1 rc 8"):
        await board.try_out(b"x" * 32)


def test_the_probe_lists_the_firmware(hosted: HostedBoard, printed: Printed) -> None:
    probe("smp_board", hosted.paths["board"], 5.0)
    [image] = printed()["images"]
    assert (image["version"], len(image["digest"])) == ("1.0.0", 64)
