"""A bounded memory of who has asked how often: so many per window and caller, and no more."""

from collections import OrderedDict
from collections.abc import Callable

from protocol.errors import OperatingError


class RateLimit:
    """Counts in fixed windows. Owned by the event loop. The oldest caller is forgotten when there
    are too many to remember; ``all_max`` bounds all callers together for that case."""

    def __init__(
        self,
        *,
        now_ms: Callable[[], int],
        window_ms: int,
        each_max: int,
        all_max: int,
        callers_max: int,
    ) -> None:
        self._now_ms = now_ms
        self._window_ms = window_ms
        self._each_max = each_max
        self._all_max = all_max
        self._callers_max = callers_max
        self._window = 0
        self._total = 0
        self._counts: OrderedDict[str, int] = OrderedDict()

    def take(self, caller: str) -> None:
        """Count one; ``OperatingError("busy")`` beyond a bound."""
        window = self._now_ms() // self._window_ms
        if window != self._window:
            self._window, self._total = window, 0
            self._counts.clear()
        count = self._counts.get(caller, 0)
        if count >= self._each_max or self._total >= self._all_max:
            raise OperatingError("busy", "rate")
        self._total += 1
        self._counts[caller] = count + 1
        self._counts.move_to_end(caller)
        if len(self._counts) > self._callers_max:
            self._counts.popitem(last=False)
