"""The time by which charges are measured and priced: it passes as it really does, whatever the
wall's clock is set to meanwhile. Pure.

Rule 1: from where it began it goes on by the monotonic clock. It is set to the wall only while
        nothing runs that was heard of lately.
Rule 2: what an earlier start of the program left running goes on where it was last heard of: the
        wall tells how long nobody looked, where that can be true.
Rule 3: chargers are told this time, so that a jump of the wall is none of theirs while a car
        charges.
"""

from typing import Protocol

from hub.ocpp.limits import SAID_LATE_MS_MAX
from protocol.clock import Clock


class HubClock(Clock, Protocol):
    """The wall's clock, which may jump, and a tick that never goes back."""

    def ticks_ms(self) -> int:
        """Milliseconds of a clock that never goes back."""
        ...


class ChargingTime:
    """The store's time for its chargers."""

    def __init__(self, clock: HubClock) -> None:
        self._clock = clock
        self._ahead_ms = clock.now_ms() - clock.ticks_ms()

    def now_ms(self) -> int:
        """Milliseconds since 1970, as far as the wall was right when it was last looked at."""
        return self._clock.ticks_ms() + self._ahead_ms

    def ticks_ms(self) -> int:
        """Time that only passes, for what waits."""
        return self._clock.ticks_ms()

    def set_right(self) -> None:
        """Take the wall's time: nothing runs."""
        self._ahead_ms = self._clock.now_ms() - self._clock.ticks_ms()

    def resume(self, heard_ms: int) -> None:
        """Go on from when something that runs was last heard of, at a start of the program."""
        self.set_right()
        if not 0 <= self.now_ms() - heard_ms <= SAID_LATE_MS_MAX:
            self._ahead_ms = heard_ms - self._clock.ticks_ms()
