"""The two clocks of the terminal: one that people and signatures read, one that timers read."""

from typing import Protocol


class TerminalClock(Protocol):
    """A wall clock that may jump, and a tick that never goes back."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...

    def ticks_ms(self) -> int:
        """Milliseconds of a clock that never goes back."""
        ...
