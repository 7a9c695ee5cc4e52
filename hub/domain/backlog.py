"""How long an envelope that comes now would wait for the backend, and whether that is too long.

What lies ahead, divided by how fast the backend has answered lately, is the wait (Little's law).

Rule 1: only new business is put off, before anything of it is kept. Questions, reversals and what a
        device tells of itself pass: they resolve what is open and take little.
Rule 2: what fits into one batch waits for no other, so a small rush is never too much; speed is
        measured only once more than that lies ahead; it counts for a while, and is measured on as
        long as it counts and anything lies ahead. A slower one is believed at once, a faster one
        step by step. Until there is one, what lies ahead is bounded by its number.
Rule 3: a hub that began to say *busy* stops when half the wait is left, so that it does not waver.
Rule 4: a backend that cannot be reached is no overload: nothing is known of its speed, and the
        spool keeps what comes. One that says *busy* itself for as long as the wait may be, is.
"""

from hub.domain.limits import (
    BACKLOG_UNMEASURED_MAX,
    BACKLOG_WAIT_MS_MAX,
    BACKLOG_WINDOW_MS_MAX,
    BACKLOG_WINDOW_MS_MIN,
)
from hub.domain.line import is_over
from protocol.clock import Clock
from protocol.limits import BATCH_ITEMS_MAX

_NEW_BUSINESS = frozenset({"payment.create", "refund.create"})


def may_wait(message_type: str) -> bool:
    """Whether a request may be told to come again later."""
    return message_type in _NEW_BUSINESS


class Backlog:
    """How long the envelopes ahead will take. ``ahead`` is how many have arrived and got no answer
    or refusal yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ms: int | None = None
        self._answered = 0
        self._each_ms = 0.0
        self._measured_at_ms: int | None = None
        self._put_off_since_ms: int | None = None
        self._is_late = False

    def answered(self, items: int, ahead: int) -> None:
        """The backend has answered ``items`` (0 where it refused a batch), and ``ahead`` are
        left."""
        self._put_off_since_ms = None
        now = self._clock.now_ms()
        if ahead <= (0 if self._is_known(now) else BATCH_ITEMS_MAX):
            self._began_ms, self._answered = None, 0
            return
        if self._began_ms is None:
            self._began_ms = now
            return
        self._answered += items
        took_ms = now - self._began_ms
        if 0 <= took_ms < BACKLOG_WINDOW_MS_MIN or not self._answered:
            return
        # A window without end is a pause or a clock that jumped, and no speed.
        if 0 < took_ms <= BACKLOG_WINDOW_MS_MAX:
            each_ms = took_ms / self._answered
            is_faster = self._is_known(now) and each_ms < self._each_ms
            self._each_ms = (self._each_ms + each_ms) / 2 if is_faster else each_ms
            self._measured_at_ms = now
        self._began_ms, self._answered = now, 0

    def put_off(self) -> None:
        """The backend is there and says *busy*."""
        if self._put_off_since_ms is None:
            self._put_off_since_ms = self._clock.now_ms()

    def forget(self) -> None:
        """The backend is away: what was measured says nothing more."""
        self._began_ms = self._measured_at_ms = self._put_off_since_ms = None
        self._answered, self._is_late = 0, False

    def is_late(self, ahead: int) -> bool:
        """Whether one more behind so many would wait too long."""
        now, since = self._clock.now_ms(), self._put_off_since_ms
        if since is not None and is_over(since, now, BACKLOG_WAIT_MS_MAX):
            return True
        if not self._is_known(now):
            self._is_late = False
            return ahead >= BACKLOG_UNMEASURED_MAX
        bound_ms = BACKLOG_WAIT_MS_MAX // 2 if self._is_late else BACKLOG_WAIT_MS_MAX
        self._is_late = ahead > BATCH_ITEMS_MAX and ahead * self._each_ms > bound_ms
        return self._is_late

    def _is_known(self, now: int) -> bool:
        """Whether the speed that was measured still counts."""
        at_ms = self._measured_at_ms
        return at_ms is not None and not is_over(at_ms, now, BACKLOG_WINDOW_MS_MAX)
