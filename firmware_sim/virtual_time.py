"""An event loop whose time is made: nothing waits, the clock jumps to the next thing due.

Only what is within the process may run on it (``memory:`` lines): a socket's bytes come in real
time, which this loop does not have.
"""

import asyncio
import selectors


class _JumpingSelector(selectors.SelectSelector):
    """Looks at what is ready without waiting, and lets the clock pass instead."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As ``BaseSelector.select``, at once."""
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0:
            self.passed_s += timeout
        return ready if ready or timeout is not None else super().select(None)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time, which begins at 0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.passed_s

    def now_ms(self) -> int:
        """Virtual milliseconds; half a microsecond of rounding is not a millisecond less."""
        return int(self._jumping.passed_s * 1000 + 0.001)
