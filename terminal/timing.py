"""The two clocks of the terminal: one that people and signatures read, one that timers read."""

from typing import Protocol

from terminal.limits import CLOCK_TOLD_MS_MAX


class TerminalClock(Protocol):
    """A wall clock that may jump, and a tick that never goes back."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...

    def ticks_ms(self) -> int:
        """Milliseconds of a clock that never goes back."""
        ...


def ahead_ms(*, sent_at_ms: int, arrived_at_ms: int, answered_at_ms: int) -> int | None:
    """How far our clock is ahead of another that answered us; None: it took too long to tell."""
    if not 0 <= arrived_at_ms - sent_at_ms <= CLOCK_TOLD_MS_MAX:
        return None
    return (sent_at_ms + arrived_at_ms) // 2 - answered_at_ms
