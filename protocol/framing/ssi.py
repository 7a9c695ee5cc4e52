"""The Simple Serial Interface of Zebra's scan engines and of those that speak it (GM67, GM77).

A packet is ``length | opcode | source | status | data | checksum(2)``: the length counts all but
the checksum, the checksum is the two's complement of the sum of all bytes before it (Simple Serial
Interface Programmer's Guide 72E-40451, chapter 3). A GM67 sends a long code as
``FF F4 | length(2) | F4 | source | status | data | checksum(2)`` with the same meaning of length.

A byte 00 is no packet: it wakes an engine, which then needs 50 ms before it hears.
"""

from dataclasses import dataclass
from enum import IntEnum

from protocol.framing.limits import SSI_DATA_BYTES_MAX, SSI_LONG_BYTES_MAX

WAKE = b"\x00"
HOST, DECODER = 0x04, 0x00
STATUS_RESENT, STATUS_CONTINUED, STATUS_PERMANENT = 0x01, 0x02, 0x08
NO_BEEP = 0xFF
ALL_PARAMETERS = 0xFE
_HEADER_BYTES = 4
_LONG_HEADER_BYTES = 7
_LONG_MARK = 0xFF


class Opcode(IntEnum):
    """What a packet is. Those of images and of macro PDF are left out."""

    CUSTOM_DEFAULTS = 0x12
    REQUEST_REVISION = 0xA3
    REPLY_REVISION = 0xA4
    ILLUMINATION_OFF = 0xC0
    ILLUMINATION_ON = 0xC1
    AIM_OFF = 0xC4
    AIM_ON = 0xC5
    PARAM_SEND = 0xC6
    PARAM_REQUEST = 0xC7
    PARAM_DEFAULTS = 0xC8
    ACK = 0xD0
    NAK = 0xD1
    FLUSH_QUEUE = 0xD2
    START_SESSION = 0xE4
    STOP_SESSION = 0xE5
    BEEP = 0xE6
    LED_ON = 0xE7
    LED_OFF = 0xE8
    SCAN_ENABLE = 0xE9
    SCAN_DISABLE = 0xEA
    SLEEP = 0xEB
    DECODE_DATA = 0xF3
    LONG_DECODE_DATA = 0xF4
    IMAGER_MODE = 0xF7


class Reason(IntEnum):
    """Why a packet was not taken."""

    RESEND = 1
    BAD_CONTEXT = 2
    DENIED = 6
    CANCEL = 10


class Parameter(IntEnum):
    """The engine's parameters that are used here; numbers from 0100 are sent behind F0."""

    CODE_39 = 0x00
    UPC_A = 0x01
    UPC_E = 0x02
    EAN_13 = 0x03
    EAN_8 = 0x04
    ITF = 0x06
    CODABAR = 0x07
    CODE_128 = 0x08
    CODE_93 = 0x09
    PDF417 = 0x0F
    NO_READ_MESSAGE = 0x5E
    SUFFIX_1 = 0x68
    PREFIX = 0x69
    SUFFIX_2 = 0x6A
    SESSION_TIME = 0x88
    SAME_CODE_DELAY = 0x89
    TRIGGER_MODE = 0x8A
    RESPONSE_TIME = 0x9B
    BAUD = 0x9C
    HANDSHAKING = 0x9F
    FORMAT = 0xEB
    PACKETED = 0xEE
    DATA_MATRIX = 0x0124
    QR = 0x0125


TRIGGER_HOLD, TRIGGER_EDGE, TRIGGER_CONTINUOUS = 0, 2, 4
TRIGGER_HOST, TRIGGER_SENSING = 8, 9


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. ``data`` of a decode is the code's type and then its text."""

    opcode: int
    data: bytes = b""
    source: int = HOST
    status: int = 0


@dataclass(frozen=True, slots=True)
class Damaged:
    """A packet whose checksum is wrong."""

    raw: bytes


Item = Packet | Damaged
_OPCODES = frozenset(Opcode)


def checksum(body: bytes) -> bytes:
    """The two bytes behind ``body``."""
    return (-sum(body) & 0xFFFF).to_bytes(2, "big")


def encode(packet: Packet) -> bytes:
    """The packet's bytes. Only ``LONG_DECODE_DATA`` takes more than ``SSI_DATA_BYTES_MAX``."""
    tail = bytes([packet.source, packet.status]) + packet.data
    if packet.opcode == Opcode.LONG_DECODE_DATA:
        count = len(tail) + _LONG_HEADER_BYTES - 2
        if count > SSI_LONG_BYTES_MAX:
            raise ValueError(f"a long packet has at most {SSI_LONG_BYTES_MAX} bytes")
        head = bytes([_LONG_MARK, packet.opcode, count >> 8, count & 0xFF, packet.opcode])
        body = head + tail
    else:
        if len(packet.data) > SSI_DATA_BYTES_MAX:
            raise ValueError(f"a packet carries at most {SSI_DATA_BYTES_MAX} bytes")
        body = bytes([_HEADER_BYTES + len(packet.data), packet.opcode]) + tail
    return body + checksum(body)


def nak(reason: Reason, *, source: int) -> Packet:
    """Not taken, and why."""
    return Packet(Opcode.NAK, bytes([reason]), source)


def set_parameter(number: int, value: int, *, is_permanent: bool = False) -> Packet:
    """Host: one parameter, without a beep; kept over a power cut if ``is_permanent``."""
    status = STATUS_PERMANENT if is_permanent else 0
    return Packet(Opcode.PARAM_SEND, bytes([NO_BEEP]) + _numbered(number, value), HOST, status)


def ask_parameter(number: int) -> Packet:
    """Host: what is this parameter? Answered by a ``PARAM_SEND``."""
    return Packet(Opcode.PARAM_REQUEST, _number_bytes(number), HOST)


def told_parameters(values: dict[int, int]) -> bytes:
    """The data of a ``PARAM_SEND`` that tells these."""
    parts = [_numbered(number, value) for number, value in values.items()]
    return bytes([NO_BEEP]) + b"".join(parts)


def read_parameters(data: bytes) -> dict[int, int] | None:
    """Number and value of each in a ``PARAM_SEND``; ``None`` where one is broken off."""
    found: dict[int, int] = {}
    place = 1
    while place < len(data):
        number, place = _number_at(data, place)
        if number is None or place >= len(data):
            return None
        found[number] = data[place]
        place += 1
    return found if data else None


def read_numbers(data: bytes) -> list[int] | None:
    """The parameters that a ``PARAM_REQUEST`` asks for; ``None`` where one is broken off."""
    found: list[int] = []
    place = 0
    while place < len(data):
        number, place = _number_at(data, place)
        if number is None:
            return None
        found.append(number)
    return found


def _numbered(number: int, value: int) -> bytes:
    return _number_bytes(number) + bytes([value])


def _number_bytes(number: int) -> bytes:
    """Numbers below F0 are one byte; 0100 to 01FF stand behind F0, 0200 to 02FF behind F1."""
    if number < 0x100:
        return bytes([number])
    return bytes([0xEF + (number >> 8), number & 0xFF])


def _number_at(data: bytes, place: int) -> tuple[int | None, int]:
    first = data[place]
    if first not in (0xF0, 0xF1, 0xF2):
        return first, place + 1
    if place + 1 >= len(data):
        return None, place + 1
    return (first - 0xEF) << 8 | data[place + 1], place + 2


class PacketParser:
    """The ear of one side: it hears packets of ``source``, the other side's.

    What cannot be a packet's head is skipped byte by byte. Where a checksum is wrong the packet is
    looked through again from its second byte, so that a sound packet behind noise is found.
    """

    def __init__(self, source: int) -> None:
        self._source = source
        self._buffer = bytearray()

    @property
    def unfinished(self) -> bytes:
        """What has come of a packet that is not complete."""
        return bytes(self._buffer)

    @property
    def is_mid_item(self) -> bool:
        """Whether a packet has begun and is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Item]:
        """The packets that ``data`` completes."""
        self._buffer += data
        return self._taken()

    def give_up(self) -> list[Item]:
        """Nothing more comes: what was taken for a head was none. What stands behind it?"""
        found: list[Item] = []
        while self._buffer:
            del self._buffer[0]
            found += self._taken()
        return found

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()

    def _taken(self) -> list[Item]:
        found: list[Item] = []
        buffer = self._buffer
        while buffer:
            if not self._may_begin():
                del buffer[0]
                continue
            count = self._count()
            if count is None or len(buffer) < count + 2:
                break
            raw = bytes(buffer[: count + 2])
            if checksum(raw[:-2]) == raw[-2:]:
                found.append(_decoded(raw))
                del buffer[: count + 2]
            else:
                found.append(Damaged(raw))
                del buffer[0]
        return found

    def _may_begin(self) -> bool:
        buffer = self._buffer
        if buffer[0] < _HEADER_BYTES:
            return False
        if self._is_long():
            count = self._count()
            is_sane = count is None or count <= SSI_LONG_BYTES_MAX
            is_told_twice = len(buffer) < 5 or buffer[4] == buffer[1]
            return is_sane and is_told_twice and (len(buffer) < 6 or buffer[5] == self._source)
        is_known = len(buffer) < 2 or buffer[1] in _OPCODES
        return is_known and (len(buffer) < 3 or buffer[2] == self._source)

    def _is_long(self) -> bool:
        head = bytes([_LONG_MARK, Opcode.LONG_DECODE_DATA])
        return bytes(self._buffer[:2]) == head

    def _count(self) -> int | None:
        """The length without checksum, or ``None`` while it is not known."""
        if not self._is_long():
            return self._buffer[0]
        if len(self._buffer) < 4:
            return None
        return max(_LONG_HEADER_BYTES, int.from_bytes(self._buffer[2:4], "big"))


def _decoded(raw: bytes) -> Packet:
    start = 3 if raw[1] == Opcode.LONG_DECODE_DATA and raw[0] == _LONG_MARK else 0
    opcode, source, status = raw[start + 1 : start + 4]
    return Packet(opcode, raw[start + 4 : -2], source, status)
