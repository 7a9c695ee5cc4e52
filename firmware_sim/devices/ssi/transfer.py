"""What the engine says and waits to have acknowledged.

Rule: one packet at a time. One that is not acknowledged in the response time is said again with
the resent bit, twice; then the whole transfer is given up (Programmer's Guide, "Retries").
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from protocol.framing import ssi

RESENDS_MAX = 2


class Transfer:
    """The packets under way."""

    def __init__(self) -> None:
        self._packets: deque[ssi.Packet] = deque()
        self._resends = 0
        self.due_ms: int | None = None
        self.resent = self.lost = 0

    @property
    def is_busy(self) -> bool:
        """Whether the host has still to acknowledge something."""
        return bool(self._packets)

    def start(self, packets: Iterable[ssi.Packet], now_ms: int, wait_ms: int) -> list[ssi.Packet]:
        """Say these; what was under way is forgotten."""
        self._packets = deque(packets)
        return self._first(now_ms, wait_ms)

    def acknowledged(self, now_ms: int, wait_ms: int) -> list[ssi.Packet]:
        """The host has it: the next one, if any."""
        if self._packets:
            self._packets.popleft()
        return self._first(now_ms, wait_ms)

    def again(self, now_ms: int, wait_ms: int) -> list[ssi.Packet]:
        """The host has it not, or is silent: once more, or never."""
        self.due_ms = None
        if not self._packets:
            return []
        if self._resends >= RESENDS_MAX:
            self.lost += 1
            self.drop()
            return []
        self._resends += 1
        self.resent += 1
        self.due_ms = now_ms + wait_ms
        packet = self._packets[0]
        return [replace(packet, status=packet.status | ssi.STATUS_RESENT)]

    def drop(self) -> None:
        """Forget what is under way."""
        self._packets.clear()
        self.due_ms = None

    def _first(self, now_ms: int, wait_ms: int) -> list[ssi.Packet]:
        self._resends = 0
        self.due_ms = now_ms + wait_ms if self._packets else None
        return [self._packets[0]] if self._packets else []
