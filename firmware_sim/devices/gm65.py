"""The GROW GM65 QR scanner (manual V1.3): registers, trigger modes and a virtual camera.

The camera is given pictures; a picture stays before the lens until it is read (or longer, if
the person keeps it there). What a picture says is found by a decoder given at the start, so
that this file stays free of image code.

Not documented by the maker and chosen here: a read or write beyond the last register gets no
answer, as any other malformed frame; reading takes ``READ_MS``.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.devices.device import Output
from firmware_sim.limits import CAMERA_QUEUE_PICTURES_MAX
from protocol.errors import CallerError
from protocol.framing import gm65

REGISTERS = 256
BAUD_CLOCK = 3_000_000
REPLY_MS = 5
READ_MS = 80
TICK_MS = 100

FACTORY: dict[int, int] = {
    0x00: 0xD4, 0x04: 4, 0x05: 10, 0x06: 50, 0x07: 0x81, 0x08: 0x2C, 0x0A: 0x3E, 0x0B: 6,
    0x0E: 0x04, 0x2A: 0x39, 0x2B: 0x01, 0x2C: 0x05, 0x2E: 1, 0x2F: 1, 0x30: 1, 0x31: 1,
    0x33: 1, 0x36: 1, 0x3F: 1, 0x54: 1, 0x55: 1, 0x60: 0x01, 0xE0: 0x05, 0xE1: 0x64, 0xE2: 0x64,
}  # fmt: skip
_READ_ONLY = frozenset(range(0xE0, 0x100))


@dataclass(frozen=True, slots=True)
class Symbology:
    """Where a kind of code is switched on, and its letter (register table 0091-00A4)."""

    register: int
    letter: bytes


SYMBOLOGIES: dict[str, Symbology] = {
    "QRCode": Symbology(0x3F, b"Q"), "DataMatrix": Symbology(0x54, b"u"),
    "PDF417": Symbology(0x55, b"r"), "Code128": Symbology(0x33, b"j"),
    "Code39": Symbology(0x36, b"b"), "EAN13": Symbology(0x2E, b"d"),
    "EAN8": Symbology(0x2F, b"d"), "UPCA": Symbology(0x30, b"c"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a decoder found in a picture."""

    symbology: str
    text: str


Decoder = Callable[[bytes], Sighting | None]


def _factory() -> bytearray:
    registers = bytearray(REGISTERS)
    for address, value in FACTORY.items():
        registers[address] = value
    return registers


@dataclass(slots=True)
class _Picture:
    png: bytes
    keep: bool
    sighting: Sighting | None = None
    is_decoded: bool = False


@dataclass(slots=True)
class Gm65:
    """One scanner. ``present`` is the person's hand, all else is the host's."""

    decode: Decoder
    _registers: bytearray = field(default_factory=_factory)
    _flash: bytearray = field(default_factory=_factory)
    _parser: gm65.CommandParser = field(default_factory=gm65.CommandParser)
    _pictures: deque[_Picture] = field(default_factory=deque)
    _read_at_ms: int | None = None
    _stop_at_ms: int | None = None
    _is_reading: bool = False
    codes_read: int = 0

    @property
    def baud(self) -> int:
        """The rate of registers 002A and 002B; a divisor of 0 leaves the factory's 9600."""
        divisor = self._registers[gm65.REG_BAUD] | self._registers[gm65.REG_BAUD + 1] << 8
        return BAUD_CLOCK // divisor if divisor else 9600

    @property
    def is_reading(self) -> bool:
        """Whether the lens looks for a code now."""
        return self._is_reading

    @property
    def pictures_waiting(self) -> int:
        """How many pictures stand before the lens."""
        return len(self._pictures)

    def present(self, png: bytes, now_ms: int, *, keep: bool = False) -> list[Output]:
        """Hold a picture before the lens until it has been read, or until taken away."""
        if len(self._pictures) >= CAMERA_QUEUE_PICTURES_MAX:
            raise CallerError("busy", f"at most {CAMERA_QUEUE_PICTURES_MAX} pictures wait")
        self._pictures.append(_Picture(png, keep))
        if self._mode() in (2, 3):
            self._start_reading(now_ms)
        elif self._is_reading and self._read_at_ms is None:
            self._read_at_ms = now_ms + READ_MS
        return []

    def take_away(self) -> None:
        """Take every picture from the lens."""
        self._pictures.clear()

    def press_button(self, now_ms: int) -> list[Output]:
        """The button of the manual mode."""
        if self._mode() == 0:
            self._start_reading(now_ms)
        return []

    def boot(self, now_ms: int) -> list[Output]:
        """The registers come from flash; nothing is under way."""
        self._registers = bytearray(self._flash)
        self._parser = gm65.CommandParser()
        self._stop_reading()
        if self._mode() in (2, 3) and self._pictures:
            self._start_reading(now_ms)
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer the commands in ``data``."""
        outputs: list[Output] = []
        for command in self._parser.feed(data, now_ms):
            baud = self.baud  # the acknowledgement of a new rate still leaves at the old one
            reply = self._execute(command, now_ms)
            if reply is not None:
                encoded = gm65.encode_reply(gm65.Reply(gm65.STATUS_OK, reply))
                outputs.append(Output(now_ms + REPLY_MS, encoded, baud))
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """Read the picture before the lens, or give up."""
        outputs: list[Output] = []
        if self._read_at_ms is not None and now_ms >= self._read_at_ms:
            self._read_at_ms = None
            outputs = self._read_picture(now_ms)
        if self._is_reading and self._stop_at_ms is not None and now_ms >= self._stop_at_ms:
            self._stop_reading()
            outputs = outputs + self._read_failed(now_ms)
        return outputs

    def next_deadline_ms(self) -> int | None:
        """The sooner of the next look and the end of the reading time."""
        due = [at for at in (self._read_at_ms, self._stop_at_ms) if at is not None]
        return min(due, default=None)

    def _execute(self, command: gm65.Command, now_ms: int) -> bytes | None:
        if command.type is gm65.CommandType.READ:
            count = command.data[0] or REGISTERS
            if len(command.data) != 1 or command.address + count > REGISTERS:
                return None
            return bytes(self._registers[command.address : command.address + count])
        if command.type is gm65.CommandType.WRITE:
            if command.address + len(command.data) > REGISTERS:
                return None
            for offset, value in enumerate(command.data):
                self._write(command.address + offset, value, now_ms)
            return b"\x00"
        return self._save(command)

    def _save(self, command: gm65.Command) -> bytes | None:
        if len(command.data) != 1 or command.data[0] not in (0x00, 0xFF):
            return None
        if command.data == b"\xff":
            self._registers = _factory()
        self._flash = bytearray(self._registers)
        self._flash[gm65.REG_TRIGGER] &= 0xFE
        return b"\x00"

    def _write(self, address: int, value: int, now_ms: int) -> None:
        if address in _READ_ONLY:
            return
        if address == 0xD9:
            self._control(value)
            return
        self._registers[address] = value
        if address == gm65.REG_TRIGGER:
            if value & 1 and self._mode() == gm65.MODE_COMMAND:
                self._start_reading(now_ms)
            elif not value & 1:
                self._stop_reading()

    def _control(self, value: int) -> None:
        if value in (0x50, 0x55):
            self._registers = _factory()
        elif value == 0xD3:
            self._registers[gm65.REG_BAUD : gm65.REG_BAUD + 2] = b"\x39\x01"

    def _mode(self) -> int:
        return self._registers[gm65.REG_MODE] & 3

    def _start_reading(self, now_ms: int) -> None:
        limit = self._registers[gm65.REG_READ_TIME] * TICK_MS
        self._is_reading = True
        self._stop_at_ms = now_ms + limit if limit else None
        self._read_at_ms = now_ms + READ_MS if self._pictures else None

    def _stop_reading(self) -> None:
        self._registers[gm65.REG_TRIGGER] &= 0xFE
        self._is_reading = False
        self._read_at_ms = self._stop_at_ms = None

    def _read_picture(self, now_ms: int) -> list[Output]:
        while self._pictures:
            picture = self._pictures[0]
            if not picture.is_decoded:
                picture.sighting, picture.is_decoded = self.decode(picture.png), True
            sighting = picture.sighting
            if sighting is not None and self._is_enabled(sighting.symbology):
                return self._deliver(picture, sighting, now_ms)
            if picture.keep:
                return []
            self._pictures.popleft()
        return []

    def _deliver(self, picture: _Picture, sighting: Sighting, now_ms: int) -> list[Output]:
        if not picture.keep:
            self._pictures.popleft()
        self._stop_reading()
        self.codes_read += 1
        if self._mode() == 2 and self._pictures:
            self._start_reading(now_ms)
            self._read_at_ms = now_ms + max(READ_MS, self._registers[0x05] * TICK_MS)
        return [Output(now_ms, self._dress(sighting), self.baud)]

    def _is_enabled(self, symbology: str) -> bool:
        rule = self._registers[0x2C] >> 1 & 3
        known = SYMBOLOGIES.get(symbology)
        if known is None or rule == 0:
            return False
        return rule == 1 or bool(self._registers[known.register] & 1)

    def _dress(self, sighting: Sighting) -> bytes:
        """Prefix, code letter, payload, suffix, tail, as registers 000D, 0060 and 0062 say."""
        registers, rule = self._registers, self._registers[gm65.REG_TAIL]
        charset = {0: "gb18030", 1: "utf-8", 2: "big5"}.get(registers[0x0D] >> 2 & 3, "gb18030")
        parts = [sighting.text.encode(charset, errors="replace")]
        if rule & 0x04:
            parts.insert(0, SYMBOLOGIES[sighting.symbology].letter)
        if rule & 0x08:
            parts.insert(0, bytes(registers[0x63 : 0x63 + (registers[0x62] >> 4)]))
        if rule & 0x02:
            parts.append(bytes(registers[0x72 : 0x72 + (registers[0x62] & 0x0F)]))
        if rule & 0x01:
            parts.append({0: b"\r", 1: b"\r\n", 2: b"\t", 3: b""}[rule >> 5 & 3])
        return b"".join(parts)

    def _read_failed(self, now_ms: int) -> list[Output]:
        length = self._registers[0x81] & 0x0F
        if not (self._registers[gm65.REG_TAIL] & 0x10 and length):
            return []
        return [Output(now_ms, bytes(self._registers[0x82 : 0x82 + length]), self.baud)]
