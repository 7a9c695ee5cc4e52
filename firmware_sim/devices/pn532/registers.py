"""The registers that a host can reach: the radio unit's 64 and its queue (UM0701-02, 8.6)."""

from collections import deque
from dataclasses import dataclass, field

FIRST, COUNT = 0x6300, 0x40
TX_MODE, RX_MODE = 0x6302, 0x6303
QUEUE, QUEUE_LEVEL = 0x6339, 0x633A
QUEUE_BYTES = 64
_FLUSH = 0x80


@dataclass(slots=True)
class Registers:
    """Addresses outside read as 0 and keep nothing."""

    _values: bytearray = field(default_factory=lambda: bytearray(COUNT))
    _queue: deque[int] = field(default_factory=lambda: deque(maxlen=QUEUE_BYTES))

    def read(self, address: int) -> int:
        """One byte. Reading the queue takes from it; an empty one reads as 0."""
        if address == QUEUE:
            return self._queue.popleft() if self._queue else 0
        if address == QUEUE_LEVEL:
            return len(self._queue)
        return self._values[address - FIRST] if FIRST <= address < FIRST + COUNT else 0

    def write(self, address: int, value: int) -> None:
        """One byte; into a full queue it pushes the oldest out."""
        if address == QUEUE:
            self._queue.append(value)
        elif address == QUEUE_LEVEL:
            if value & _FLUSH:
                self._queue.clear()
        elif FIRST <= address < FIRST + COUNT:
            self._values[address - FIRST] = value

    def flush(self, left: bytes) -> None:
        """What the radio unit leaves behind in its queue."""
        self._queue.clear()
        self._queue.extend(left)
