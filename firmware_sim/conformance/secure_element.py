"""Checks of a secure element (``docs/secure-element.md``).

They know no PIN and try none, so that no try is spent; nothing is made, wiped or counted up. Give
them a locked element: one that has not been unlocked since its power came.
"""

from collections.abc import Callable

from firmware_sim.conformance.check import Check, Person, Wire, expect
from protocol.crypto.curves import P256, point_from_bytes
from protocol.framing import secure_element as wire_format
from protocol.framing.secure_element import Answer, Command, Flag, Instruction, Status

REPLY_S = 1.0
QUIET_S = 0.3
GAP_S = 0.25
SLOTS, COUNTERS = 4, 4
STATUS_BYTES = 12


class _Host:
    """Asks with a new sequence number each time, beginning at one that the element draws."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._sequence = 0
        self._sequence = self.ask(Instruction.RANDOM, 1)[0]

    def command(self, instruction: int, p1: int = 0, data: bytes = b"") -> Command:
        """A command that has not been sent yet."""
        self._sequence = (self._sequence + 1) % 256
        return Command(instruction, p1, 0, data, self._sequence)

    def send(self, command: Command, noise: bytes = b"") -> Answer:
        """Its answer."""
        self.wire.drain(0.02)
        self.wire.send(noise + wire_format.encode_command(command))
        return self.answer(command)

    def answer(self, command: Command) -> Answer:
        """What comes for a command that was sent."""
        body = self._hear()
        answer = wire_format.read_answer(body) if body is not None else None
        expect(answer is not None, "an answer", body or b"")
        answer = answer or Answer(0)
        expect(answer.sequence == command.sequence, "the command's sequence", answer.sequence)
        return answer

    def ask(self, instruction: int, p1: int = 0, data: bytes = b"") -> bytes:
        """The data of a good answer."""
        answer = self.send(self.command(instruction, p1, data))
        expect(answer.status == Status.OK, "status 9000", f"{answer.status:04x}")
        return answer.data

    def is_refused(self, wanted: Status, instruction: int, p1: int = 0, data: bytes = b"") -> None:
        """Expect a command to be refused."""
        answer = self.send(self.command(instruction, p1, data))
        expect(answer.status == wanted, f"status {wanted:04x}", f"{answer.status:04x}")
        expect(answer.data == b"", "no data", answer.data)

    def status(self) -> bytes:
        """What STATUS says."""
        data = self.ask(Instruction.STATUS)
        expect(len(data) == STATUS_BYTES, f"{STATUS_BYTES} bytes", data)
        return data

    def _hear(self) -> bytes | None:
        parser = wire_format.FrameParser()
        while byte := self.wire.receive(1, REPLY_S):
            for item in parser.feed(byte):
                if isinstance(item, bytes):
                    return item
        return None


def _tells_its_state(host: _Host) -> None:
    data = host.status()
    expect(data[0] == 1, "version 1", data)
    expect(not data[1] & Flag.TAMPERED, "an element that nobody has opened", data)
    expect(data[4:] == host.status()[4:], "the same serial number twice", data)


def _draws_randomness(host: _Host) -> None:
    one, two = host.ask(Instruction.RANDOM, 32), host.ask(Instruction.RANDOM, 32)
    expect(len(one) == 32, "32 bytes", one)
    expect(one != two, "other bytes the second time", two)


def _bounds_randomness(host: _Host) -> None:
    for wrong in (0, 65):
        host.is_refused(Status.WRONG_PARAMETER, Instruction.RANDOM, wrong)


def _answers_a_repeat_alike(host: _Host) -> None:
    command = host.command(Instruction.RANDOM, 16)
    first, again = host.send(command), host.send(command)
    expect(first == again, "the first answer again", again.data)


def _is_silent_at_a_wrong_checksum(host: _Host) -> None:
    frame = bytearray(wire_format.encode_command(host.command(Instruction.STATUS)))
    frame[-1] ^= 0x01
    host.wire.drain(0.02)
    host.wire.send(bytes(frame))
    came = host.wire.receive(1, QUIET_S)
    expect(came == b"", "silence", came)


def _passes_over_noise(host: _Host) -> None:
    command = host.command(Instruction.STATUS)
    expect(host.send(command, noise=b"\x00\xa5\xff").status == Status.OK, "an answer", "none")


def _drops_an_unfinished_frame(host: _Host) -> None:
    host.wire.drain(0.02)
    host.wire.send(wire_format.encode_command(host.command(Instruction.STATUS))[:7])
    host.wire.pause(GAP_S)
    host.status()


def _takes_a_frame_in_pieces(host: _Host) -> None:
    command = host.command(Instruction.STATUS)
    host.wire.drain(0.02)
    for value in wire_format.encode_command(command):
        host.wire.send(bytes([value]))
        host.wire.pause(0.005)
    expect(host.answer(command).status == Status.OK, "status 9000", "another")


def _refuses_unknown_instructions(host: _Host) -> None:
    host.is_refused(Status.UNKNOWN_INSTRUCTION, 0x7F)


def _refuses_wrong_lengths(host: _Host) -> None:
    host.is_refused(Status.WRONG_LENGTH, Instruction.STATUS, data=b"x")
    host.is_refused(Status.WRONG_LENGTH, Instruction.VERIFY_PIN, data=b"123")
    host.is_refused(Status.WRONG_LENGTH, Instruction.SIGN, data=bytes(31))


def _signs_nothing_while_locked(host: _Host) -> None:
    flags = host.status()[1]
    expect(not flags & Flag.UNLOCKED, "a locked element", f"flags {flags:02x}")
    host.is_refused(Status.LOCKED, Instruction.SIGN, data=bytes(32))
    host.is_refused(Status.LOCKED, Instruction.GENERATE)


def _counts_nothing_while_locked(host: _Host) -> None:
    before = host.ask(Instruction.COUNTER_READ)
    expect(len(before) == 8, "8 bytes", before)
    host.is_refused(Status.LOCKED, Instruction.COUNTER_INCREMENT)
    after = host.ask(Instruction.COUNTER_READ)
    expect(after == before, "the counter where it was", after)


def _knows_its_bounds(host: _Host) -> None:
    host.is_refused(Status.WRONG_PARAMETER, Instruction.PUBLIC_KEY, SLOTS)
    host.is_refused(Status.WRONG_PARAMETER, Instruction.COUNTER_READ, COUNTERS)


def _tells_which_slots_hold_a_key(host: _Host) -> None:
    mask = host.status()[3]
    for slot in range(SLOTS):
        if not mask & 1 << slot:
            host.is_refused(Status.NO_KEY, Instruction.PUBLIC_KEY, slot)
            continue
        public = host.ask(Instruction.PUBLIC_KEY, slot)
        try:
            point_from_bytes(P256, public)
        except ValueError:
            expect(False, "a point of P-256", public)


def _check(name: str, title: str, clause: str, run: Callable[[_Host], None]) -> Check:
    def talk(wire: Wire, _: Person) -> None:
        run(_Host(wire))

    return Check(f"secure_element.{name}", title, f"docs/secure-element.md, {clause}", talk)


CHECKS = (
    _check("status", "tells its state", "01", _tells_its_state),
    _check("random", "draws randomness", "02", _draws_randomness),
    _check("random_bounds", "draws 1 to 64 bytes", "02", _bounds_randomness),
    _check("repeat", "answers a repeated command alike", "frames", _answers_a_repeat_alike),
    _check("crc", "does not answer a wrong checksum", "frames", _is_silent_at_a_wrong_checksum),
    _check("noise", "passes over noise", "frames", _passes_over_noise),
    _check("unfinished", "drops an unfinished frame", "frames", _drops_an_unfinished_frame),
    _check("pieces", "takes a frame byte by byte", "frames", _takes_a_frame_in_pieces),
    _check("unknown", "refuses unknown instructions", "status", _refuses_unknown_instructions),
    _check("length", "refuses wrong lengths", "status", _refuses_wrong_lengths),
    _check("locked_key", "signs nothing while locked", "22", _signs_nothing_while_locked),
    _check("locked_counter", "counts nothing while locked", "31", _counts_nothing_while_locked),
    _check("bounds", "knows its slots and counters", "21, 30", _knows_its_bounds),
    _check("slots", "tells which slots hold a key", "21", _tells_which_slots_hold_a_key),
)
