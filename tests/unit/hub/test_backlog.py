"""Beyond the limit *busy*, never a pile: who is put off, when, and who never is."""

from collections import deque
from collections.abc import Iterator

import pytest

from hub.domain.backlog import Backlog, may_wait
from hub.domain.forwarding import ForwardingLimits
from hub.domain.limits import (
    BACKLOG_UNMEASURED_MAX,
    BACKLOG_WAIT_MS_MAX,
    BACKLOG_WINDOW_MS_MAX,
    BACKLOG_WINDOW_MS_MIN,
    BUSY_PAUSE_MS_MAX,
    BUSY_PAUSE_MS_MIN,
    UNKNOWN_AFTER_MS,
)
from protocol.limits import BATCH_ITEMS_MAX
from protocol.messages import REQUESTS
from tests.kit.hub_shop import Bench, FakeClock, say

TILLS = [f"till-{number}" for number in range(1, 61)]
MANY = 10_000
PER_STEP, STEP_MS = 100, BACKLOG_WINDOW_MS_MIN
BOUND = BACKLOG_WAIT_MS_MAX * PER_STEP // STEP_MS
"""What is answered in the time that one may wait."""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def measured(clock: FakeClock, ahead: int = MANY) -> Backlog:
    """A backlog that has seen ``PER_STEP`` answers in ``STEP_MS``."""
    backlog = Backlog(clock)
    backlog.answered(1, ahead)
    clock.ms += STEP_MS
    backlog.answered(PER_STEP, ahead)
    return backlog


def test_who_is_told_busy_is_told_before_it_would_be_told_unknown() -> None:
    assert BACKLOG_WAIT_MS_MAX < UNKNOWN_AFTER_MS


def test_only_new_business_may_wait() -> None:
    assert {kind for kind in REQUESTS if may_wait(kind)} == {"payment.create", "refund.create"}


def test_the_wait_is_what_lies_ahead_by_the_speed_of_late(clock: FakeClock) -> None:
    assert not measured(clock).is_late(BOUND)
    assert measured(clock).is_late(BOUND + 1)


def test_busy_does_not_waver_but_ends_at_half_the_wait(clock: FakeClock) -> None:
    backlog = measured(clock)
    assert backlog.is_late(BOUND + 1)
    assert backlog.is_late(BOUND // 2 + 1)
    assert not backlog.is_late(BOUND // 2)
    assert not backlog.is_late(BOUND)


def lets_in_by_number(backlog: Backlog) -> bool:
    """Whether nothing is known of the speed."""
    return backlog.is_late(BACKLOG_UNMEASURED_MAX) and not backlog.is_late(
        BACKLOG_UNMEASURED_MAX - 1
    )


def test_before_a_speed_was_measured_the_number_is_bounded(clock: FakeClock) -> None:
    backlog = Backlog(clock)
    assert lets_in_by_number(backlog)
    backlog.answered(1, MANY)
    assert lets_in_by_number(backlog)
    assert BOUND < BACKLOG_UNMEASURED_MAX, "else the tests below cannot tell"


@pytest.mark.parametrize("per_s", [500, 700, 900, 1_500])
def test_nobody_of_a_sudden_rush_hears_that_its_answer_comes_later(
    clock: FakeClock, per_s: int
) -> None:
    backlog, queue, waits, idle, step_ms = Backlog(clock), deque[int](), list[int](), 0, 50
    for _ in range(2_000 // step_ms):
        for _ in range(6_000 * step_ms // 1_000):
            if not backlog.is_late(len(queue)):
                queue.append(clock.ms)
        clock.ms += step_ms
        taken = [queue.popleft() for _ in range(min(per_s * step_ms // 1_000, len(queue)))]
        idle += not queue
        waits += [clock.ms - came for came in taken]
        backlog.answered(len(taken), len(queue))
    assert max(waits) <= BACKLOG_WAIT_MS_MAX + 2 * step_ms
    assert len(queue) * 1_000 / per_s < UNKNOWN_AFTER_MS
    assert not idle


def test_what_fits_into_one_batch_never_waits(clock: FakeClock) -> None:
    backlog = Backlog(clock)
    backlog.answered(1, MANY)
    clock.ms += BACKLOG_WINDOW_MS_MAX
    backlog.answered(1, MANY)
    assert backlog.is_late(BATCH_ITEMS_MAX + 1)
    assert not backlog.is_late(BATCH_ITEMS_MAX)


def test_a_speed_is_forgotten_with_the_rush_and_with_the_line(clock: FakeClock) -> None:
    backlog = measured(clock)
    backlog.answered(1, 0)
    clock.ms += BACKLOG_WINDOW_MS_MAX
    assert lets_in_by_number(backlog)
    backlog = measured(clock)
    backlog.forget()
    assert lets_in_by_number(backlog)


@pytest.mark.parametrize("jump_ms", [-3_600_000, 3_600_000])
def test_a_clock_that_jumps_measures_no_speed(clock: FakeClock, jump_ms: int) -> None:
    backlog = measured(clock)
    clock.ms += jump_ms
    backlog.answered(1, MANY)
    assert lets_in_by_number(backlog), "it begins anew"
    clock.ms += STEP_MS
    backlog.answered(PER_STEP, MANY)
    assert not backlog.is_late(BOUND)
    assert backlog.is_late(BOUND + 1)


def test_a_faster_backend_is_believed_step_by_step(clock: FakeClock) -> None:
    backlog = measured(clock)
    assert backlog.is_late(BOUND + 1)
    for _ in range(20):
        clock.ms += STEP_MS
        backlog.answered(4 * PER_STEP, MANY)
    assert not backlog.is_late(BOUND + 1)


def test_a_slower_backend_is_believed_at_once(clock: FakeClock) -> None:
    backlog = measured(clock)
    assert not backlog.is_late(BOUND // 4 + 1)
    clock.ms += STEP_MS
    backlog.answered(PER_STEP // 4, MANY)
    assert backlog.is_late(BOUND // 4 + 1)


def test_a_backend_that_says_busy_for_long_has_new_business_put_off(clock: FakeClock) -> None:
    backlog = Backlog(clock)
    backlog.put_off()
    clock.ms += BACKLOG_WAIT_MS_MAX - 1
    backlog.put_off()
    assert not backlog.is_late(1)
    clock.ms += 1
    assert backlog.is_late(1)
    backlog.answered(1, 0)
    assert not backlog.is_late(1)


# --- in the hub


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(limits=ForwardingLimits(batches_in_flight_max=1, batch_linger_ms=0))
    made.enrol(*TILLS)
    yield made
    made.close()


def ask(bench: Bench, tid: str, counter: int, message_type: str = "payment.create") -> None:
    wire = bench.shop.envelope(tid, counter, sent_at_ms=bench.clock.ms, message_type=message_type)
    bench.hub.receive(tid, wire)


def overload(bench: Bench) -> int:
    """Five envelopes of each till, and a backend of which two batches are known; the next one."""
    for counter in range(1, 6):
        for tid in TILLS:
            ask(bench, tid, counter)
    bench.answer(1)
    for number in (2, 3):
        bench.clock.ms += 2 * BACKLOG_WINDOW_MS_MIN
        bench.answer(number)
    return 4


def test_new_business_is_told_busy_and_nothing_of_it_is_kept(bench: Bench) -> None:
    overload(bench)
    rows = bench.hub.core.forwarding.rows
    ask(bench, "till-1", 6)
    assert bench.link.words() == [("till-1", "busy")]
    assert bench.hub.core.forwarding.rows == rows
    for counter, question in enumerate(("payment.query", "payment.reverse", "refund.query"), 7):
        ask(bench, "till-1", counter, question)
    assert bench.hub.core.forwarding.rows == rows + 3
    assert len(bench.link.words()) == 1


def test_what_was_taken_is_answered_in_its_order_and_then_all_are_welcome(bench: Bench) -> None:
    number = overload(bench)
    ask(bench, "till-1", 6)
    seen: dict[str, list[int]] = {}
    while number in bench.line.batches:
        for one in bench.line.requests(number):
            seen.setdefault(one.device, []).append(one.counter)
        bench.answer(number)
        number += 1
    assert bench.hub.core.forwarding.rows == 0
    assert all(counters == sorted(counters) for counters in seen.values())
    assert len(bench.link.answered()) >= 5 * len(TILLS)
    ask(bench, "till-1", 7)
    assert bench.hub.core.forwarding.rows == 1


def test_a_backend_that_is_away_is_no_overload(bench: Bench) -> None:
    number = overload(bench)
    bench.hub.batch_lost(number)
    rows = bench.hub.core.forwarding.rows
    ask(bench, "till-1", 6)
    assert bench.hub.core.forwarding.rows == rows + 1
    assert not bench.link.words()


def test_a_busy_backend_is_there_and_gets_the_same_batch_after_a_pause(bench: Bench) -> None:
    say(bench, "till-1", 1)
    say(bench, "till-2", 1)
    (before,) = bench.line.requests(1)
    pause_ms = BUSY_PAUSE_MS_MIN
    for number in range(1, 8):
        bench.hub.batch_put_off(number)
        assert bench.hub.core.mode() == "online"
        bench.clock.ms += pause_ms - 1
        bench.hub.tick()
        assert number + 1 not in bench.line.batches, "not before the pause is over"
        assert bench.hub.core.forwarding.next_at_ms() is not None
        bench.clock.ms += 1
        bench.hub.tick()
        assert bench.line.requests(number + 1) == [before]
        pause_ms = min(2 * pause_ms, BUSY_PAUSE_MS_MAX)
    ask(bench, "till-3", 1)
    assert bench.link.words()[-1] == ("till-3", "busy")
    bench.answer(8)
    assert [one.device for one in bench.line.requests(9)] == ["till-2"]
    ask(bench, "till-3", 2)
    assert bench.link.words()[-1] == ("till-3", "busy"), "and nothing more"
    assert bench.link.words().count(("till-3", "busy")) == 1
    bench.answer(9)
    assert [one.device for one in bench.line.requests(10)] == ["till-3"]


def test_a_backend_that_refuses_a_batch_is_not_busy_any_more(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.hub.batch_put_off(1)
    bench.clock.ms += BACKLOG_WAIT_MS_MAX
    bench.hub.tick()
    ask(bench, "till-2", 1)
    assert bench.link.words()[-1] == ("till-2", "busy")
    bench.hub.batch_refused(2)
    ask(bench, "till-3", 1)
    assert [one.device for one in bench.line.requests(3)] == ["till-3"]
