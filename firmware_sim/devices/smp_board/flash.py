"""NOR flash whose power may fail at every single write.

Rule 1: erasing sets a sector to FF, programming clears bits and never sets one.
Rule 2: each erased sector and each programmed page is one write. Power can be made to fail at any
write, before anything of it happened or when half of it had.
Rule 3: time only adds up here (``busy_ms``); whoever owns the flash answers that much later.
Rule 4: erased sectors take no memory, so that thousands of boards fit one process.
"""

from dataclasses import dataclass, field

from firmware_sim.limits import FLASH_SECTOR_BYTES

PAGE_BYTES = 256
ERASED = 0xFF
ERASE_MS, PROGRAM_MS = 20, 1
_ERASED_SECTOR = bytes([ERASED]) * FLASH_SECTOR_BYTES


class PowerCutError(Exception):
    """The power failed in the middle of a write: nothing after it happens."""


@dataclass(slots=True)
class Flash:
    """So many sectors; ``writes`` counts since the device was made."""

    sectors: int
    writes: int = 0
    busy_ms: int = 0
    _used: dict[int, bytearray] = field(default_factory=dict, repr=False)
    _writes_left: int | None = field(default=None, repr=False)
    _is_torn: bool = field(default=False, repr=False)

    def cut_power_after(self, writes: int, *, is_torn: bool) -> None:
        """Let so many writes succeed and the next one fail, half done if ``is_torn``."""
        self._writes_left, self._is_torn = writes, is_torn

    def read(self, start: int, count: int) -> bytes:
        """``count`` bytes; nothing is read beyond the end."""
        first, last = start // FLASH_SECTOR_BYTES, (start + count - 1) // FLASH_SECTOR_BYTES
        sectors = range(first, min(last + 1, self.sectors))
        whole = b"".join(self._used.get(number, _ERASED_SECTOR) for number in sectors)
        skipped = start - first * FLASH_SECTOR_BYTES
        return whole[skipped : skipped + count]

    def put(self, start: int, data: bytes) -> None:
        """Make ``data`` lie at ``start``, whatever lay there: a programmer's hands, no write."""
        position = 0
        while position < len(data):
            number, offset = divmod(start + position, FLASH_SECTOR_BYTES)
            piece = data[position : position + FLASH_SECTOR_BYTES - offset]
            sector = self._used.setdefault(number, bytearray(_ERASED_SECTOR))
            sector[offset : offset + len(piece)] = piece
            if sector == _ERASED_SECTOR:
                del self._used[number]
            position += len(piece)

    def erase(self, start: int) -> None:
        """Erase the sector that begins at ``start``."""
        self._write(start, b"\xff" * FLASH_SECTOR_BYTES)
        self.busy_ms += ERASE_MS

    def program(self, start: int, data: bytes) -> None:
        """Program ``data`` page by page; pages of nothing but FF are left alone."""
        position = 0
        while position < len(data):
            count = PAGE_BYTES - (start + position) % PAGE_BYTES
            page = data[position : position + count]
            if page.count(ERASED) != len(page):
                old = self.read(start + position, len(page))
                both = int.from_bytes(old, "big") & int.from_bytes(page, "big")
                self._write(start + position, both.to_bytes(len(page), "big"))
                self.busy_ms += PROGRAM_MS
            position += len(page)

    def _write(self, start: int, data: bytes) -> None:
        if self._writes_left == 0:
            self._writes_left = None
            done = len(data) // 2 if self._is_torn else 0
            self.put(start, data[:done])
            raise PowerCutError
        if self._writes_left is not None:
            self._writes_left -= 1
        self.put(start, data)
        self.writes += 1
