"""Goal: the sensor's checks hold on each kind, and each check finds the sensor it is made for.

Method: virtual time; one sensor with one defect for each check.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydantic import JsonValue

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.conformance.check import Check, CheckFailedError
from firmware_sim.conformance.ef01 import CHECKS
from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.commands import COMMANDS
from firmware_sim.devices.ef01.state import Answer, State
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.ef01 import KIND
from firmware_sim.transports.memory import MemoryLine
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction

SENSOR = "sensor"


class VirtualWire:
    """The host's end of a line in virtual time, and the person beside it."""

    def __init__(self, board: VirtualBoard) -> None:
        self._board = board

    def send(self, data: bytes) -> None:
        self._board.send(SENSOR, data)

    def receive(self, count: int, timeout_s: float) -> bytes:
        return self._board.receive(SENSOR, count, within_ms=round(timeout_s * 1000))

    def drain(self, quiet_s: float) -> bytes:
        heard = b""
        while piece := self.receive(1, quiet_s):
            heard += piece
        return heard

    def set_baud(self, rate: int) -> None:
        line = self._board.board.link(SENSOR).line
        assert isinstance(line, MemoryLine)
        line.baud = rate

    def now_s(self) -> float:
        return self._board.now_ms / 1000

    def pause(self, seconds: float) -> None:
        self._board.pass_time(round(seconds * 1000))

    def do(self, act: str, /, **words: JsonValue) -> None:
        self._board.do(SENSOR, act, **words)

    def sees(self, act: str, /, **words: JsonValue) -> bool:
        raise NotImplementedError


@contextmanager
def bench(**options: object) -> Iterator[tuple[VirtualBoard, VirtualWire]]:
    """A board with one sensor."""
    entry = KIND.entry.model_validate({"kind": "ef01", **options})
    with VirtualBoard(BoardFile("fingers", {SENSOR: BoardDevice(KIND, entry)})) as board:
        yield board, VirtualWire(board)


@pytest.mark.parametrize("profile", ["zfm20", "r307", "r503"])
def test_every_check_holds_and_leaves_the_sensor_as_it_was(profile: str) -> None:
    with bench(profile=profile, enrolled={"alice": 3}) as (board, wire):
        flash = board.call(lambda running: running.link(SENSOR).device.state.flash)  # type: ignore[attr-defined]
        before = replace(flash, library=dict(flash.library), notepad=dict(flash.notepad))
        for check in CHECKS:
            check.run(wire, wire)
        assert flash == before


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_silent_sensor_fails_every_check(check: Check) -> None:
    with bench() as (board, wire):
        board.set_fault(SENSOR, Fault(FaultKind.SILENT))
        with pytest.raises(CheckFailedError):
            check.run(wire, wire)


def _says(answer: Answer) -> Callable[[State, bytes], Answer]:
    return lambda _state, _arguments: answer


def _zeros(state: State, _: bytes) -> Answer:
    state.now.upload = bytes(512)
    return Confirmation.OK, b""


PARAMETERS = bytes.fromhex("0000 0009 03E8 0009 FFFFFFFF 0002 0006")
DEFECTS: dict[str, tuple[Instruction, Callable[[State, bytes], Answer]]] = {
    "password": (Instruction.VERIFY_PASSWORD, _says((Confirmation.WRONG_PASSWORD, b""))),
    "wrong_password": (Instruction.VERIFY_PASSWORD, _says((Confirmation.OK, b""))),
    "parameters": (Instruction.READ_SYS_PARA, _says((Confirmation.OK, PARAMETERS))),
    "index": (Instruction.INDEX_TABLE, _says((Confirmation.OK, bytes(32)))),
    "random": (Instruction.RANDOM, _says((Confirmation.OK, b"four"))),
    "refusals": (Instruction.LOAD, _says((Confirmation.OK, b""))),
    "notepad": (Instruction.READ_NOTEPAD, _says((Confirmation.OK, bytes(31)))),
    "rate": (Instruction.SET_SYS_PARA, _says((Confirmation.OK, b""))),
    "no_finger": (Instruction.GET_IMAGE, _says((Confirmation.OK, b""))),
    "match": (Instruction.MATCH, _says((Confirmation.OK, bytes(2)))),
    "search": (Instruction.SEARCH, _says((Confirmation.NOT_FOUND, b""))),
    "template": (Instruction.UP_CHAR, _zeros),
}
Ear = Callable[[bytes], bytes]
EARS: dict[str, Ear] = {
    "address": lambda data: data.replace(b"\x12\x34\x56\x78", b"\xff\xff\xff\xff"),
    "noise": lambda data: data if data.startswith(ef01.START) else b"",
    "pieces": lambda data: data if len(data) > 9 else b"",
    "sum": lambda data: (
        data[:-1] + bytes([data[-1] & 0xFE | 1]) if data[-3:-1] == b"\x1d\x00" else data
    ),
    "unknown": lambda data: data.replace(b"\x03\xee\x00\xf2", b"\x03\x40\x00\x44"),
}


def _check(name: str) -> Check:
    return next(check for check in CHECKS if check.id == f"ef01.{name}")


@pytest.mark.parametrize("name", DEFECTS)
def test_a_wrong_answer_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    instruction, wrong = DEFECTS[name]
    command = replace(COMMANDS[instruction], run=wrong)
    monkeypatch.setitem(COMMANDS, instruction, command)
    with bench(enrolled={"alice": 3}) as (_, wire), pytest.raises(CheckFailedError):
        _check(name).run(wire, wire)


@pytest.mark.parametrize("name", EARS)
def test_a_wrong_ear_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hear, feed = EARS[name], Ef01.feed
    monkeypatch.setattr(Ef01, "feed", lambda self, data, now_ms: feed(self, hear(data), now_ms))
    with bench() as (_, wire), pytest.raises(CheckFailedError):
        _check(name).run(wire, wire)


def test_every_check_has_a_defect_that_it_finds() -> None:
    assert {f"ef01.{name}" for name in [*DEFECTS, *EARS]} == {check.id for check in CHECKS}
