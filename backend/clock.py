"""Where the backend takes time and randomness from. Nothing else here reads the machine's."""

import secrets
import time
from collections.abc import Callable

from backend.limits import CLOCK_ADVANCE_MS_MAX
from protocol.clock import Clock
from protocol.errors import CallerError


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000_000


class OffsetClock:
    """A clock that an operator may put forward, never back. For the demo and the sandbox.

    ``keep`` is told how far it is ahead before it is: what was dated by this clock must not lie
    in the future of the next run's, which begins with ``ahead_ms``.
    """

    def __init__(
        self, base: Clock, *, ahead_ms: int = 0, keep: Callable[[int], None] | None = None
    ) -> None:
        self._base = base
        self._offset_ms = ahead_ms
        self._keep = keep

    def now_ms(self) -> int:
        """The base clock's time plus the offset."""
        return self._base.now_ms() + self._offset_ms

    def advance(self, advance_ms: int) -> int:
        """Put the clock forward and return its new time; ``field_invalid`` for going back."""
        if not 0 <= advance_ms <= CLOCK_ADVANCE_MS_MAX:
            raise CallerError("field_invalid", "advance_ms")
        ahead_ms = self._offset_ms + advance_ms
        if self._keep is not None:
            self._keep(ahead_ms)
        self._offset_ms = ahead_ms
        return self.now_ms()

    def ahead_ms(self) -> int:
        """How far this clock was put forward."""
        return self._offset_ms


def ahead_ms(clock: Clock) -> int:
    """How far the backend's clock is ahead of the machines around it, which nobody put forward."""
    return clock.ahead_ms() if isinstance(clock, OffsetClock) else 0


class SystemEntropy:
    """The operating system's randomness."""

    def token_bytes(self, count: int) -> bytes:
        """``count`` unpredictable bytes."""
        return secrets.token_bytes(count)
