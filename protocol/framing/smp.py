"""The simple management protocol of MCUmgr, as it travels on a serial line.

A message is ``op and version | flags | length(2) | group(2) | sequence | command | CBOR map``
(Zephyr "SMP protocol specification"). On the line (Zephyr "SMP over console") it goes as
``length(2) | message | CRC-16/XMODEM(2)`` in base64, cut into lines: the first begins with
``06 09``, the others with ``04 14``, each ends with LF. Length counts message and CRC.

Whatever else is on the line is console text: ``LineParser`` gives it back line by line.
"""

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from protocol import cbor
from protocol.errors import CallerError
from protocol.framing.crc16 import crc16_xmodem
from protocol.framing.limits import (
    SMP_LINE_BYTES_MAX,
    SMP_MESSAGE_BYTES_MAX,
    SMP_RAW_BYTES_MAX,
)

START, CONTINUE = b"\x06\x09", b"\x04\x14"
LINE_BYTES = 127
HEADER_BYTES = 8
_HEADER = struct.Struct(">BBHHBB")
_CHARS_PER_LINE = (LINE_BYTES - 3) // 4 * 4
_VERSION_SHIFT, _VERSION_MASK, _OP_MASK = 3, 0b11, 0b111


class Op(IntEnum):
    """What a message is; the answer of a request is one more."""

    READ = 0
    READ_ANSWER = 1
    WRITE = 2
    WRITE_ANSWER = 3


class Group(IntEnum):
    """The groups of commands known here."""

    OS = 0
    IMAGE = 1
    ENUMERATION = 10


class Error(IntEnum):
    """The general error codes (``mcumgr_err_t``)."""

    UNKNOWN = 1
    INVALID = 3
    NO_ENTRY = 5
    BAD_STATE = 6
    MESSAGE_SIZE = 7
    NOT_SUPPORTED = 8
    TOO_NEW = 13


class ImageError(IntEnum):
    """The error codes of the image group (``img_mgmt_err_code_t``)."""

    HASH_NOT_FOUND = 8
    NO_FREE_SLOT = 9
    INVALID_SLOT = 14
    INVALID_OFFSET = 20
    INVALID_LENGTH = 21
    INVALID_HEADER = 22
    INVALID_MAGIC = 23
    INVALID_HASH = 24
    CURRENT_IS_NEWER = 27
    ALREADY_PENDING = 28
    TOO_LARGE = 30
    DATA_OVERRUN = 31
    TEST_OF_ACTIVE = 33


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``version`` 0 is the first protocol, 1 the second; the body is a CBOR map."""

    op: int
    group: int
    command: int
    body: bytes
    sequence: int = 0
    version: int = 1

    def fields(self) -> dict[int | str, Any] | None:
        """The body as a map; ``None`` if it is not one."""
        try:
            value = cbor.decode(self.body, bytes_max=SMP_MESSAGE_BYTES_MAX, allow_indefinite=True)
        except CallerError:
            return None
        return value if isinstance(value, dict) else None


def message(
    op: Op, group: int, command: int, fields: Mapping[str, object], *, sequence: int = 0
) -> Message:
    """A message of the second protocol."""
    return Message(op, group, command, cbor.encode(dict(fields)), sequence)


def pack(sent: Message) -> bytes:
    """Header and body."""
    first = sent.version << _VERSION_SHIFT | sent.op
    return (
        _HEADER.pack(first, 0, len(sent.body), sent.group, sent.sequence, sent.command) + sent.body
    )


def unpack(data: bytes) -> Message | None:
    """The message that ``data`` is; ``None`` if its length is not what it says."""
    if len(data) < HEADER_BYTES:
        return None
    first, _, length, group, sequence, command = _HEADER.unpack_from(data)
    if length != len(data) - HEADER_BYTES:
        return None
    version = first >> _VERSION_SHIFT & _VERSION_MASK
    return Message(first & _OP_MASK, group, command, data[HEADER_BYTES:], sequence, version)


def encode(sent: Message) -> bytes:
    """The lines of a message."""
    packed = pack(sent)
    whole = (len(packed) + 2).to_bytes(2, "big") + packed + crc16_xmodem(packed).to_bytes(2, "big")
    text = base64.b64encode(whole)
    pieces = (
        (CONTINUE if start else START) + text[start : start + _CHARS_PER_LINE] + b"\n"
        for start in range(0, len(text), _CHARS_PER_LINE)
    )
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class Damaged:
    """Lines that were meant as a message and were not one; ``why`` is for logs."""

    why: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message and the lines it came in."""

    message: Message
    raw: bytes


@dataclass(frozen=True, slots=True)
class ConsoleText:
    """A line that is not of this protocol, with its end if it had one."""

    raw: bytes


Item = Received | Damaged | ConsoleText


class LineParser:
    """Bytes in, messages out. What is damaged is dropped whole; the next first line begins anew."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._raw = bytearray()
        self._whole = bytearray()
        self._is_inside = False

    @property
    def unfinished(self) -> bytes:
        """What has come of a message or a line that is not complete."""
        return bytes(self._raw + self._line)

    def clear(self) -> None:
        """Forget what has begun."""
        self._line.clear()
        self._forget()

    @property
    def is_mid_message(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._is_inside or self._line.startswith(START)

    def feed(self, data: bytes) -> list[Item]:
        """What ``data`` completes."""
        found: list[Item] = []
        for value in data:
            self._line.append(value)
            if value == 0x0A or len(self._line) >= SMP_LINE_BYTES_MAX:
                found += self._take(bytes(self._line))
                self._line.clear()
        return found

    def _take(self, line: bytes) -> list[Item]:
        found: list[Item] = []
        start = line.rfind(START)  # base64 holds none, so what stands before the last is noise
        if start >= 0:
            found += self._drop("unfinished")
            if start:
                found.append(ConsoleText(line[:start]))
            self._is_inside = True
            return found + self._add(line[start:])
        if line.startswith(CONTINUE) and self._is_inside:
            return self._add(line)
        return [ConsoleText(line)]

    def _add(self, line: bytes) -> list[Item]:
        self._raw += line
        try:
            self._whole += base64.b64decode(line[2:].rstrip(b"\r\n"), validate=True)
        except binascii.Error:
            return self._drop("base64")
        if len(self._whole) < 2 or len(self._raw) > SMP_RAW_BYTES_MAX:
            return self._drop("length")
        wanted = int.from_bytes(self._whole[:2], "big")
        if not HEADER_BYTES + 2 <= wanted <= SMP_MESSAGE_BYTES_MAX + 2:
            return self._drop("length")
        if len(self._whole) < wanted + 2:
            return []
        return self._complete(wanted)

    def _complete(self, wanted: int) -> list[Item]:
        packed, crc = bytes(self._whole[2:wanted]), self._whole[wanted : wanted + 2]
        if len(self._whole) != wanted + 2:
            return self._drop("length")
        if crc16_xmodem(packed) != int.from_bytes(crc, "big"):
            return self._drop("checksum")
        found = unpack(packed)
        if found is None:
            return self._drop("header")
        raw = bytes(self._raw)
        self._forget()
        return [Received(found, raw)]

    def _drop(self, why: str) -> list[Item]:
        raw = bytes(self._raw)
        self._forget()
        return [Damaged(why, raw)] if raw else []

    def _forget(self) -> None:
        self._raw.clear()
        self._whole.clear()
        self._is_inside = False
