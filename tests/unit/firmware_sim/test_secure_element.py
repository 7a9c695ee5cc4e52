"""Goal: the element keeps its keys, spends its tries, never counts down, forgets when opened."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.devices.secure_element import (
    COUNTER_VALUE_MAX,
    PIN_TRIES_MAX,
    SecureElement,
)
from firmware_sim.frames import JUNK, Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.secure_element import KIND, ElementDecoder
from protocol.crypto.p256 import P256Verifier
from protocol.framing import secure_element as wire
from protocol.framing.secure_element import Answer, Command, Flag, Instruction, Status

PIN = b"123456"
MESSAGE = b"a message"
DIGEST = hashlib.sha256(MESSAGE).digest()


@dataclass
class Host:
    """Asks an element with a new sequence number each time."""

    element: SecureElement = field(default_factory=lambda: SecureElement(b"seed"))
    now_ms: int = 1000
    sequence: int = 0

    def send(self, command: Command) -> Answer:
        [output] = self.element.feed(wire.encode_command(command), self.now_ms)
        self.now_ms = output.at_ms
        [body] = wire.FrameParser().feed(output.payload)
        assert isinstance(body, bytes)
        answer = wire.read_answer(body)
        assert answer is not None
        assert answer.sequence == command.sequence
        return answer

    def ask(self, instruction: int, p1: int = 0, data: bytes = b"") -> Answer:
        self.sequence = (self.sequence + 1) % 256
        return self.send(Command(instruction, p1, 0, data, self.sequence))

    def done(self, instruction: int, p1: int = 0, data: bytes = b"") -> bytes:
        answer = self.ask(instruction, p1, data)
        assert answer.status == Status.OK, f"{answer.status:04x}"
        return answer.data

    def status(self, instruction: int, p1: int = 0, data: bytes = b"") -> int:
        answer = self.ask(instruction, p1, data)
        assert answer.status == Status.OK or answer.data == b""
        return answer.status


@pytest.fixture
def host() -> Host:
    """An initialised, locked element."""
    host = Host()
    host.element.initialise(PIN)
    host.element.boot(0)
    return host


@pytest.fixture
def unlocked(host: Host) -> Host:
    host.done(Instruction.VERIFY_PIN, data=PIN)
    return host


def test_a_signature_verifies_under_the_key_that_was_made(unlocked: Host) -> None:
    public = unlocked.done(Instruction.GENERATE, 2)
    assert public == unlocked.done(Instruction.PUBLIC_KEY, 2)
    signature = unlocked.done(Instruction.SIGN, 2, DIGEST)
    assert P256Verifier(public).verify(signature, MESSAGE)
    assert not P256Verifier(public).verify(signature, b"another")
    assert unlocked.done(Instruction.SIGN, 2, DIGEST) == signature
    assert int.from_bytes(unlocked.done(Instruction.KEY_INFO, 2)) == 2


def test_signatures_are_those_of_rfc_6979() -> None:
    """RFC 6979, A.2.5: P-256 with SHA-256, the message "sample"."""
    from protocol.crypto.p256 import P256Signer

    private = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
    signature = P256Signer(private).sign_digest(hashlib.sha256(b"sample").digest())
    assert signature.hex().upper() == (
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    )


def test_every_slot_has_its_own_key_and_two_elements_share_none(unlocked: Host) -> None:
    keys = {unlocked.done(Instruction.GENERATE, slot) for slot in range(4)}
    other = Host(SecureElement(b"another seed"))
    other.element.initialise(PIN)
    other.done(Instruction.VERIFY_PIN, data=PIN)
    assert len(keys | {other.done(Instruction.GENERATE, 0)}) == 5
    assert unlocked.status(Instruction.GENERATE, 0) == Status.KEY_EXISTS
    assert unlocked.done(Instruction.STATUS)[3] == 0b1111


def test_a_deleted_key_is_gone(unlocked: Host) -> None:
    old = unlocked.done(Instruction.GENERATE, 0)
    unlocked.done(Instruction.DELETE, 0)
    assert unlocked.status(Instruction.SIGN, 0, DIGEST) == Status.NO_KEY
    assert unlocked.done(Instruction.GENERATE, 0) != old


@pytest.mark.parametrize(
    "instruction",
    [Instruction.SIGN, Instruction.GENERATE, Instruction.DELETE, Instruction.COUNTER_INCREMENT],
)
def test_nothing_is_used_without_the_pin(host: Host, instruction: Instruction) -> None:
    data = DIGEST if instruction is Instruction.SIGN else b""
    assert host.status(instruction, 0, data) == Status.LOCKED


def test_it_is_locked_again_by_a_word_a_wrong_pin_or_a_power_cut(unlocked: Host) -> None:
    def is_unlocked() -> bool:
        return bool(unlocked.done(Instruction.STATUS)[1] & Flag.UNLOCKED)

    unlocked.done(Instruction.LOCK)
    assert not is_unlocked()
    unlocked.done(Instruction.VERIFY_PIN, data=PIN)
    assert is_unlocked()
    unlocked.status(Instruction.VERIFY_PIN, data=b"000000")
    assert not is_unlocked()
    unlocked.done(Instruction.VERIFY_PIN, data=PIN)
    unlocked.element.boot(unlocked.now_ms)
    assert not is_unlocked()


def test_wrong_pins_spend_tries_until_none_is_left_and_a_right_one_gives_them_back(
    host: Host,
) -> None:
    wrong = [host.status(Instruction.VERIFY_PIN, data=b"000000") for _ in range(PIN_TRIES_MAX - 1)]
    assert wrong == [0x63C4, 0x63C3, 0x63C2, 0x63C1]
    host.done(Instruction.VERIFY_PIN, data=PIN)
    for _ in range(PIN_TRIES_MAX):
        host.element.boot(host.now_ms)  # a power cut gives no try back
        host.status(Instruction.VERIFY_PIN, data=b"000000")
    assert host.status(Instruction.VERIFY_PIN, data=PIN) == Status.BLOCKED
    assert host.done(Instruction.STATUS)[2] == 0


def test_a_blocked_element_starts_anew_without_its_keys(unlocked: Host) -> None:
    unlocked.done(Instruction.GENERATE, 0)
    unlocked.done(Instruction.COUNTER_INCREMENT, 0)
    for _ in range(PIN_TRIES_MAX):
        unlocked.status(Instruction.VERIFY_PIN, data=b"000000")
    unlocked.done(Instruction.INITIALISE, data=b"new-pin")
    unlocked.done(Instruction.VERIFY_PIN, data=b"new-pin")
    assert unlocked.status(Instruction.PUBLIC_KEY, 0) == Status.NO_KEY
    assert int.from_bytes(unlocked.done(Instruction.COUNTER_READ, 0)) == 1


def test_a_stranger_does_not_initialise_it(host: Host) -> None:
    assert host.status(Instruction.INITIALISE, data=b"mine!") == Status.NOT_NOW


def test_the_pin_changes_only_for_who_knows_it(host: Host) -> None:
    wrong = bytes([6]) + b"000000" + b"abcdef"
    assert host.status(Instruction.CHANGE_PIN, data=wrong) == 0x63C4
    assert host.status(Instruction.CHANGE_PIN, data=bytes([6]) + PIN + b"abc") == (
        Status.WRONG_LENGTH
    )
    host.done(Instruction.CHANGE_PIN, data=bytes([6]) + PIN + b"abcdef")
    host.done(Instruction.VERIFY_PIN, data=b"abcdef")


def test_counters_rise_one_by_one_and_never_fall(unlocked: Host) -> None:
    values = [int.from_bytes(unlocked.done(Instruction.COUNTER_INCREMENT, 1)) for _ in range(3)]
    assert values == [1, 2, 3]
    unlocked.element.boot(unlocked.now_ms)
    unlocked.element.open_case()
    assert int.from_bytes(unlocked.done(Instruction.COUNTER_READ, 1)) == 3
    assert unlocked.element.counters == [0, 3, 0, 0]


def test_a_counter_at_its_end_stays_there(unlocked: Host) -> None:
    unlocked.element._counters[0] = COUNTER_VALUE_MAX
    assert unlocked.status(Instruction.COUNTER_INCREMENT, 0) == Status.NOT_NOW


def test_an_opened_case_wipes_keys_and_pin_for_good(unlocked: Host) -> None:
    unlocked.done(Instruction.GENERATE, 0)
    unlocked.element.open_case()
    assert unlocked.done(Instruction.STATUS)[1] == Flag.TAMPERED | Flag.CASE_OPEN
    assert unlocked.status(Instruction.VERIFY_PIN, data=PIN) == Status.NOT_NOW
    assert unlocked.status(Instruction.INITIALISE, data=PIN) == Status.NOT_NOW
    unlocked.element.close_case()
    assert unlocked.status(Instruction.PUBLIC_KEY, 0) == Status.NOT_NOW
    unlocked.done(Instruction.INITIALISE, data=PIN)
    assert unlocked.status(Instruction.PUBLIC_KEY, 0) == Status.NO_KEY
    assert unlocked.done(Instruction.STATUS)[1] == Flag.INITIALISED


def test_a_repeated_command_is_carried_out_once(unlocked: Host) -> None:
    command = Command(Instruction.COUNTER_INCREMENT, sequence=77)
    assert unlocked.send(command) == unlocked.send(command)
    assert unlocked.element.counters[0] == 1
    wrong = Command(Instruction.VERIFY_PIN, data=b"000000", sequence=78)
    assert unlocked.send(wrong) == unlocked.send(wrong)
    assert unlocked.element.tries_left == PIN_TRIES_MAX - 1


@pytest.mark.parametrize(
    ("instruction", "p1", "data", "status"),
    [
        (Instruction.RANDOM, 0, b"", Status.WRONG_PARAMETER),
        (Instruction.RANDOM, 65, b"", Status.WRONG_PARAMETER),
        (Instruction.PUBLIC_KEY, 4, b"", Status.WRONG_PARAMETER),
        (Instruction.GENERATE, 4, b"", Status.WRONG_PARAMETER),
        (Instruction.COUNTER_READ, 4, b"", Status.WRONG_PARAMETER),
        (Instruction.COUNTER_INCREMENT, 4, b"", Status.WRONG_PARAMETER),
        (Instruction.SIGN, 0, bytes(31), Status.WRONG_LENGTH),
        (Instruction.STATUS, 0, b"x", Status.WRONG_LENGTH),
        (Instruction.INITIALISE, 0, b"123", Status.WRONG_LENGTH),
        (0x99, 0, b"", Status.UNKNOWN_INSTRUCTION),
    ],
)
def test_wrong_words_have_their_status(
    unlocked: Host, instruction: int, p1: int, data: bytes, status: Status
) -> None:
    assert unlocked.status(instruction, p1, data) == status


def test_damage_is_silence_and_an_unfinished_frame_is_dropped_in_time(host: Host) -> None:
    frame = wire.encode_command(Command(Instruction.STATUS, sequence=1))
    for at in range(len(frame)):
        broken = bytearray(frame)
        broken[at] ^= 0x10
        element = SecureElement(b"x")
        assert element.feed(bytes(broken), 0) == [], at
    assert host.element.feed(frame[:6], host.now_ms) == []
    assert len(host.element.feed(frame, host.now_ms + 201)) == 1


@pytest.fixture
def bench() -> Iterator[VirtualBoard]:
    entry = KIND.entry.model_validate({"kind": "secure_element", "pin": "123456"})
    with VirtualBoard(BoardFile("safe", {"element": BoardDevice(KIND, entry)})) as bench:
        yield bench


def test_people_open_the_case_on_a_board(bench: VirtualBoard) -> None:
    assert bench.state("element")["is_initialised"]
    assert bench.do("element", "open_case")["is_tampered"]
    state = bench.do("element", "close_case")
    assert (state["is_case_open"], state["is_initialised"], state["tries_left"]) == (
        False,
        False,
        0,
    )


def test_the_wire_is_read_without_the_pin() -> None:
    decoder = ElementDecoder()
    told = wire.encode_command(Command(Instruction.VERIFY_PIN, data=PIN, sequence=9))
    [pin] = decoder.feed(Side.HOST, told)
    assert pin.name == "verify_pin"
    assert PIN.hex() not in pin.describe()
    assert "*" * 2 * len(PIN) in pin.hex()
    [answer] = decoder.feed(Side.DEVICE, wire.encode_answer(Answer(0x63C4, b"", 9)))
    assert answer.fields == {"sequence": 9, "status": "63c4", "data": ""}
    broken = bytearray(told)
    broken[-1] ^= 1
    [junk] = decoder.feed(Side.HOST, bytes(broken))
    assert (junk.name, junk.is_valid) == (JUNK, False)
