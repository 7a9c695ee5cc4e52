"""Which of the store's hubs a link tries next.

Rule 1: a link stays with a hub until that is lost, or says that it has lost the backend; then it
        goes on to the next one at once. It never goes back by itself, so that hubs that come and
        go do not make tills come and go.
Rule 2: a hub that says so is kept all the same where each of the others has said so, or was not
        there, within ``HUB_USELESS_S``: it keeps what it is given until the backend is back.
Rule 3: the pause grows with every whole round in which nobody was there.
"""

import time
from collections.abc import Callable, Sequence
from random import SystemRandom

from terminal.domain.schedule import gap_ms
from terminal.limits import HUB_USELESS_S, RECONNECT_GAPS_MS, RECONNECT_JITTER_PERCENT

Address = tuple[str, int]
"""Host and port."""


class HubTurns:
    """The hubs of one link, in the order in which they are tried."""

    def __init__(
        self, addresses: Sequence[Address], monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        assert addresses
        self._addresses = tuple(addresses)
        self._at = 0
        self._failures = 0
        self._jitter = SystemRandom()
        self._monotonic_s = monotonic_s
        self._useless_since_s: dict[int, float] = {}

    @property
    def current(self) -> Address:
        """The hub that is tried, or served by, now."""
        return self._addresses[self._at]

    def leave(self) -> bool:
        """The hub that serves says that it has lost the backend; whether to go to another now."""
        now_s = self._useless_since_s[self._at] = self._monotonic_s()
        return any(
            now_s - self._useless_since_s.get(one, -HUB_USELESS_S) >= HUB_USELESS_S
            for one in range(len(self._addresses))
        )

    def next_after(self, *, was_up: bool) -> float:
        """The connection has ended; take the next hub. The pause before it is tried, in seconds,
        with jitter."""
        if not was_up:
            self._useless_since_s[self._at] = self._monotonic_s()
        self._at = (self._at + 1) % len(self._addresses)
        self._failures = 0 if was_up else self._failures + 1
        gap = gap_ms(RECONNECT_GAPS_MS, self._failures // len(self._addresses))
        spread = gap * RECONNECT_JITTER_PERCENT // 100
        return (gap + self._jitter.randint(-spread, spread)) / 1000
