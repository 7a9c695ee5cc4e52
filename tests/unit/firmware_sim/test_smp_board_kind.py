"""Goal: a board file says which firmware a controller board carries; people cut its power and read
its wire.
"""

from pathlib import Path

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile, board_with
from firmware_sim.frames import JUNK, Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.smp_board import KIND, SmpDecoder
from protocol.errors import CallerError
from protocol.framing import mcuboot, smp
from protocol.framing.smp import Group, Op
from tests.support.firmware import SLOT_SECTORS, body_of, open_signing_room

ECHO = smp.encode(smp.message(Op.WRITE, Group.OS, 0, {"d": "x"}))
NEW = mcuboot.pack_image(body_of("new", 900), mcuboot.Version(2))
FIRST_PIECE = smp.encode(
    smp.message(Op.WRITE, Group.IMAGE, 1, {"off": 0, "len": len(NEW), "data": NEW[:512]})
)


def _board(**options: object) -> BoardFile:
    entry = KIND.entry.model_validate({"kind": "smp_board", **options})
    return BoardFile("controller", {"board": BoardDevice(KIND, entry)})


def test_a_board_carries_the_firmware_that_its_file_names(tmp_path: Path) -> None:
    room = open_signing_room(tmp_path)
    image = tmp_path / "factory.bin"
    image.write_bytes(room.sign(body_of("factory", 5000), "3.2.1"))
    file = _board(image=str(image), key=str(room.public_pem), slot_sectors=SLOT_SECTORS)
    with VirtualBoard(file) as bench:
        state = bench.state("board")
    assert (state["version"], state["is_recovery"]) == ("3.2.1", False)


def test_a_board_with_a_key_and_no_firmware_waits_for_some(tmp_path: Path) -> None:
    key = open_signing_room(tmp_path).public_pem
    with VirtualBoard(_board(key=str(key))) as bench:
        assert bench.state("board")["is_recovery"]


@pytest.mark.parametrize("option", ["image", "key"])
def test_a_file_that_is_not_there_is_named(option: str, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="missing") as caught:
        KIND.build(_board(**{option: str(tmp_path / "missing")}).devices["board"].entry, b"")
    assert caught.value.code == "config_invalid"


def test_the_power_fails_at_a_write_and_comes_back_with_the_old_firmware() -> None:
    with VirtualBoard(board_with("smp_board", device="board")) as bench:
        bench.do("board", "cut_power", after_writes=2, torn=True, off_ms=300)
        bench.send("board", FIRST_PIECE)
        assert bench.receive("board", 1, within_ms=200) == b""
        assert not bench.state("board")["has_power"]
        bench.pass_time(500)
        bench.send("board", ECHO)
        assert bench.receive("board", 1) == b"\x06"
        state = bench.state("board")
    assert (state["power_failures"], state["version"], state["boots"]) == (1, "1.0.0", 2)


def test_the_reset_button_opens_recovery_and_the_console_tells() -> None:
    with VirtualBoard(_board(console=True)) as bench:
        bench.do("board", "reset", recovery=True)
        bench.pass_time(1000)
        assert b"Booting" in bench.receive("board", 1000, within_ms=10)
        assert bench.state("board")["is_recovery"]


def test_the_wire_is_read_without_the_bytes_of_an_image() -> None:
    decoder = SmpDecoder()
    [piece] = decoder.feed(Side.HOST, FIRST_PIECE)
    assert (piece.name, piece.is_valid) == ("image_upload", True)
    assert piece.fields == {
        "sequence": 0, "op": "write", "off": 0, "len": len(NEW), "data": "512 bytes",
    }  # fmt: skip
    answer = smp.encode(smp.message(Op.READ_ANSWER, 77, 3, {"rc": 8}, sequence=9))
    console, junk, unknown = decoder.feed(Side.DEVICE, b"booting\n\x06\x09!!\n" + answer)
    assert (console.name, console.fields["text"]) == ("console", "booting")
    assert (junk.name, junk.is_valid) == (JUNK, False)
    assert unknown.name == "group_77_command_3"
    assert unknown.fields["rc"] == 8
