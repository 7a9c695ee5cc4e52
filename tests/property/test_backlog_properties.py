"""Whatever the load and the backend's speed: nobody who is taken on waits long, nobody starves."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.backlog import Backlog
from hub.domain.limits import (
    BACKLOG_UNMEASURED_MAX,
    BACKLOG_WAIT_MS_MAX,
    BACKLOG_WINDOW_MS_MIN,
)
from protocol.limits import BATCH_ITEMS_MAX
from tests.kit.hub_shop import FakeClock

BATCH_MS = 50
SECONDS = 30
FIRST_MEASURE = BACKLOG_WINDOW_MS_MIN // BATCH_MS + 2
"""Steps until there is one, from when more lies ahead than fits into a batch."""


@given(st.integers(1, BATCH_ITEMS_MAX), st.integers(1, 200))
@settings(max_examples=100)
def test_under_lasting_overload_the_wait_is_bounded_and_the_backend_never_idle(
    per_batch: int, offered: int
) -> None:
    """A backend takes ``per_batch`` every ``BATCH_MS``; ``offered`` come in the same time."""
    clock = FakeClock()
    backlog, queue, waits, idle = Backlog(clock), deque[int](), list[int](), 0
    for _ in range(SECONDS * 1000 // BATCH_MS):
        for _ in range(offered):
            if not backlog.is_late(len(queue)):
                queue.append(clock.ms)
        clock.ms += BATCH_MS
        taken = [queue.popleft() for _ in range(min(per_batch, len(queue)))]
        idle += per_batch - len(taken)
        waits += [clock.ms - came for came in taken]
        backlog.answered(len(taken), len(queue))
    # Until the speed is known, and where one batch takes longer, the number is what is bounded.
    let_in = min(BACKLOG_UNMEASURED_MAX, BATCH_ITEMS_MAX + offered * FIRST_MEASURE)
    unmeasured_ms = let_in * BATCH_MS // per_batch
    least_ms = BATCH_ITEMS_MAX * BATCH_MS // per_batch
    assert max(waits) <= max(BACKLOG_WAIT_MS_MAX, least_ms, unmeasured_ms) + 3 * BATCH_MS
    if offered >= per_batch:
        assert idle == 0, "refusing never leaves the backend without work"
    if offered <= per_batch:
        assert len(waits) + len(queue) == offered * SECONDS * 1000 // BATCH_MS, "nobody is refused"
