"""So many tries in a window, for each and for all, and a bounded memory."""

import pytest

from backend.rate_limit import RateLimit
from protocol.errors import OperatingError
from tests.support.backend import StepClock


def limit(clock: StepClock, *, all_max: int = 100, callers_max: int = 10) -> RateLimit:
    return RateLimit(
        now_ms=clock.now_ms, window_ms=1000, each_max=2, all_max=all_max, callers_max=callers_max
    )


def is_refused(rate: RateLimit, caller: str) -> bool:
    try:
        rate.take(caller)
    except OperatingError as error:
        assert error.code == "busy"
        return True
    return False


def test_each_caller_has_so_many_and_the_next_window_is_new() -> None:
    clock = StepClock()
    rate = limit(clock)
    assert [is_refused(rate, "a") for _ in range(3)] == [False, False, True]
    assert not is_refused(rate, "b")
    clock.at_ms += 1000
    assert not is_refused(rate, "a")


def test_all_together_have_a_bound() -> None:
    rate = limit(StepClock(), all_max=3)
    assert [is_refused(rate, str(n)) for n in range(4)] == [False, False, False, True]


def test_no_more_callers_are_remembered_than_the_bound() -> None:
    rate = limit(StepClock(), callers_max=2)
    for caller in ("a", "a", "b", "c", "d"):
        rate.take(caller)
    assert not is_refused(rate, "a")


@pytest.mark.parametrize("caller", ["", "::1"])
def test_a_caller_without_an_address_is_counted_too(caller: str) -> None:
    rate = limit(StepClock())
    assert [is_refused(rate, caller) for _ in range(3)] == [False, False, True]
