"""An image on its way into a slot, page by page."""

import hmac
from dataclasses import dataclass, field

from firmware_sim.devices.smp_board.flash import PAGE_BYTES
from firmware_sim.devices.smp_board.slots import Slot
from firmware_sim.limits import FLASH_SECTOR_BYTES
from protocol.crypto.hashes import sha256


@dataclass(slots=True)
class Upload:
    """One session. It lives in RAM: a reset forgets it, the pages it wrote stay."""

    slot: Slot
    length: int
    sha: bytes
    offset: int = 0
    _page: bytearray = field(default_factory=bytearray)
    _written: int = 0

    @classmethod
    def begin(cls, slot: Slot, *, length: int, sha: bytes) -> "Upload":
        """Forget what the slot's trailer said, and await the first byte."""
        slot.erase_trailer()
        return cls(slot, length, sha)

    @property
    def is_complete(self) -> bool:
        """Whether all bytes are in flash."""
        return self.offset == self.length

    @property
    def matches(self) -> bool:
        """Whether what now lies in flash has the hash that the host announced."""
        stored = self.slot.flash.read(self.slot.start, self.length)
        return hmac.compare_digest(sha256(stored), self.sha)

    def is_same(self, *, length: int, sha: bytes) -> bool:
        """Whether a new first piece means this session; without a hash it never does."""
        return bool(sha) and sha == self.sha and length == self.length

    def add(self, data: bytes) -> None:
        """Take the next piece; it fits, for the caller has looked."""
        self._page += data
        self.offset += len(data)
        while len(self._page) >= PAGE_BYTES:
            self._program(bytes(self._page[:PAGE_BYTES]))
            del self._page[:PAGE_BYTES]
        if self.is_complete and self._page:
            self._program(bytes(self._page))
            self._page.clear()

    def _program(self, page: bytes) -> None:
        at = self.slot.start + self._written
        if at % FLASH_SECTOR_BYTES == 0:
            self.slot.flash.erase(at)
        self.slot.flash.program(at, page)
        self._written += len(page)
