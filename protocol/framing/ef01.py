"""The EF01 packets of the ZFM/R30x/R503 fingerprint sensors (R503 manual, chapter 5).

``EF 01 | address(4) | pid | length(2) | payload | sum(2)``: length counts payload and sum, the
sum is that of pid, length and payload, modulo 65536.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from protocol.framing.limits import EF01_PAYLOAD_BYTES_MAX

START = b"\xef\x01"
READY = b"\x55"
"""What an R503 says, bare, when it has started (R503 manual, power-on delay time)."""
ADDRESS_DEFAULT = 0xFFFFFFFF
_HEADER_BYTES = 9
_SUM_BYTES = 2


class Pid(IntEnum):
    """What a packet is."""

    COMMAND = 0x01
    DATA = 0x02
    ACK = 0x07
    END_OF_DATA = 0x08


class Instruction(IntEnum):
    """The first byte of a command's payload."""

    GET_IMAGE = 0x01
    IMG2TZ = 0x02
    MATCH = 0x03
    SEARCH = 0x04
    REG_MODEL = 0x05
    STORE = 0x06
    LOAD = 0x07
    UP_CHAR = 0x08
    DOWN_CHAR = 0x09
    UP_IMAGE = 0x0A
    DOWN_IMAGE = 0x0B
    DELETE = 0x0C
    EMPTY = 0x0D
    SET_SYS_PARA = 0x0E
    READ_SYS_PARA = 0x0F
    SET_PASSWORD = 0x12
    VERIFY_PASSWORD = 0x13
    RANDOM = 0x14
    SET_ADDRESS = 0x15
    READ_INF_PAGE = 0x16
    WRITE_NOTEPAD = 0x18
    READ_NOTEPAD = 0x19
    FAST_SEARCH = 0x1B
    TEMPLATE_NUM = 0x1D
    INDEX_TABLE = 0x1F
    GET_IMAGE_EX = 0x28
    CANCEL = 0x30
    AUTO_ENROL = 0x31
    AUTO_IDENTIFY = 0x32
    AURA_LED = 0x35
    CHECK_SENSOR = 0x36
    ALGORITHM_VERSION = 0x39
    FIRMWARE_VERSION = 0x3A
    PRODUCT_INFO = 0x3C
    SOFT_RESET = 0x3D
    HANDSHAKE = 0x40
    LIGHT_ON = 0x50
    LIGHT_OFF = 0x51
    ECHO = 0x53


class Confirmation(IntEnum):
    """The first byte of an acknowledgement's payload."""

    OK = 0x00
    RECEIVE_ERROR = 0x01
    NO_FINGER = 0x02
    CAPTURE_FAILED = 0x03
    MESSY = 0x06
    FEW_FEATURES = 0x07
    NO_MATCH = 0x08
    NOT_FOUND = 0x09
    MERGE_MISMATCH = 0x0A
    PAGE_RANGE = 0x0B
    TEMPLATE_READ = 0x0C
    UPLOAD_FAILED = 0x0D
    DATA_REFUSED = 0x0E
    IMAGE_UPLOAD_FAILED = 0x0F
    DELETE_FAILED = 0x10
    EMPTY_FAILED = 0x11
    WRONG_PASSWORD = 0x13
    NO_IMAGE = 0x15
    FLASH_FAILED = 0x18
    UNDEFINED = 0x19
    BAD_REGISTER = 0x1A
    BAD_VALUE = 0x1B
    BAD_NOTEPAD_PAGE = 0x1C
    PORT_FAILED = 0x1D
    LIBRARY_FULL = 0x1F
    WRONG_ADDRESS = 0x20
    PASSWORD_NEEDED = 0x21
    TEMPLATE_EMPTY = 0x22
    LIBRARY_EMPTY = 0x24
    TIMED_OUT = 0x26
    ALREADY_ENROLLED = 0x27
    SENSOR_FAILED = 0x29
    ECHOED = 0x55
    UNSUPPORTED = 0xFC
    NOT_DONE = 0xFE


@dataclass(frozen=True, slots=True)
class Packet:
    """One sound packet."""

    pid: int
    payload: bytes
    address: int = ADDRESS_DEFAULT


@dataclass(frozen=True, slots=True)
class BadPacket:
    """A packet whose sum or length is wrong; ``why`` is for logs, ``raw`` what there is of it."""

    why: str
    address: int = ADDRESS_DEFAULT
    raw: bytes = field(default=b"", compare=False)


def encode(packet: Packet) -> bytes:
    """The bytes of a packet."""
    if len(packet.payload) > EF01_PAYLOAD_BYTES_MAX:
        raise ValueError("an EF01 packet carries at most 256 payload bytes")
    body = bytes([packet.pid]) + (len(packet.payload) + _SUM_BYTES).to_bytes(2, "big")
    body += packet.payload
    total = sum(body) & 0xFFFF
    return START + packet.address.to_bytes(4, "big") + body + total.to_bytes(2, "big")


def command(instruction: Instruction, *arguments: int, address: int = ADDRESS_DEFAULT) -> bytes:
    """The bytes of a command packet; each argument is one byte."""
    return encode(Packet(Pid.COMMAND, bytes([instruction, *arguments]), address))


def index_slots(bitmap: bytes, page: int) -> list[int]:
    """The slots that a page of the index table says are used; the lowest bit comes first."""
    first = page * len(bitmap) * 8
    used = (
        8 * place + bit for place, byte in enumerate(bitmap) for bit in range(8) if byte >> bit & 1
    )
    return [first + slot for slot in used]


class PacketParser:
    """Bytes in, packets out, for both ends. Bytes before a start code are skipped."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_mid_packet(self) -> bool:
        """Whether a packet has begun and is not complete."""
        return bool(self._buffer)

    @property
    def unfinished(self) -> bytes:
        """What has come of a packet that is not complete."""
        return bytes(self._buffer)

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[Packet | BadPacket]:
        """The packets that ``data`` completes. The buffer never exceeds one packet."""
        found: list[Packet | BadPacket] = []
        for value in data:
            self._buffer.append(value)
            self._align()
            packet = self._complete()
            if packet is not None:
                found.append(packet)
        return found

    def _align(self) -> None:
        buffer = self._buffer
        if buffer[0] != START[0]:
            buffer.clear()
        elif len(buffer) == 2 and buffer[1] != START[1]:
            keep = buffer[1] == START[0]
            buffer.clear()
            if keep:
                buffer.append(START[0])

    def _complete(self) -> Packet | BadPacket | None:
        buffer = self._buffer
        if len(buffer) < _HEADER_BYTES:
            return None
        address = int.from_bytes(buffer[2:6], "big")
        length = int.from_bytes(buffer[7:9], "big")
        if not _SUM_BYTES <= length <= EF01_PAYLOAD_BYTES_MAX + _SUM_BYTES:
            frame = bytes(buffer)
            buffer.clear()
            return BadPacket("length", address, frame)
        if len(buffer) < _HEADER_BYTES + length:
            return None
        frame = bytes(buffer)
        buffer.clear()
        if sum(frame[6:-2]) & 0xFFFF != int.from_bytes(frame[-2:], "big"):
            return BadPacket("sum", address, frame)
        return Packet(frame[6], frame[9:-2], address)
