"""The GROW GM65 scanner's command frames and replies (GM65 manual V1.3, chapter 2).

A command is ``7E 00 | type | len | address(2) | data | crc(2)``, a reply
``02 00 | status | len | data | crc(2)``. The checksum is CRC-16/XMODEM over all after the two
start bytes; ``AB CD`` in a command means "do not check". A length byte of 0 means 256. Newer
models also answer a heartbeat, with ``03`` instead of ``02`` (GM861-S manual, 2.1.2).

Between replies the scanner sends decoded codes as bare text with a tail (CR here). That text
has no checksum: a flipped bit inside it cannot be seen at this layer, so whoever uses the text
must check its form, and the backend must know the code. Newer models can put a head and a length
before it: ``03`` or ``04``, length(2), text (register 0060 bit 7).
"""

from dataclasses import dataclass, field
from enum import IntEnum

from protocol.framing.crc16 import crc16_xmodem
from protocol.framing.limits import (
    GM65_DATA_BYTES_MAX,
    GM65_FRAME_TIMEOUT_MS,
    GM65_TEXT_BYTES_MAX,
)

COMMAND_START = b"\x7e\x00"
REPLY_START = b"\x02\x00"
HEARTBEAT_START = b"\x03\x00"
TEXT_HEADS = (0x03, 0x04)
CRC_UNCHECKED = b"\xab\xcd"
TAIL = b"\r"
STATUS_OK = 0

REG_MODE, REG_TRIGGER, REG_SETUP_CODE, REG_STABILISE, REG_INTERVAL = 0x00, 0x02, 0x03, 0x04, 0x05
REG_READ_TIME, REG_IDLE, REG_TONE, REG_OUTPUT, REG_BEEP = 0x06, 0x07, 0x0A, 0x0D, 0x0E
REG_SAME_CODE, REG_HEAD, REG_BAUD, REG_SYMBOLOGIES, REG_TAIL = 0x13, 0x1A, 0x2A, 0x2C, 0x60
REG_LENGTHS, REG_PREFIX, REG_SUFFIX, REG_FAIL_LENGTH = 0x62, 0x63, 0x72, 0x81
REG_CUT, REG_CUT_START, REG_CUT_END, REG_AIM_ID, REG_CONTROL = 0xB0, 0xB1, 0xB2, 0xD0, 0xD9
REG_MODEL, REG_VERSION = 0xE0, 0xE2
MODE_MANUAL, MODE_COMMAND, MODE_CONTINUOUS, MODE_SENSING = 0, 1, 2, 3
CONTROL_FACTORY, CONTROL_DEFAULTS, CONTROL_KEEP_DEFAULTS = 0x50, 0x55, 0x56
CONTROL_LIGHT_SLEEP, CONTROL_DEEP_SLEEP, CONTROL_WAKE = 0xA0, 0xA5, 0x00
CONTROL_BAUD_9600 = 0xD3


class CommandType(IntEnum):
    """The frame types; the heartbeat is answered by newer models only."""

    READ = 0x07
    WRITE = 0x08
    SAVE = 0x09
    HEARTBEAT = 0x0A


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``data`` of a READ is its count byte (0 = 256); ``raw`` is what was heard."""

    type: CommandType
    address: int
    data: bytes
    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply; ``is_heartbeat`` is the answer to a heartbeat. ``raw`` is what was heard."""

    status: int
    data: bytes
    is_heartbeat: bool = False
    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded code as the scanner printed it, without its tail."""

    data: bytes
    raw: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class Damaged:
    """Bytes that began like a reply or a code and are neither; ``why`` is for logs."""

    why: str
    raw: bytes = field(default=b"", compare=False)


HostItem = Reply | Text | Damaged


def read(address: int, count: int = 1) -> Command:
    """Read ``count`` registers (1..256) from ``address``."""
    return Command(CommandType.READ, address, bytes([count & 0xFF]))


def write(address: int, data: bytes) -> Command:
    """Write 1..256 registers from ``address``."""
    return Command(CommandType.WRITE, address, data)


def save() -> Command:
    """Keep the registers over a power cut."""
    return Command(CommandType.SAVE, 0, b"\x00")


def heartbeat() -> Command:
    """Ask whether the scanner lives (every 10 s; three silences mean that it does not)."""
    return Command(CommandType.HEARTBEAT, 0, b"\x00")


def encode_command(command: Command) -> bytes:
    """The frame of a command, with its checksum."""
    if not 1 <= len(command.data) <= GM65_DATA_BYTES_MAX:
        raise ValueError("a GM65 frame carries 1 to 256 data bytes")
    body = (
        bytes([command.type, len(command.data) & 0xFF])
        + command.address.to_bytes(2, "big")
        + command.data
    )
    return COMMAND_START + body + crc16_xmodem(body).to_bytes(2, "big")


def encode_reply(reply: Reply) -> bytes:
    """The frame of a reply, with its checksum."""
    if not 1 <= len(reply.data) <= GM65_DATA_BYTES_MAX:
        raise ValueError("a GM65 frame carries 1 to 256 data bytes")
    body = bytes([reply.status, len(reply.data) & 0xFF]) + reply.data
    start = HEARTBEAT_START if reply.is_heartbeat else REPLY_START
    return start + body + crc16_xmodem(body).to_bytes(2, "big")


class CommandParser:
    """The scanner's side: bytes in, commands out.

    As the manual says, a wrong checksum or form gets no answer, bytes outside a frame are
    ignored, and a frame that is not finished 400 ms after its start is dropped.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._started_ms = 0

    @property
    def unfinished(self) -> bytes:
        """What has come of a command that is not complete."""
        return bytes(self._buffer)

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()

    def feed(self, data: bytes, now_ms: int) -> list[Command]:
        """The commands that ``data`` completes."""
        found: list[Command] = []
        if self._buffer and now_ms - self._started_ms > GM65_FRAME_TIMEOUT_MS:
            self._buffer.clear()
        for value in data:
            if not self._buffer:
                self._started_ms = now_ms
            self._buffer.append(value)
            self._align()
            command = self._complete()
            if command is not None:
                found.append(command)
        return found

    def _align(self) -> None:
        buffer = self._buffer
        if buffer[0] != COMMAND_START[0] or (len(buffer) == 2 and buffer[1] != COMMAND_START[1]):
            keep = buffer[-1] == COMMAND_START[0]
            buffer.clear()
            if keep:
                buffer.append(COMMAND_START[0])
        elif len(buffer) == 3 and buffer[2] not in set(CommandType):
            buffer.clear()

    def _complete(self) -> Command | None:
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        count = buffer[3] or GM65_DATA_BYTES_MAX
        if len(buffer) < 8 + count:
            return None
        frame = bytes(buffer)
        buffer.clear()
        body, crc = frame[2:-2], frame[-2:]
        if crc not in (CRC_UNCHECKED, crc16_xmodem(body).to_bytes(2, "big")):
            return None
        address = int.from_bytes(body[2:4], "big")
        return Command(CommandType(body[0]), address, body[4:], frame)


class HostParser:
    """The driver's side: bytes in, replies and decoded codes out, in whatever order they come.

    A byte 02 at the start of an item opens a reply; anything else is text up to CR. Control
    bytes before text are line noise and skipped; inside text they damage it. ``has_frames`` says
    that the scanner may be one that answers heartbeats and frames its text: then 03 and 04 open an
    item, too.
    """

    def __init__(self, *, has_frames: bool = False) -> None:
        self._buffer = bytearray()
        self._has_frames = has_frames

    @property
    def unfinished(self) -> bytes:
        """What has come of an item that is not complete."""
        return bytes(self._buffer)

    @property
    def is_mid_item(self) -> bool:
        """Whether an item has begun and is not complete."""
        return bool(self._buffer)

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[HostItem]:
        """The items that ``data`` completes."""
        found: list[HostItem] = []
        for value in data:
            self._buffer.append(value)
            item = self._item()
            if item is not None:
                found.append(item)
        return found

    def _item(self) -> HostItem | None:
        first = self._buffer[0]
        if first == REPLY_START[0]:
            return self._reply()
        if self._has_frames and first in TEXT_HEADS:
            return self._framed()
        return self._text()

    def _framed(self) -> HostItem | None:
        """A heartbeat's answer (03 with a length of nothing), or text behind head and length."""
        buffer = self._buffer
        if len(buffer) < 3:
            return None
        count = int.from_bytes(buffer[1:3], "big")
        if count == 0 and buffer[0] == HEARTBEAT_START[0]:
            return self._reply()
        if count > GM65_TEXT_BYTES_MAX:
            return self._damaged("text_too_long")
        if len(buffer) < 3 + count:
            return None
        raw = bytes(buffer)
        buffer.clear()
        return Text(raw[3:].rstrip(b"\r\n\t"), raw)

    def _reply(self) -> HostItem | None:
        buffer = self._buffer
        if len(buffer) == 2 and buffer[1] != REPLY_START[1]:
            last = buffer[1]
            is_begun = last == REPLY_START[0] or last > 0x1F
            return self._damaged("reply_start", kept=1 if is_begun else 0)
        if len(buffer) < 4 or len(buffer) < 6 + (buffer[3] or GM65_DATA_BYTES_MAX):
            return None
        frame = bytes(buffer)
        buffer.clear()
        if crc16_xmodem(frame[2:-2]) != int.from_bytes(frame[-2:], "big"):
            return Damaged("reply_crc", frame)
        return Reply(frame[2], frame[4:-2], frame[:2] == HEARTBEAT_START, frame)

    def _text(self) -> HostItem | None:
        buffer = self._buffer
        if len(buffer) == 1 and _is_control(buffer[0]):  # noise, or the tail of nothing
            buffer.clear()
            return None
        if buffer[-1] == REPLY_START[0]:  # no text holds it, so a reply begins here
            return self._damaged("text", kept=1)
        if buffer[-1:] == TAIL:
            raw = bytes(buffer)
            buffer.clear()
            return Damaged("text", raw) if any(map(_is_control, raw[:-1])) else Text(raw[:-1], raw)
        if len(buffer) > GM65_TEXT_BYTES_MAX:
            return self._damaged("text_too_long")
        return None

    def _damaged(self, why: str, *, kept: int = 0) -> Damaged:
        """Give up what has begun as damaged, but for its last ``kept`` bytes."""
        end = len(self._buffer) - kept
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        return Damaged(why, raw)


def _is_control(value: int) -> bool:
    return value < 0x20 or value == 0x7F
