"""The printer's ear: a byte stream in, operations out.

Rule 1: the parser only finds where an operation begins and ends; what it means is not its matter.
Rule 2: an unknown command swallows its own letters and no more, as most printers do.
Rule 3: inside data of known length nothing is a command, so ``10 04`` within a raster picture is
a picture (the printer's profile may choose the other behaviour, which exists, too).
"""

from dataclasses import dataclass
from enum import Enum

from firmware_sim.devices.escpos.lengths import COMMANDS, NUL_BYTES_MAX
from firmware_sim.limits import RASTER_BYTES_MAX

_PREFIXES = frozenset(name[:cut] for name in COMMANDS for cut in range(1, len(name)))
_NAME_BYTES_MAX = max(map(len, COMMANDS))


class Sort(Enum):
    """What an operation is to the parser."""

    TEXT = "text"
    CONTROL = "control"
    REALTIME = "realtime"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. ``name`` is the command's letters (``b""`` for text), the rest its data."""

    sort: Sort
    name: bytes
    data: bytes

    @property
    def size(self) -> int:
        """Its bytes on the wire."""
        return len(self.name) + len(self.data)


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

    @property
    def held_bytes(self) -> int:
        """What has arrived of an operation that is not whole yet."""
        return len(self._buffer)

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
            return size, Operation(Sort.TEXT, b"", bytes(buffer[:size]))
        if bytes(buffer[:1]) not in _PREFIXES:
            return 1, Operation(Sort.CONTROL, bytes(buffer[:1]), b"")
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
        start = len(name)
        length = COMMANDS[name]
        count = length(bytes(self._buffer[start : start + NUL_BYTES_MAX]))
        if count < 0 and start - count <= len(self._buffer):
            count = length(bytes(self._buffer[start:]))
        if max(count, -count) > RASTER_BYTES_MAX:
            self.discarded_bytes += start
            return start, None
        if count < 0:
            self._wanted = start - count
            return 0, None
        size = start + count
        if len(self._buffer) < size:
            self._wanted = size
            return 0, None
        sort = Sort.REALTIME if name[0] == 0x10 else Sort.CONTROL
        return size, Operation(sort, name, bytes(self._buffer[start:size]))
