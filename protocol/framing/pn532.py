"""The PN532's frames on its high speed UART (NXP UM0701-02, chapter 6.2).

``00 00 FF | LEN | LCS | TFI | data | DCS | 00``: LEN counts TFI and data, LEN + LCS is 0 modulo
256, and so is the sum from TFI to DCS. Longer data go into an extended frame,
``00 00 FF FF FF | LENM | LENL | LCS | …``. TFI is D4 from the host, D5 from the chip, whose answer
to command *n* begins with *n* + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from protocol.framing.limits import PN532_DATA_BYTES_MAX

PREAMBLE = b"\x00"
START = b"\x00\xff"
POSTAMBLE = b"\x00"
ACK = b"\x00\x00\xff\x00\xff\x00"
NACK = b"\x00\x00\xff\xff\x00\x00"
ERROR = b"\x00\x00\xff\x01\xff\x7f\x81\x00"
WAKE_UP = b"\x55\x55" + bytes(14)
"""Ends the sleep: edges on the line, then as long as the oscillator takes to start."""
HOST, CHIP, SYNTAX_ERROR = 0xD4, 0xD5, 0x7F
_HEADER_BYTES, _EXTENDED_HEADER_BYTES = 4, 7
_NORMAL_LENGTH_MAX = 255


class Code(IntEnum):
    """The first byte of a command."""

    DIAGNOSE = 0x00
    GET_FIRMWARE_VERSION = 0x02
    GET_GENERAL_STATUS = 0x04
    READ_REGISTER = 0x06
    WRITE_REGISTER = 0x08
    READ_GPIO = 0x0C
    WRITE_GPIO = 0x0E
    SET_SERIAL_BAUD_RATE = 0x10
    SET_PARAMETERS = 0x12
    SAM_CONFIGURATION = 0x14
    POWER_DOWN = 0x16
    RF_CONFIGURATION = 0x32
    IN_DATA_EXCHANGE = 0x40
    IN_COMMUNICATE_THRU = 0x42
    IN_DESELECT = 0x44
    IN_JUMP_FOR_PSL = 0x46
    IN_LIST_PASSIVE_TARGET = 0x4A
    IN_RELEASE = 0x52
    IN_SELECT = 0x54
    IN_JUMP_FOR_DEP = 0x56
    IN_AUTO_POLL = 0x60


class Status(IntEnum):
    """The error in bits 0 to 5 of a status byte (table 7.1); bit 6 says that more follows."""

    OK = 0x00
    TIMEOUT = 0x01
    CRC = 0x02
    BUFFER = 0x07
    PARAMETER = 0x10
    FORMAT = 0x13
    AUTHENTICATION = 0x14
    CONTEXT = 0x27


MORE = 0x40
ERROR_BITS = 0x3F


@dataclass(frozen=True, slots=True)
class Data:
    """An information frame: ``payload`` begins with the command's or the answer's code."""

    tfi: int
    payload: bytes
    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Ack:
    """*Understood* from the chip, *stop what you do* from the host."""

    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Nack:
    """*Say it again* from the host."""

    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Damaged:
    """What began as a frame and was not one; ``why`` is for logs."""

    why: str
    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes between frames: preambles, wake-ups and noise."""

    raw: bytes


Item = Data | Ack | Nack | Damaged | Skipped


def encode(tfi: int, payload: bytes) -> bytes:
    """The frame of up to 264 bytes of data, extended where it must be."""
    if len(payload) > PN532_DATA_BYTES_MAX:
        raise ValueError(f"a PN532 frame carries at most {PN532_DATA_BYTES_MAX} bytes")
    body = bytes([tfi]) + payload
    length = len(body)
    if length <= _NORMAL_LENGTH_MAX:
        head = bytes([length, -length & 0xFF])
    else:
        size = length.to_bytes(2, "big")
        head = b"\xff\xff" + size + bytes([-sum(size) & 0xFF])
    return PREAMBLE + START + head + body + bytes([-sum(body) & 0xFF]) + POSTAMBLE


def command(code: int, arguments: bytes | Sequence[int] = b"") -> bytes:
    """The frame of a host's command."""
    return encode(HOST, bytes([code]) + bytes(arguments))


def answer(code: int, content: bytes = b"") -> bytes:
    """The frame of the chip's answer to command ``code``."""
    return encode(CHIP, bytes([code + 1]) + content)


class FrameParser:
    """Bytes in, frames out, for both ends; the buffer never exceeds two frames.

    What turns out damaged is searched again for a start, so that a lost byte does not swallow the
    frame behind it. A lost *zero* leaves the sum as it was, and the postamble falls into the
    checksum's place: only whoever insists on the postamble, as hosts must, can see it. Chips take
    frames without one.
    """

    def __init__(self, *, needs_postamble: bool = False) -> None:
        self._buffer = bytearray()
        self._postamble = POSTAMBLE if needs_postamble else b""

    @property
    def unfinished(self) -> bytes:
        """What has come of a frame that is not complete."""
        return bytes(self._buffer)

    @property
    def is_mid_frame(self) -> bool:
        """Whether a frame has begun and is not complete."""
        return len(self._buffer) >= len(START)

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Item]:
        """The frames that ``data`` completes, and what lay between them."""
        found: list[Item] = []
        for start in range(0, len(data), PN532_DATA_BYTES_MAX):
            self._buffer += data[start : start + PN532_DATA_BYTES_MAX]
            while (item := self._next()) is not None:
                found.append(item)
        return found

    def _next(self) -> Item | None:
        buffer = self._buffer
        at = buffer.find(START)
        if at < 0:
            at = len(buffer) - buffer.endswith(START[:1])
        if at > 0:
            return Skipped(self._take(at))
        if len(buffer) < _HEADER_BYTES:
            return None
        size, check = buffer[2], buffer[3]
        if (size, check) == (0x00, 0xFF):
            return Ack(self._take(_HEADER_BYTES))
        if (size, check) == (0xFF, 0x00):
            return Nack(self._take(_HEADER_BYTES))
        if (size, check) == (0xFF, 0xFF):
            if len(buffer) < _EXTENDED_HEADER_BYTES:
                return None
            return self._body(_EXTENDED_HEADER_BYTES, buffer[4] << 8 | buffer[5], sum(buffer[4:7]))
        return self._body(_HEADER_BYTES, size, size + check)

    def _body(self, header: int, length: int, checked: int) -> Item | None:
        if checked & 0xFF or not 1 <= length <= PN532_DATA_BYTES_MAX + 1:
            return Damaged("length", self._take(len(START)))
        end = header + length + 1
        if len(self._buffer) < end + len(self._postamble):
            return None
        body = bytes(self._buffer[header:end])
        if sum(body) & 0xFF:
            return Damaged("sum", self._take(len(START)))
        if not self._buffer.startswith(self._postamble, end):
            return Damaged("postamble", self._take(len(START)))
        return Data(body[0], body[1:-1], self._take(end))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken
