"""A channel's breaker: what opens it, what closes it, and how long it stays."""

from itertools import product

import pytest

from backend.routing.health import CLOSED, TRANSITIONS, Health, HealthState, HealthStep
from backend.routing.limits import (
    OPEN_MS,
    OPEN_MS_MAX,
    PROBE_MS,
    SILENCE_MEMORY_MS,
    SILENCES_TO_OPEN,
)

T = 1_000_000


def silent(times: int, *, health: Health = CLOSED, at_ms: int = T) -> Health:
    for _ in range(times):
        health = health.unanswered(at_ms)
    return health


OPEN = silent(SILENCES_TO_OPEN)


def test_every_step_is_in_the_table_or_impossible() -> None:
    legal = {
        (HealthState.CLOSED, HealthStep.TRIP): HealthState.OPEN,
        (HealthState.OPEN, HealthStep.COOL_DOWN): HealthState.HALF_OPEN,
        (HealthState.HALF_OPEN, HealthStep.TRIP): HealthState.OPEN,
        (HealthState.HALF_OPEN, HealthStep.RECOVER): HealthState.CLOSED,
    }
    for pair in product(HealthState, HealthStep):
        assert TRANSITIONS.get(pair) == legal.get(pair)


def test_so_many_silences_in_a_row_open_it_and_one_less_does_not() -> None:
    assert silent(SILENCES_TO_OPEN - 1).state is HealthState.CLOSED
    assert OPEN.state is HealthState.OPEN
    assert not OPEN.admits(T)


def test_an_answer_between_begins_the_count_anew() -> None:
    health = silent(SILENCES_TO_OPEN - 1).answered(T)
    assert health == CLOSED
    assert silent(SILENCES_TO_OPEN - 1, health=health).admits(T)


def test_a_silence_of_long_ago_does_not_count_with_the_next() -> None:
    later = T + SILENCE_MEMORY_MS
    health = silent(SILENCES_TO_OPEN - 1).unanswered(later)
    assert (health.state, health.silences) == (HealthState.CLOSED, 1)


def test_an_open_one_cools_down_and_lets_one_probe_through() -> None:
    assert not OPEN.admits(T + OPEN_MS - 1)
    now = T + OPEN_MS
    assert OPEN.at(now).state is HealthState.HALF_OPEN
    assert OPEN.admits(now)
    probing = OPEN.admitted(now)
    assert not probing.admits(now + PROBE_MS - 1)
    assert probing.admits(now + PROBE_MS)


def test_the_probe_s_answer_closes_it_and_forgets_all() -> None:
    now = T + OPEN_MS
    assert OPEN.admitted(now).answered(now + 5) == CLOSED


def test_the_probe_s_silence_opens_it_for_twice_as_long() -> None:
    now = T + OPEN_MS
    again = OPEN.admitted(now).unanswered(now)
    assert again.state is HealthState.OPEN
    assert not again.admits(now + 2 * OPEN_MS - 1)
    assert again.admits(now + 2 * OPEN_MS)


def test_it_never_stays_open_longer_than_the_bound() -> None:
    health, now = OPEN, T
    for _ in range(40):
        now += OPEN_MS_MAX
        health = health.admitted(now).unanswered(now)
    assert health.admits(now + OPEN_MS_MAX)


def test_what_is_heard_of_an_open_one_changes_nothing() -> None:
    assert OPEN.answered(T + 1) == OPEN
    assert OPEN.unanswered(T + 1) == OPEN


@pytest.mark.parametrize("health", [CLOSED, OPEN])
def test_a_payment_let_through_elsewhere_than_half_open_is_no_probe(health: Health) -> None:
    assert health.admitted(T) == health
