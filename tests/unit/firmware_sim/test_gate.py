"""A car park's exit lets out who is released, once, and holds its arm against everybody else."""

from collections.abc import Callable

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.conformance.check import Check, CheckFailedError
from firmware_sim.conformance.gate import CHECKS
from firmware_sim.conformance.running import DEVICE, SimulatedPerson
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.devices.device import Output
from firmware_sim.devices.gate.barrier import Arm, Barrier
from firmware_sim.frames import Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.gate import KIND
from firmware_sim.kinds.kind import JumpBody
from firmware_sim.recording.recorder import Recorder
from firmware_sim.recording.trace import Said
from protocol.errors import CallerError
from protocol.framing import gate as at
from protocol.framing import modbus
from protocol.framing.modbus import Adu

RAISE = modbus.write_coil(1, at.COIL_RAISE, is_on=True)


def asked(gate: Barrier, adu: Adu, now_ms: int = 0) -> Adu:
    [output] = gate.feed(modbus.encode(adu), now_ms)
    [answer] = modbus.FrameParser("response").feed(output.payload)
    assert isinstance(answer, Adu)
    return answer


def release(gate: Barrier, tag: int) -> None:
    asked(gate, modbus.write_registers(1, at.HOLDING_RELEASED, at.words(tag)))


def exit_with(*tags: int) -> Barrier:
    return Barrier(1, 1_000_000, dict.fromkeys(tags, 999_000))


def test_only_who_is_released_and_stands_there_gets_out() -> None:
    gate = exit_with(7, 8)
    assert asked(gate, RAISE).refusal == 3, "nobody stands there"
    gate.drive_up(7)
    assert asked(gate, RAISE).refusal == 3, "not released"
    release(gate, 8)
    assert asked(gate, RAISE).refusal == 3, "another one is released"
    release(gate, 7)
    assert asked(gate, RAISE) == RAISE
    assert asked(gate, RAISE, 100) == RAISE, "said twice is said once"
    with pytest.raises(CallerError):
        gate.drive_out(1_000)
    gate.drive_out(1_500)
    assert (gate.passages, gate.released, sorted(gate.cars)) == (1, 0, [8])
    gate.poll(3_000)
    gate.drive_up(8)
    assert asked(gate, RAISE, 3_000).refusal == 3, "the next car is not let out by the last word"


def test_a_question_that_no_unit_knows_does_not_swallow_what_follows_it_on_the_wire() -> None:
    """Goal: its end is told by the answer; a line's record goes on with the next question."""
    who_are_you = Adu(1, 0x2B, bytes.fromhex("0e0100"))
    with VirtualBoard(board_with("gate", device=DEVICE)) as board:
        recorder = Recorder(board.board, lambda: board.now_ms)
        for question in (who_are_you, modbus.read(1, modbus.READ_COILS, 0, 1), who_are_you):
            board.send(DEVICE, modbus.encode(question))
            board.pass_time(50)
        board.send(DEVICE, modbus.encode(Adu(9, 0x2B, b"\x0e")))
        recorder.end()
    told = [one for one in recorder.recent if isinstance(one, Said)]
    assert [(one.side, one.name) for one in told] == [
        (Side.HOST, "unknown"), (Side.DEVICE, "refused"),
        (Side.HOST, "read_coils"), (Side.DEVICE, "read_coils"),
        (Side.HOST, "unknown"), (Side.DEVICE, "refused"), (Side.HOST, "unknown"),
    ]  # fmt: skip
    assert told[-1].fields["unit"] == 9


def test_a_car_is_told_with_its_entry_and_the_clock() -> None:
    gate = exit_with()
    gate.arrive(70_000, 60_000)
    gate.drive_up(70_000)
    answer = asked(gate, modbus.read(1, modbus.READ_INPUT_REGISTERS, 0, at.REGISTERS), 120_000)
    found = modbus.registers_of(answer)
    assert at.number(*found[:2]) == 70_000
    assert at.number(*found[2:4]) == 1_000_060
    assert at.number(*found[4:6]) == 1_000_120


def test_a_blocked_arm_refuses_and_a_power_cut_lowers_it() -> None:
    gate = exit_with(7)
    gate.drive_up(7)
    release(gate, 7)
    gate.block()
    assert asked(gate, RAISE).refusal == 4
    gate.free()
    asked(gate, RAISE)
    gate.poll(2_000)
    assert gate.arm is Arm.UP
    gate.boot(3_000)
    gate.poll(5_000)
    assert (gate.arm, gate.released) == (Arm.DOWN, 7), "who is released is in flash"


def test_the_clock_is_set_and_the_display_takes_known_words_only() -> None:
    gate = exit_with()
    asked(gate, modbus.write_registers(1, at.HOLDING_CLOCK, at.words(2_000_000)), 10_000)
    answer = asked(gate, modbus.read(1, modbus.READ_HOLDING, at.HOLDING_CLOCK, 2), 15_000)
    assert at.number(*modbus.registers_of(answer)) == 2_000_005
    assert asked(gate, modbus.write_registers(1, at.HOLDING_NOTICE, [9])).refusal == 3
    asked(gate, Adu(1, modbus.WRITE_REGISTER, b"\x00\x04\x00\x02"))
    assert gate.notice == at.NOT_PAID


def checked(check: Check) -> None:
    with VirtualBoard(board_with("gate", device=DEVICE)) as board:
        check.run(VirtualWire(board, DEVICE, KIND.decoder()), SimulatedPerson(board))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_simulated_exit_holds_each_check(check: Check) -> None:
    checked(check)


def _silent(self: Barrier, *_: object) -> list[Output]:
    del self
    return []


BREAKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "inputs": lambda patch: patch.setattr(Barrier, "cells", lambda *_: [False, True, True, False]),
    "registers": lambda patch: patch.setattr(Barrier, "cells", lambda *_: [0]),
    "clock": lambda patch: patch.setattr(Barrier, "_now_s", lambda *_: 5),
    "function": lambda patch: patch.setattr(
        Barrier, "_refuse", lambda _, asked, __: modbus.refuse(asked, 4)
    ),
    "address": lambda patch: patch.setattr(Barrier, "cells", lambda *_: [False] * 9),
    "count": lambda patch: patch.setattr(
        Barrier, "_read", lambda _, asked, __: modbus.refuse(asked, 2)
    ),
    "nobody": lambda patch: patch.setattr(Barrier, "raise_coil", lambda *_: None),
    "coil": lambda patch: patch.setattr(Barrier, "raise_coil", lambda *_: None),
    "crc": lambda patch: patch.setattr(Barrier, "_hear", _silent),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_check_finds_what_it_is_made_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    [check] = [one for one in CHECKS if one.id == f"gate.{name}"]
    BREAKS[name](monkeypatch)
    with pytest.raises(CheckFailedError):
        checked(check)


def test_its_clock_jumps_and_never_below_its_zero() -> None:
    gate = Barrier(1, 5_000)
    jump = KIND.act("jump_clock")
    assert jump is not None
    jump.run(gate, JumpBody(seconds=-3_600), 0)
    clock = gate.cells(modbus.READ_HOLDING, 0)
    assert clock is not None
    assert at.number(*clock[2:4]) == 1_400
    with pytest.raises(CallerError, match="field_invalid"):
        gate.jump(-1_401, 0)


def test_its_wire_is_read_frame_by_frame() -> None:
    decoder = KIND.decoder()
    [frame] = decoder.feed(Side.HOST, modbus.encode(RAISE))
    assert (frame.name, frame.fields["data"]) == ("write_coil", "0000ff00")
    [frame] = decoder.feed(Side.DEVICE, modbus.encode(modbus.refuse(RAISE, 3)))
    assert frame.name == "refused"
