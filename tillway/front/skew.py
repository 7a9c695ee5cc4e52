"""How far another program's clock is ahead of ours, from what it says when it is asked. Pure.

It was read between the question and the answer, so each asking gives a span; all of them together
a narrower one. A span that does not meet the others means that the clock was moved.
"""

from dataclasses import dataclass

_READ_MS = 1
"""Each clock tells whole milliseconds."""


@dataclass(slots=True)
class Skew:
    """What has been learned so far. ``ahead_ms`` stays as it is while nothing speaks against it."""

    ahead_ms: int = 0
    _least_ms: int | None = None
    _most_ms: int | None = None

    def learn(self, *, asked_ms: int, said_ms: int, heard_ms: int) -> int:
        """``said_ms`` by its clock, between two times of ours."""
        least_ms, most_ms = said_ms - heard_ms - _READ_MS, said_ms - asked_ms + _READ_MS
        if self._least_ms is not None and self._most_ms is not None:
            is_moved = least_ms > self._most_ms or most_ms < self._least_ms
            if not is_moved:
                least_ms = max(least_ms, self._least_ms)
                most_ms = min(most_ms, self._most_ms)
        self._least_ms, self._most_ms = least_ms, most_ms
        if not least_ms <= self.ahead_ms <= most_ms:
            self.ahead_ms = 0 if least_ms <= 0 <= most_ms else (least_ms + most_ms) // 2
        return self.ahead_ms
