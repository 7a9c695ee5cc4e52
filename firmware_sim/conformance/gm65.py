"""Checks of a GM65 scanner (GM65 user manual V1.3, chapters 2 and 4)."""

from collections.abc import Callable
from dataclasses import replace

from firmware_sim.conformance.check import Check, Person, Wire, expect
from protocol.framing import gm65

REPLY_S = 1.0
QUIET_S = 0.3
ACK = gm65.encode_reply(gm65.Reply(gm65.STATUS_OK, b"\x00"))
CODE = "TILLWAY-CHECK-0001"
COMMAND_MODE = b"\xd5"
READ_S = 3.0


def _ask(wire: Wire, command: gm65.Command, count: int) -> bytes:
    wire.drain(0.02)
    wire.send(gm65.encode_command(command))
    return wire.receive(count, REPLY_S)


def _read(wire: Wire, address: int, count: int = 1) -> bytes:
    answer = _ask(wire, gm65.read(address, count), 6 + count)
    whole = gm65.encode_reply(gm65.Reply(gm65.STATUS_OK, answer[4 : 4 + count]))
    expect(answer == whole, f"a reply with {count} data bytes and its CRC", answer)
    return answer[4 : 4 + count]


def _write(wire: Wire, address: int, data: bytes) -> None:
    answer = _ask(wire, gm65.write(address, data), len(ACK))
    expect(answer == ACK, f"the acknowledgement {ACK.hex(' ')}", answer)


def _reads_a_register(wire: Wire, _: Person) -> None:
    _read(wire, gm65.REG_MODE)


def _reads_a_zone(wire: Wire, _: Person) -> None:
    one_by_one = b"".join(_read(wire, address) for address in range(4))
    together = _read(wire, 0, 4)
    expect(together == one_by_one, f"the same as one by one: {one_by_one.hex(' ')}", together)


def _keeps_what_is_written(wire: Wire, _: Person) -> None:
    before = _read(wire, gm65.REG_READ_TIME)
    wanted = bytes([before[0] ^ 0x01])
    try:
        _write(wire, gm65.REG_READ_TIME, wanted)
        kept = _read(wire, gm65.REG_READ_TIME)
        expect(kept == wanted, wanted.hex(), kept)
    finally:
        _write(wire, gm65.REG_READ_TIME, before)


def _accepts_the_open_checksum(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(bytes.fromhex("7e 00 07 01 00 00 01 ab cd"))
    answer = wire.receive(7, REPLY_S)
    expect(len(answer) == 7 and answer[:2] == gm65.REPLY_START, "a reply", answer)


def _is_silent_at_a_wrong_checksum(wire: Wire, _: Person) -> None:
    frame = bytearray(gm65.encode_command(gm65.read(gm65.REG_MODE)))
    frame[-1] ^= 0x01
    wire.drain(0.02)
    wire.send(bytes(frame))
    answer = wire.receive(1, QUIET_S)
    expect(answer == b"", "silence", answer)


def _ignores_bytes_outside_frames(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(b"\x00\xffnoise" + gm65.encode_command(gm65.read(gm65.REG_MODE)))
    answer = wire.receive(7, REPLY_S)
    expect(answer[:2] == gm65.REPLY_START and len(answer) == 7, "a reply", answer)


def _drops_an_unfinished_frame(wire: Wire, _: Person) -> None:
    wire.drain(0.02)
    wire.send(gm65.encode_command(gm65.read(gm65.REG_MODE))[:5])
    wire.pause(0.6)  # a frame not finished within 400 ms is dropped
    _read(wire, gm65.REG_MODE)


def _takes_a_frame_in_pieces(wire: Wire, _: Person) -> None:
    frame = gm65.encode_command(gm65.read(gm65.REG_MODE))
    wire.drain(0.02)
    for start in range(len(frame)):
        wire.send(frame[start : start + 1])
        wire.pause(0.005)
    answer = wire.receive(7, REPLY_S)
    expect(len(answer) == 7, "a reply", answer)


def _says_its_rate(wire: Wire, _: Person) -> None:
    divisor = int.from_bytes(_read(wire, gm65.REG_BAUD, 2), "little")
    expect(0 < divisor <= 0x09C4, "a divisor of 3,000,000 between 1 and 2500", divisor)


def _gives_up_in_time(wire: Wire, _: Person) -> None:
    mode, limit = _read(wire, gm65.REG_MODE), _read(wire, gm65.REG_READ_TIME)
    try:
        _write(wire, gm65.REG_MODE, COMMAND_MODE)
        _write(wire, gm65.REG_READ_TIME, b"\x05")
        _write(wire, gm65.REG_TRIGGER, b"\x01")
        wire.pause(1.0)
        wire.drain(0.02)
        left = _read(wire, gm65.REG_TRIGGER)
        expect(left[0] & 1 == 0, "the trigger bit cleared after 0.5 s", left)
    finally:
        _write(wire, gm65.REG_READ_TIME, limit)
        _write(wire, gm65.REG_MODE, mode)


def _reads_a_code_on_command(wire: Wire, person: Person) -> None:
    mode, tail = _read(wire, gm65.REG_MODE), _read(wire, gm65.REG_TAIL)
    try:
        _write(wire, gm65.REG_MODE, COMMAND_MODE)
        _write(wire, gm65.REG_TAIL, b"\x01")
        person.do("present", text=CODE)
        _write(wire, gm65.REG_TRIGGER, b"\x01")
        code = wire.receive(len(CODE) + 1, READ_S)
        expect(code == CODE.encode() + b"\r", f"{CODE} and CR", code)
    finally:
        wire.drain(QUIET_S)
        _write(wire, gm65.REG_TAIL, tail)
        _write(wire, gm65.REG_MODE, mode)


def _check(name: str, title: str, chapter: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"gm65.{name}", title, f"GM65 manual V1.3, {chapter}", run)


CHECKS = (
    _check("read", "reads a register", "2.1", _reads_a_register),
    _check("read_zone", "reads several registers at once", "2.1", _reads_a_zone),
    _check("write", "keeps what is written", "2.2", _keeps_what_is_written),
    _check("rate", "says its rate", "3.1", _says_its_rate),
    _check("crc_open", "takes AB CD for any checksum", "2", _accepts_the_open_checksum),
    _check("crc_wrong", "does not answer a wrong checksum", "2", _is_silent_at_a_wrong_checksum),
    _check("noise", "ignores bytes outside a frame", "2", _ignores_bytes_outside_frames),
    _check("unfinished", "drops a frame not finished in 400 ms", "2", _drops_an_unfinished_frame),
    _check("pieces", "takes a frame byte by byte", "2", _takes_a_frame_in_pieces),
    _check("read_time", "gives up after the read time", "4.2", _gives_up_in_time),
    replace(
        _check("code", "prints a code on command", "4.2", _reads_a_code_on_command),
        needs_person=True,
    ),
)
