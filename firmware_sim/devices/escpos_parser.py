"""The printer's ear: a byte stream in, operations out.

Rule 1: the parser only finds where an operation begins and ends; what it means is not its matter.
Rule 2: an unknown command swallows its own letters and no more, as most printers do.
Rule 3: inside data of known length nothing is a command, so ``10 04`` within a raster picture is
a picture (the printer's profile may choose the other behaviour, which exists, too).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from firmware_sim.limits import RASTER_BYTES_MAX


class Kind(Enum):
    """What an operation is to the parser."""

    TEXT = "text"
    CONTROL = "control"
    REALTIME = "realtime"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``name`` is the command's letters (``b""`` for text), the rest its data."""

    kind: Kind
    name: bytes
    data: bytes


Length = Callable[[bytes], int | None]
"""How many bytes follow the command's letters, or ``None`` while that cannot be known."""


def _fixed(count: int) -> Length:
    return lambda _: count


def _until_nul(data: bytes) -> int | None:
    end = data.find(b"\x00")
    return None if end < 0 else end + 1


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _after_word(data: bytes) -> int | None:
    return None if len(data) < 2 else 2 + _word(data, 0)


def _after_long(data: bytes) -> int | None:
    return None if len(data) < 4 else 4 + int.from_bytes(data[:4], "little")


def _raster(data: bytes) -> int | None:
    return None if len(data) < 5 else 5 + _word(data, 1) * _word(data, 3)


def _column_image(data: bytes) -> int | None:
    if len(data) < 3:
        return None
    return 3 + _word(data, 1) * (3 if data[0] in (32, 33) else 1)


def _barcode(data: bytes) -> int | None:
    if not data:
        return None
    if data[0] <= 6:
        return _until_nul(data)
    return None if len(data) < 2 else 2 + data[1]


def _cut(data: bytes) -> int | None:
    if not data:
        return None
    return 2 if data[0] in (65, 66, 97, 98, 103, 104) else 1


def _tabs(data: bytes) -> int | None:
    return _until_nul(data)


def _packed(data: bytes) -> int | None:
    """GS ( X pL pH: one letter, a length word, that many bytes."""
    return None if len(data) < 3 else 3 + _word(data, 1)


COMMANDS: dict[bytes, Length] = {
    **{bytes([0x1B, letter]): _fixed(0) for letter in b"@2imFG<"},
    **{bytes([0x1B, letter]): _fixed(1) for letter in b"dJ3a!EG-M{VtRr=U _"},
    **{bytes([0x1B, letter]): _fixed(2) for letter in b"$\\B"},
    b"\x1bc": _fixed(2), b"\x1bp": _fixed(3), b"\x1b*": _column_image, b"\x1bD": _tabs,
    **{bytes([0x1C, letter]): _fixed(0) for letter in b"&."},
    **{bytes([0x1C, letter]): _fixed(1) for letter in b"!-WC"},
    b"\x1cS": _fixed(2), b"\x1c(": _packed,
    **{bytes([0x1D, letter]): _fixed(1) for letter in b"!BhwHfIrab"},
    **{bytes([0x1D, letter]): _fixed(2) for letter in b"LWPT$\\"},
    b"\x1dV": _cut, b"\x1dk": _barcode, b"\x1d(": _packed,
    b"\x1dv0": _raster, b"\x1d8L": _after_long,
    b"\x10\x04": _fixed(1), b"\x10\x05": _fixed(1), b"\x10\x14": _fixed(3),
}  # fmt: skip
_PREFIXES = frozenset(name[:cut] for name in COMMANDS for cut in range(1, len(name)))
_NAME_BYTES_MAX = max(map(len, COMMANDS))


class EscPosParser:
    """Bytes in, operations out. Holds at most one unfinished operation, of bounded size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted = 0
        self.discarded_bytes = 0

    def clear(self) -> None:
        """Forget what has begun."""
        self._buffer.clear()
        self._wanted = 0

    def feed(self, data: bytes) -> list[Operation]:
        """The operations that ``data`` completes."""
        self._buffer += data
        found: list[Operation] = []
        while self._buffer and len(self._buffer) >= self._wanted:
            size, operation = self._first()
            if size == 0:
                break
            self._wanted = 0
            del self._buffer[:size]
            if operation is not None:
                found.append(operation)
        return found

    def _first(self) -> tuple[int, Operation | None]:
        """The first operation and its size; size 0 while more bytes are needed."""
        buffer = self._buffer
        if buffer[0] >= 0x20:
            size = next((at for at, value in enumerate(buffer) if value < 0x20), len(buffer))
            return size, Operation(Kind.TEXT, b"", bytes(buffer[:size]))
        if bytes(buffer[:1]) not in _PREFIXES:
            return 1, Operation(Kind.CONTROL, bytes(buffer[:1]), b"")
        for cut in range(2, _NAME_BYTES_MAX + 1):
            name = bytes(buffer[:cut])
            if len(name) < cut:
                return 0, None
            if name in COMMANDS:
                return self._command(name)
            if name not in _PREFIXES:
                self.discarded_bytes += cut
                return cut, None
        raise AssertionError("a name is a command, a prefix of one, or neither")

    def _command(self, name: bytes) -> tuple[int, Operation | None]:
        head = bytes(self._buffer[len(name) : len(name) + 8])
        length = COMMANDS[name]
        count = length(head)
        if count is None and length in (_until_nul, _tabs, _barcode):
            count = length(bytes(self._buffer[len(name) : len(name) + 258]))
            if count is None and len(self._buffer) > 258:
                count = 0
        if count is None:
            return 0, None
        if count > RASTER_BYTES_MAX:
            self.discarded_bytes += len(name)
            return len(name), None
        size = len(name) + count
        if len(self._buffer) < size:
            self._wanted = size
            return 0, None
        kind = Kind.REALTIME if name[0] == 0x10 else Kind.CONTROL
        return size, Operation(kind, name, bytes(self._buffer[len(name) : size]))
