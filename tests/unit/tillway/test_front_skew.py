"""How far the backend's clock is ahead: learned from questions that take their time."""

from hypothesis import given
from hypothesis import strategies as st

from tillway.front.skew import Skew


@given(
    ahead_ms=st.sampled_from([0, 43_200_000, -5]),
    ways=st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80)), min_size=1, max_size=20),
)
def test_it_is_never_further_off_than_the_quickest_answer_took(
    ahead_ms: int, ways: list[tuple[int, int]]
) -> None:
    skew, now_ms = Skew(), 1_000_000
    for there_ms, back_ms in ways:
        heard_ms = now_ms + there_ms + back_ms
        told = skew.learn(asked_ms=now_ms, said_ms=now_ms + there_ms + ahead_ms, heard_ms=heard_ms)
        assert told == skew.ahead_ms
        now_ms = heard_ms + 1500
    assert abs(skew.ahead_ms - ahead_ms) <= min(sum(way) for way in ways) + 1


def test_a_clock_that_goes_with_ours_is_never_said_to_be_ahead() -> None:
    skew = Skew()
    for lag_ms in (37, 5, 90, 12):
        assert skew.learn(asked_ms=1000, said_ms=1000 + lag_ms, heard_ms=1000 + lag_ms) == 0


def test_what_has_been_said_stays_while_nothing_speaks_against_it() -> None:
    skew = Skew()
    first = skew.learn(asked_ms=0, said_ms=5_040, heard_ms=80)
    assert first == 5_000
    assert skew.learn(asked_ms=1000, said_ms=6_070, heard_ms=1090) == first
    assert skew.learn(asked_ms=2000, said_ms=7_030, heard_ms=2005) == 5_027


def test_a_clock_that_was_moved_is_learned_anew() -> None:
    skew = Skew()
    skew.learn(asked_ms=0, said_ms=2, heard_ms=4)
    assert skew.learn(asked_ms=100, said_ms=86_400_102, heard_ms=104) == 86_400_000
