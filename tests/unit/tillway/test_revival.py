"""A part that ends comes back, later each time, and not for ever."""

import signal

import pytest

from tillway.revival import (
    BACK_OFF_S,
    STEADY_S,
    TRANSITIONS,
    TRIES_MAX,
    End,
    Phase,
    Revival,
    Turn,
    signal_name,
    why_of,
)

KILLED = End(-signal.SIGKILL)


def test_every_turn_is_in_the_table_and_every_phase_can_be_left() -> None:
    assert {phase for phase, _ in TRANSITIONS} == set(Phase)
    assert {turn for _, turn in TRANSITIONS} == set(Turn)


def test_what_is_not_in_the_table_cannot_happen() -> None:
    part = Revival("hub-1")
    with pytest.raises(KeyError):
        part.came_up(1)
    with pytest.raises(KeyError):
        part.asked(1)
    assert not part.may_be_asked


def test_a_part_that_keeps_ending_is_started_later_each_time_and_then_no_more() -> None:
    part, now_s = Revival("hub-1"), 0.0
    for wait_s in BACK_OFF_S:
        part = part.ended(KILLED, now_s)
        assert part.phase is Phase.WAITING
        assert not part.is_due(now_s + wait_s - 0.01)
        assert part.is_due(now_s + wait_s)
        now_s += wait_s
        part = part.started(now_s).came_up(now_s)
    part = part.ended(KILLED, now_s)
    assert (part.phase, part.ends, part.last) == (Phase.FAILED, TRIES_MAX + 1, KILLED)
    assert not part.is_due(now_s + 10_000)


def test_a_start_that_fails_counts_as_a_try() -> None:
    part = Revival("hub-1").ended(KILLED, 0).started(1).ended(End(reason="port_taken"), 2)
    assert (part.phase, part.tries, part.wait_s) == (Phase.WAITING, 1, BACK_OFF_S[1])


def test_a_part_that_has_run_for_a_while_has_all_its_tries_again() -> None:
    part = Revival("hub-1")
    for _ in range(3):
        part = part.ended(KILLED, 0).started(1).came_up(2)
    assert part.tries == 3
    assert part.ended(KILLED, 2 + STEADY_S - 0.1).tries == 3
    part = part.ended(KILLED, 2 + STEADY_S)
    assert (part.tries, part.ends) == (0, 4)


def test_who_asks_starts_it_at_once() -> None:
    waiting = Revival("hub-1").ended(KILLED, 0)
    assert waiting.asked(0.1).phase is Phase.STARTING
    failed = Revival("hub-1", Phase.FAILED, TRIES_MAX)
    assert (failed.asked(0).phase, failed.asked(0).tries) == (Phase.STARTING, 1)


def test_why_it_ended_is_said_in_words() -> None:
    assert why_of(KILLED) == "SIGKILL"
    assert why_of(End(3)) == "exit code 3"
    assert why_of(End(reason="port_taken: 127.0.0.1:8883")) == "port_taken: 127.0.0.1:8883"
    assert signal_name(0) == signal_name(1) == signal_name(-250) == ""
