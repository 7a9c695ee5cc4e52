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
FOR_UART = b"\x00"
READ_S = 3.0


def _ask(wire: Wire, command: gm65.Command, count: int) -> bytes:
    wire.drain(0.02)
    wire.send(gm65.encode_command(command))
    return wire.receive(count, REPLY_S)


def _read(wire: Wire, address: int, count: int = 1) -> bytes:
    answer = _ask(wire, gm65.read(address, count), 6 + count)
    data = answer[4:-2]
    is_whole = len(data) == count and answer == gm65.encode_reply(gm65.Reply(0, data))
    expect(is_whole, f"a reply with {count} data bytes and its CRC", answer)
    return data


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
    _dresses(wire, person, {gm65.REG_TAIL: b"\x01"}, CODE.encode() + b"\r")


def _reads_all_registers(wire: Wire, _: Person) -> None:
    mode = _read(wire, gm65.REG_MODE)
    whole = _read(wire, 0, 256)
    expect(whole[:1] == mode, "the mode register first", whole[:8])


def _writes_two_registers(wire: Wire, _: Person) -> None:
    before = _read(wire, gm65.REG_INTERVAL, 2)
    wanted = bytes(value ^ 0x01 for value in before)
    try:
        _write(wire, gm65.REG_INTERVAL, wanted)
        kept = _read(wire, gm65.REG_INTERVAL, 2)
        expect(kept == wanted, wanted.hex(), kept)
    finally:
        _write(wire, gm65.REG_INTERVAL, before)


def _keeps_its_identity(wire: Wire, _: Person) -> None:
    before = _read(wire, gm65.REG_VERSION)
    wire.drain(0.02)
    wire.send(gm65.encode_command(gm65.write(gm65.REG_VERSION, bytes([before[0] ^ 0xFF]))))
    wire.drain(QUIET_S)
    after = _read(wire, gm65.REG_VERSION)
    expect(after == before, before.hex(), after)


def _sleeps_lightly_and_wakes(wire: Wire, _: Person) -> None:
    _write(wire, gm65.REG_CONTROL, bytes([gm65.CONTROL_LIGHT_SLEEP]))
    wire.pause(0.1)
    wire.send(gm65.encode_command(gm65.write(gm65.REG_CONTROL, bytes([gm65.CONTROL_WAKE]))))
    wire.drain(QUIET_S)
    _read(wire, gm65.REG_MODE)


def _dresses(wire: Wire, person: Person, registers: dict[int, bytes], said: bytes) -> None:
    """With these registers for a while, a code of ``CODE`` is printed so."""
    wanted = {gm65.REG_MODE: COMMAND_MODE, gm65.REG_OUTPUT: FOR_UART, **registers}
    before = {address: _read(wire, address, len(data)) for address, data in wanted.items()}
    try:
        for address, data in wanted.items():
            _write(wire, address, data)
        person.do("present", text=CODE)
        try:
            _write(wire, gm65.REG_TRIGGER, b"\x01")
            came = wire.receive(len(said) or 1, READ_S)
            expect(came == said, said.hex(" ") or "nothing", came)
        finally:
            person.do("take_away")
    finally:
        wire.drain(QUIET_S)
        _write(wire, gm65.REG_TRIGGER, b"\x00")
        for address, data in before.items():
            _write(wire, address, data)


def _prints_prefix_letter_and_suffix(wire: Wire, person: Person) -> None:
    registers = {
        gm65.REG_TAIL: b"\x2f", gm65.REG_LENGTHS: b"\x12", gm65.REG_PREFIX: b"<",
        gm65.REG_SUFFIX: b">!",
    }  # fmt: skip
    _dresses(wire, person, registers, b"<Q" + CODE.encode() + b">!\r\n")


def _cuts_a_part(wire: Wire, person: Person) -> None:
    registers = {gm65.REG_TAIL: b"\x01", gm65.REG_CUT: b"\x03\x08\x05"}
    _dresses(wire, person, registers, CODE.encode()[8:-5] + b"\r")


def _reads_nothing_when_all_is_forbidden(wire: Wire, person: Person) -> None:
    registers = {gm65.REG_SYMBOLOGIES: b"\x01", gm65.REG_READ_TIME: b"\x0a"}
    _dresses(wire, person, registers, b"")


def _obeys_a_stop(wire: Wire, person: Person) -> None:
    mode = _read(wire, gm65.REG_MODE)
    try:
        _write(wire, gm65.REG_MODE, COMMAND_MODE)
        _write(wire, gm65.REG_TRIGGER, b"\x01")
        _write(wire, gm65.REG_TRIGGER, b"\x00")
        person.do("present", text=CODE)
        try:
            came = wire.receive(1, 1.0)
            expect(came == b"", "nothing after the stop", came)
        finally:
            person.do("take_away")
    finally:
        _write(wire, gm65.REG_MODE, mode)


def _check(name: str, title: str, chapter: str, run: Callable[[Wire, Person], None]) -> Check:
    return Check(f"gm65.{name}", title, f"GM65 manual V1.3, {chapter}", run)


def _by_hand(name: str, title: str, chapter: str, run: Callable[[Wire, Person], None]) -> Check:
    return replace(_check(name, title, chapter, run), needs_person=True)


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
    _check("read_all", "reads 256 registers at once", "2.1", _reads_all_registers),
    _check("write_two", "writes two registers at once", "2.2", _writes_two_registers),
    _check("identity", "does not let its version be written", "2.2", _keeps_its_identity),
    _check("sleep", "sleeps lightly and is woken", "register 00D9", _sleeps_lightly_and_wakes),
    _by_hand("stop", "stops when it is told to", "4.2", _obeys_a_stop),
    _by_hand("dress", "prints prefix, letter, suffix", "7", _prints_prefix_letter_and_suffix),
    _by_hand("cut", "prints a part of the code", "7.5", _cuts_a_part),
    _by_hand("forbid", "reads nothing that is off", "8", _reads_nothing_when_all_is_forbidden),
    _by_hand("code", "prints a code on command", "4.2", _reads_a_code_on_command),
)
