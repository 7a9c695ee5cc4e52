"""The frames of the secure element on a serial line: small commands and answers, after ISO 7816-4.

``A5 5A | length(2) | body | CRC-16/XMODEM(2)``; length counts the body, the checksum covers length
and body, numbers are big-endian. A command's body is ``sequence | instruction | P1 | P2 | data``,
an answer's ``sequence | data | status(2)`` with the command's sequence and an ISO 7816-4 status.

A frame that is damaged gets no answer. A command that comes twice in a row, sequence and all, is
carried out once and answered twice alike: whoever did not hear the answer may ask again, and
nothing is signed, counted or tried twice. ``docs/secure-element.md`` says what each command does.
"""

from dataclasses import dataclass
from enum import IntEnum

from protocol.framing.crc16 import crc16_xmodem
from protocol.framing.limits import ELEMENT_BODY_BYTES_MAX

START = b"\xa5\x5a"
_HEADER_BYTES, _CRC_BYTES = 4, 2
_COMMAND_BYTES_MIN, _ANSWER_BYTES_MIN = 4, 3


class Instruction(IntEnum):
    """What can be asked."""

    STATUS = 0x01
    RANDOM = 0x02
    INITIALISE = 0x10
    VERIFY_PIN = 0x11
    CHANGE_PIN = 0x12
    LOCK = 0x13
    GENERATE = 0x20
    PUBLIC_KEY = 0x21
    SIGN = 0x22
    DELETE = 0x23
    KEY_INFO = 0x24
    COUNTER_READ = 0x30
    COUNTER_INCREMENT = 0x31


class Status(IntEnum):
    """How it went. A wrong PIN is ``63C0`` plus the tries that are left."""

    OK = 0x9000
    WRONG_PIN = 0x63C0
    WRONG_LENGTH = 0x6700
    LOCKED = 0x6982
    BLOCKED = 0x6983
    NOT_NOW = 0x6985
    WRONG_PARAMETER = 0x6A86
    NO_KEY = 0x6A88
    KEY_EXISTS = 0x6A89
    UNKNOWN_INSTRUCTION = 0x6D00


class Flag(IntEnum):
    """The bits of the second byte that STATUS answers."""

    INITIALISED = 0x01
    UNLOCKED = 0x02
    TAMPERED = 0x04
    CASE_OPEN = 0x08


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    instruction: int
    p1: int = 0
    p2: int = 0
    data: bytes = b""
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer."""

    status: int
    data: bytes = b""
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class Damaged:
    """A frame whose length or checksum is wrong; ``why`` is for logs."""

    why: str


def encode_command(command: Command) -> bytes:
    """The frame of a command."""
    head = bytes((command.sequence, command.instruction, command.p1, command.p2))
    return encode(head + command.data)


def encode_answer(answer: Answer) -> bytes:
    """The frame of an answer."""
    return encode(bytes((answer.sequence,)) + answer.data + answer.status.to_bytes(2, "big"))


def read_command(body: bytes) -> Command | None:
    """The command that a body is; ``None`` if it is too short."""
    if len(body) < _COMMAND_BYTES_MIN:
        return None
    sequence, instruction, p1, p2 = body[:4]
    return Command(instruction, p1, p2, body[4:], sequence)


def read_answer(body: bytes) -> Answer | None:
    """The answer that a body is; ``None`` if it is too short."""
    if len(body) < _ANSWER_BYTES_MIN:
        return None
    return Answer(int.from_bytes(body[-2:], "big"), body[1:-2], body[0])


def encode(body: bytes) -> bytes:
    """The frame around a body."""
    if not 0 < len(body) <= ELEMENT_BODY_BYTES_MAX:
        raise ValueError(f"a body has 1 to {ELEMENT_BODY_BYTES_MAX} bytes")
    covered = len(body).to_bytes(2, "big") + body
    return START + covered + crc16_xmodem(covered).to_bytes(2, "big")


class FrameParser:
    """Bytes in, bodies out. What is no frame is passed over; the next start is looked for."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def unfinished(self) -> bytes:
        """What has come of a frame that is not complete."""
        return bytes(self._buffer)

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and not ended."""
        return len(self._buffer) >= len(START)

    def feed(self, data: bytes) -> list[bytes | Damaged]:
        """The bodies that ``data`` completes, and the damage it shows."""
        self._buffer += data
        found: list[bytes | Damaged] = []
        while (item := self._next()) is not None:
            found.append(item)
        return found

    def clear(self) -> None:
        """Drop a frame that was not finished in time."""
        self._buffer.clear()

    def _next(self) -> bytes | Damaged | None:
        start = self._buffer.find(START)
        if start < 0:
            keeps = self._buffer[-1:] == START[:1]
            del self._buffer[: len(self._buffer) - keeps]
            return None
        del self._buffer[:start]
        if len(self._buffer) < _HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[2:4], "big")
        if not 0 < length <= ELEMENT_BODY_BYTES_MAX:
            return self._damaged("length")
        end = _HEADER_BYTES + length
        if len(self._buffer) < end + _CRC_BYTES:
            return None
        crc = int.from_bytes(self._buffer[end : end + _CRC_BYTES], "big")
        if crc16_xmodem(bytes(self._buffer[2:end])) != crc:
            return self._damaged("checksum")
        body = bytes(self._buffer[_HEADER_BYTES:end])
        del self._buffer[: end + _CRC_BYTES]
        return body

    def _damaged(self, why: str) -> Damaged:
        del self._buffer[: len(START)]
        return Damaged(why)
