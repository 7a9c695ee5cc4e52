"""Which of the store's hubs a link tries next.

Rule 1: a link stays with a hub until that is lost, then goes on to the next one at once; it never
        goes back by itself, so that hubs that come and go do not make tills come and go.
Rule 2: the pause grows with every whole round in which nobody was there.
"""

from collections.abc import Sequence
from random import SystemRandom

from terminal.domain.schedule import gap_ms
from terminal.limits import RECONNECT_GAPS_MS, RECONNECT_JITTER_PERCENT

Address = tuple[str, int]
"""Host and port."""


class HubTurns:
    """The hubs of one link, in the order in which they are tried."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        assert addresses
        self._addresses = tuple(addresses)
        self._at = 0
        self._failures = 0
        self._jitter = SystemRandom()

    @property
    def current(self) -> Address:
        """The hub that is tried, or served by, now."""
        return self._addresses[self._at]

    def next_after(self, *, was_up: bool) -> float:
        """The connection has ended; take the next hub. The pause before it is tried, in seconds,
        with jitter."""
        self._at = (self._at + 1) % len(self._addresses)
        self._failures = 0 if was_up else self._failures + 1
        gap = gap_ms(RECONNECT_GAPS_MS, self._failures // len(self._addresses))
        spread = gap * RECONNECT_JITTER_PERCENT // 100
        return (gap + self._jitter.randint(-spread, spread)) / 1000
