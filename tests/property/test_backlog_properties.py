"""Whatever the load and the backend's speed: nobody who is taken on waits long, nobody starves."""

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.backlog import Backlog
from hub.domain.limits import BACKLOG_WAIT_MS_MAX
from protocol.limits import BATCH_ITEMS_MAX
from tests.kit.hub_shop import FakeClock

BATCH_MS = 50
SECONDS = 30


@given(st.integers(1, BATCH_ITEMS_MAX), st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_under_lasting_overload_the_wait_is_bounded_and_the_backend_never_idle(
    per_batch: int, offered: int
) -> None:
    """A backend takes ``per_batch`` every ``BATCH_MS``; ``offered`` come in the same time."""
    clock = FakeClock()
    backlog, queue, waits, idle = Backlog(clock), deque[int](), list[int](), 0
    # Before the first measure nobody is refused: what came until then is the only long wait.
    first_refused_ms: int | None = None
    steady: list[int] = []
    for _ in range(SECONDS * 1000 // BATCH_MS):
        for _ in range(offered):
            if not backlog.is_late(len(queue)):
                queue.append(clock.ms)
            elif first_refused_ms is None:
                first_refused_ms = clock.ms
        clock.ms += BATCH_MS
        taken = [queue.popleft() for _ in range(min(per_batch, len(queue)))]
        idle += per_batch - len(taken)
        waits += [clock.ms - came for came in taken]
        if first_refused_ms is not None:
            steady += [clock.ms - came for came in taken if came > first_refused_ms]
        backlog.answered(len(taken), len(queue))
    least_ms = BATCH_ITEMS_MAX * BATCH_MS // per_batch
    assert max(steady, default=0) <= max(BACKLOG_WAIT_MS_MAX, least_ms) + 3 * BATCH_MS
    if offered >= per_batch:
        assert idle == 0, "refusing never leaves the backend without work"
    if offered <= per_batch:
        assert len(waits) + len(queue) == offered * SECONDS * 1000 // BATCH_MS, "nobody is refused"
