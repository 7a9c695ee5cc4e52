"""When to try again: gaps that grow to a last one, and a bag of deadlines."""

from collections.abc import Sequence


def gap_ms(gaps: Sequence[int], tries: int) -> int:
    """The gap after ``tries`` tries (0 = after the first); the last gap repeats."""
    return gaps[min(tries, len(gaps) - 1)]


def rest_ms(wait_ms: int, age_ms: int) -> int:
    """What is left of a wait, never more than the whole wait even if the clock jumped."""
    return min(max(wait_ms - age_ms, 0), wait_ms)


TimerKey = tuple[str, str]


class Timers:
    """Deadlines by key, in milliseconds of a clock that never goes back."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: dict[TimerKey, int] = {}

    def set(self, key: TimerKey, at_ms: int) -> None:
        """(Re)arm a deadline."""
        self._at[key] = at_ms

    def drop(self, *keys: TimerKey) -> None:
        """Forget deadlines; unknown keys do not matter."""
        for key in keys:
            self._at.pop(key, None)

    def is_set(self, key: TimerKey) -> bool:
        """Whether this deadline is armed."""
        return key in self._at

    def next_ms(self) -> int | None:
        """The earliest deadline."""
        return min(self._at.values(), default=None)

    def take_due(self, now_ms: int) -> list[TimerKey]:
        """The keys whose time has come, earliest first; they are forgotten."""
        due = sorted((at, key) for key, at in self._at.items() if at <= now_ms)
        for _, key in due:
            del self._at[key]
        return [key for _, key in due]
