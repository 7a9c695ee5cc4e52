"""How far a hub's clock is from the backend's, by the date in the head of an answer."""

import pytest

from hub.adapters.backend import lead_s

POLL_S = 25.0


@pytest.mark.parametrize(
    ("told_s", "took_s", "ahead_s"),
    [
        (1_000, 0.1, 0),
        (990, 0.1, 9),
        (1_300, 0.1, -300),
        (975, POLL_S, 0),  # written when the poll was asked, as uvicorn does
        (1_000, POLL_S, 0),  # written when it was answered
        (940, POLL_S, 35),
        (1_060, POLL_S, -60),
    ],
)
def test_the_time_that_a_poll_waited_is_no_lead(told_s: int, took_s: float, ahead_s: int) -> None:
    assert lead_s(told_s, now_s=1_000.0, took_s=took_s) == ahead_s
