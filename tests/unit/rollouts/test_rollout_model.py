"""A rollout's life, pure: its table, its thresholds, its waves."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.rollouts.model import (
    BY_PEOPLE,
    TRANSITIONS,
    Plan,
    RolloutState,
    RolloutStep,
    Wave,
    WaveWish,
    next_edge,
    next_step,
    split,
)
from protocol.errors import CallerError

TEN = [f"till-{number}" for number in range(10)]


def test_every_step_that_is_not_in_the_table_is_refused() -> None:
    for state in RolloutState:
        for step in RolloutStep:
            if (state, step) in TRANSITIONS:
                assert next_edge(state, step) == TRANSITIONS[state, step]
            else:
                with pytest.raises(CallerError, match="rollout_state"):
                    next_edge(state, step)


def test_what_has_ended_never_runs_again() -> None:
    ended = {RolloutState.SUCCEEDED, RolloutState.STOPPED, RolloutState.ABORTED}
    for (state, step), edge in TRANSITIONS.items():
        if state in ended:
            assert step is RolloutStep.ROLL_BACK
            assert step in BY_PEOPLE
        assert not (state is RolloutState.ROLLED_BACK and edge)


@pytest.mark.parametrize(("success", "error"), [(0, 0), (101, 0), (90, 11), (50, -1)])
def test_shares_that_contradict_each_other_are_refused(success: int, error: int) -> None:
    with pytest.raises(CallerError, match="100 together"):
        Plan(success_percent=success, error_percent=error).check()


def test_waves_are_taken_by_tag_and_by_share_and_the_rest_is_the_last() -> None:
    tags = {"till-7": ["pilot"], "till-3": ["pilot", "window"]}
    wishes = [WaveWish(tag="pilot"), WaveWish(percent=25), WaveWish(tag="pilot")]
    waves = split(TEN, tags, wishes)
    assert waves == [["till-3", "till-7"], ["till-0", "till-1", "till-2"],
                     ["till-4", "till-5", "till-6", "till-8", "till-9"]]  # fmt: skip
    assert split(TEN[:1], {}, [WaveWish(percent=1)]) == [["till-0"]]
    assert split([], {}, [WaveWish(percent=50)]) == []


def test_a_wave_waits_for_its_share_and_the_last_one_for_everybody() -> None:
    plan = Plan(success_percent=90, error_percent=10)
    first = Wave(size=10, offered=10, succeeded=8)
    assert next_step(plan, [first, Wave(size=5)], 0) is None
    nine = replace(first, succeeded=9)
    assert next_step(plan, [nine, Wave(size=5)], 0) is RolloutStep.ADVANCE
    assert next_step(plan, [nine], 0) is None
    assert next_step(plan, [replace(nine, failed=1)], 0) is RolloutStep.FINISH
    assert next_step(plan, [replace(nine, failed=2)], 0) is RolloutStep.ROLL_BACK
    keeps = replace(plan, rolls_back=False)
    assert next_step(keeps, [replace(nine, failed=2)], 0) is RolloutStep.STOP


def test_a_failure_that_comes_late_stops_a_later_wave() -> None:
    plan = Plan(success_percent=80, error_percent=20)
    waves = [Wave(size=5, offered=5, succeeded=3, failed=2), Wave(size=9, offered=9, succeeded=9)]
    assert next_step(plan, waves, 1) is RolloutStep.ROLL_BACK


def test_a_device_that_is_left_out_counts_neither_way() -> None:
    plan = Plan(success_percent=100, error_percent=0)
    waves = [Wave(size=2, offered=1, succeeded=1, left_out=1), Wave(size=1, left_out=1)]
    assert next_step(plan, waves, 0) is RolloutStep.ADVANCE
    assert next_step(plan, waves, 1) is RolloutStep.FINISH


@settings(max_examples=200)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    success=st.integers(1, 100),
    error=st.integers(0, 99),
    dice=st.randoms(use_true_random=False),
    bad_percent=st.integers(0, 100),
)
def test_no_more_than_one_wave_is_reached_beyond_the_threshold(
    sizes: list[int], success: int, error: int, dice: "st.DrawFn", bad_percent: int
) -> None:
    """Devices answer in any order. Failures beyond what is forgiven are all of one wave and of
    devices that were reached before, and a rollout that nothing stops comes to its end."""
    if success + error > 100:
        success = 100 - error
    plan = Plan(success_percent=success, error_percent=error)
    waves, current = [Wave(size=size) for size in sizes], 0
    waves[0] = replace(waves[0], offered=sizes[0])
    pending = [0] * sizes[0]
    step: RolloutStep | None = None
    while pending:
        number = pending.pop(dice.randrange(len(pending)))  # type: ignore[attr-defined]  # a Random
        fails = dice.randrange(100) < bad_percent  # type: ignore[attr-defined]
        wave = waves[number]
        waves[number] = replace(
            wave, succeeded=wave.succeeded + (not fails), failed=wave.failed + fails
        )
        while (step := next_step(plan, waves, current)) is RolloutStep.ADVANCE:
            assert waves[current].succeeded * 100 >= sizes[current] * success
            current += 1
            waves[current] = replace(waves[current], offered=sizes[current])
            pending += [current] * sizes[current]
        if step is not None:
            break
    forgiven = [size * error // 100 for size in sizes]
    failed = [wave.failed for wave in waves]
    assert sum(max(one - most, 0) for one, most in zip(failed, forgiven, strict=True)) <= 1
    assert all(not wave.offered for wave in waves[current + 1 :])
    is_bad = any(one > most for one, most in zip(failed, forgiven, strict=True))
    assert (step is RolloutStep.ROLL_BACK) == is_bad
    assert is_bad or step is RolloutStep.FINISH
