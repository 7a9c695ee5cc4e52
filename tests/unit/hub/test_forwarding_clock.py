"""Forwarding under a clock that jumps: nothing falls silent, is lost, or changes its order."""

from collections.abc import Iterator

import pytest

from hub.domain.forwarding import ForwardingLimits
from hub.domain.limits import (
    UNKNOWN_AFTER_MS,
)
from tests.kit.hub_shop import Bench, say

TILLS = [f"till-{number}" for number in range(1, 101)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(limits=ForwardingLimits(batches_in_flight_max=2, batch_linger_ms=0))
    made.enrol(*TILLS[:60])
    yield made
    made.close()


def test_a_clock_that_jumps_back_does_not_silence_the_line(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.hub.batch_lost(1)
    bench.clock.ms -= 3_600_000
    bench.hub.tick()
    assert 2 in bench.line.batches


HOUR_MS = 3_600_000


def test_a_clock_that_jumps_back_keeps_no_hub_from_saying_that_it_is_offline(bench: Bench) -> None:
    core = bench.hub.core
    say(bench, "till-1", 1)
    bench.hub.batch_lost(1)
    assert core.mode() == "degraded"
    bench.clock.ms -= HOUR_MS
    assert core.mode() == "offline"


def test_a_clock_that_jumps_back_does_not_hold_a_refused_batch(bench: Bench) -> None:
    say(bench, "till-1", 1)
    del bench.line.batches[1]
    bench.hub.batch_refused(1)
    bench.clock.ms -= HOUR_MS
    bench.hub.tick()
    assert 2 in bench.line.batches


def test_a_clock_that_jumps_back_tells_a_terminal_that_waits(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.clock.ms -= HOUR_MS
    bench.hub.tick()
    assert bench.link.words() == [("till-1", "backend_unreachable")]
    say(bench, "till-2", 1)
    bench.clock.ms += UNKNOWN_AFTER_MS
    bench.hub.tick()
    assert bench.link.words()[1:] == [("till-2", "backend_unreachable")], "and goes on as before"


def test_a_clock_that_jumps_back_keeps_no_answer_from_its_terminal(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.answer(1)
    device, _, parcel = bench.link.told[-1]
    assert parcel is not None
    bench.hub.undelivered(device, parcel)
    bench.clock.ms -= HOUR_MS
    bench.hub.tick()
    assert bench.link.told[-1][2] == parcel
    assert len(bench.link.told) == 2
    recorded = bench.connection.execute("SELECT count(*) FROM uplink WHERE answer IS NOT NULL")
    assert recorded.fetchone() == (1,), "what waits is written down at once"


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS])
def test_a_clock_that_jumps_loses_nothing_and_keeps_the_order(bench: Bench, jump_ms: int) -> None:
    say(bench, "till-1", 1)
    bench.hub.batch_lost(1)
    bench.clock.ms += jump_ms
    say(bench, "till-1", 2)
    bench.start()
    bench.enrol("till-1")
    say(bench, "till-1", 3)
    counters = []
    for _ in range(20):
        for number in sorted(bench.line.batches):
            counters += [one.counter for one in bench.line.requests(number)]
            bench.answer(number)
        bench.clock.ms += 1_000
        bench.hub.tick()
    assert list(dict.fromkeys(counters)) == [1, 2, 3]
    assert bench.hub.core.forwarding.rows == 0
