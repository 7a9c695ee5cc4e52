"""Which envelopes travel together, and how long they wait for each other."""

from collections.abc import Iterator

import pytest

from hub.domain.forwarding import ForwardingLimits
from hub.domain.limits import (
    BATCH_FILL_ITEMS,
    BATCH_LINGER_MS,
)
from tests.kit.hub_shop import Bench, say

TILLS = [f"till-{number}" for number in range(1, 101)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(limits=ForwardingLimits(batches_in_flight_max=2, batch_linger_ms=0))
    made.enrol(*TILLS[:60])
    yield made
    made.close()


def test_what_arrives_while_batches_are_on_the_way_travels_together(bench: Bench) -> None:
    for tid in TILLS[:60]:
        say(bench, tid, 1)
    assert [len(bench.line.requests(number)) for number in (1, 2)] == [1, 1]
    bench.answer(1)
    assert len(bench.line.requests(3)) == 50
    bench.answer(2)
    assert len(bench.line.requests(4)) == 8


@pytest.fixture
def patient() -> Iterator[Bench]:
    """A hub that lets envelopes wait for company."""
    made = Bench(limits=ForwardingLimits())
    made.enrol(*TILLS[:60])
    yield made
    made.close()


def test_an_envelope_goes_at_once_when_nothing_is_on_the_way(patient: Bench) -> None:
    say(patient, "till-1", 1)
    assert len(patient.line.requests(1)) == 1
    assert patient.hub.core.forwarding.linger_left_ms() is None


def test_while_a_batch_is_on_the_way_the_next_fills_up(patient: Bench) -> None:
    say(patient, "till-1", 1)
    for tid in TILLS[1 : BATCH_FILL_ITEMS + 1]:
        say(patient, tid, 1)
    assert [len(patient.line.requests(number)) for number in (1, 2)] == [1, BATCH_FILL_ITEMS]
    for tid in TILLS[30 : 30 + BATCH_FILL_ITEMS]:
        say(patient, tid, 1)
    assert patient.hub.core.forwarding.linger_left_ms() == BATCH_LINGER_MS, (
        "the third batch waits for twice as many"
    )
    patient.answer(1)
    assert len(patient.line.requests(3)) == BATCH_FILL_ITEMS
    assert patient.hub.core.forwarding.linger_left_ms() is None


def test_nobody_waits_for_company_longer_than_the_linger(patient: Bench) -> None:
    say(patient, "till-1", 1)
    say(patient, "till-2", 1)
    due = patient.clock.ms + BATCH_LINGER_MS
    assert patient.hub.core.forwarding.next_at_ms() == due
    patient.clock.ms = due
    patient.hub.tick()
    assert len(patient.line.requests(2)) == 1


def test_a_second_wait_is_measured_from_its_own_begin(patient: Bench) -> None:
    forwarding = patient.hub.core.forwarding
    say(patient, "till-1", 1)
    say(patient, "till-2", 1)
    patient.clock.ms += BATCH_LINGER_MS - 1
    assert forwarding.linger_left_ms() == 1
    patient.answer(1)
    assert forwarding.linger_left_ms() is None, "a batch came back: nobody waits any longer"
    say(patient, "till-3", 1)
    patient.clock.ms += 3
    assert forwarding.linger_left_ms() == BATCH_LINGER_MS - 3


def test_what_is_left_of_a_wait_is_never_more_than_all_of_it(patient: Bench) -> None:
    say(patient, "till-1", 1)
    say(patient, "till-2", 1)
    patient.clock.ms -= 60_000
    assert patient.hub.core.forwarding.linger_left_ms() == BATCH_LINGER_MS


def test_a_clock_put_back_ends_the_wait(patient: Bench) -> None:
    say(patient, "till-1", 1)
    say(patient, "till-2", 1)
    patient.clock.ms -= 60_000
    patient.hub.tick()
    assert len(patient.line.requests(2)) == 1


def test_nobody_lingers_while_the_line_is_down(patient: Bench) -> None:
    say(patient, "till-1", 1)
    say(patient, "till-2", 1)
    patient.hub.batch_lost(1)
    assert patient.hub.core.forwarding.linger_left_ms() is None
