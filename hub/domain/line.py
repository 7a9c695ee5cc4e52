"""Whether the backend can be reached, and when to try again.

Up: anything may be sent. Down: after a growing, jittered pause one batch probes; when it is
answered, the line is up.
"""

from hub.domain.limits import LINE_RETRY_MS_MAX, LINE_RETRY_MS_MIN
from protocol.clock import Clock, Entropy


def is_over(since_ms: int, now_ms: int, wait_ms: int) -> bool:
    """Whether a wait is over. A wait that begins in the future is over too: the clock was put back,
    and nobody should wait until it has caught up."""
    return not 0 <= now_ms - since_ms < wait_ms


class Line:
    """The state of the line to the backend."""

    def __init__(self, *, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._failures = 0
        self._retry_at_ms = 0
        self.down_since_ms: int | None = None

    @property
    def is_up(self) -> bool:
        """Whether nothing has failed since the last answer."""
        return self.down_since_ms is None

    @property
    def retry_at_ms(self) -> int:
        """When the next probe may go; meaningful while the line is down."""
        return self._retry_at_ms

    def fail(self) -> None:
        """Something sent got no answer."""
        now = self._clock.now_ms()
        if self.down_since_ms is None:
            self.down_since_ms = now
        elif not self.is_due():
            return  # Several batches died of the same break: it counts once.
        self._retry_at_ms = now + self._pause_ms()
        self._failures += 1

    def is_due(self) -> bool:
        """Whether a probe may go. A clock that jumped back does not silence the line."""
        left_ms = self._retry_at_ms - self._clock.now_ms()
        return left_ms <= 0 or left_ms > LINE_RETRY_MS_MAX

    def recover(self) -> None:
        """Something was answered."""
        self.down_since_ms = None
        self._failures = 0

    def _pause_ms(self) -> int:
        """Exponential with full jitter over its upper half, so that hubs do not come in step."""
        ceiling = min(LINE_RETRY_MS_MAX, LINE_RETRY_MS_MIN << min(self._failures, 16))
        draw = int.from_bytes(self._entropy.token_bytes(4), "big")
        return ceiling // 2 + draw % (ceiling // 2 + 1)
