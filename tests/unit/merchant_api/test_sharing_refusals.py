"""Why a round of profit sharing, or the way back of a share, cannot be: each reason at its edge."""

from dataclasses import replace
from typing import Any

import pytest

from backend.sharing.limits import RETURN_WITHIN_MS_MAX, RETURNS_PER_SHARE_MAX, ROUNDS_MAX
from backend.sharing.model import Shareable, SharingState, refusal, return_refusal

SHARED = Shareable(
    state=SharingState.FROZEN,
    amount_minor=10_000,
    shared_minor=1_000,
    available_minor=1_500,
    round_count=ROUNDS_MAX - 1,
    paid_at_ms=0,
    after_ms=60_000,
    bps_max=3_000,
)
BACK: dict[str, Any] = {
    "amount_minor": 300, "left_minor": 300, "return_count": RETURNS_PER_SHARE_MAX - 1,
    "done_at_ms": 0, "now_ms": RETURN_WITHIN_MS_MAX,
}  # fmt: skip


def test_a_round_at_every_edge_is_allowed() -> None:
    assert refusal(SHARED, wanted_minor=1_500, now_ms=60_000) is None
    whole = replace(SHARED, available_minor=9_000)
    assert refusal(whole, wanted_minor=2_000, now_ms=60_000) is None


@pytest.mark.parametrize(
    ("changes", "wanted_minor", "now_ms", "code"),
    [
        ({"state": SharingState.RELEASED}, 1, 60_000, "share_released"),
        ({}, 1_500, 59_999, "share_too_early"),
        ({"round_count": ROUNDS_MAX}, 1, 60_000, "share_rounds_exceeded"),
        ({"available_minor": 9_000}, 2_001, 60_000, "share_above_part"),
        ({}, 1_501, 60_000, "share_short"),
    ],
)
def test_a_round_beyond_an_edge_is_refused_with_its_reason(
    changes: dict[str, Any], wanted_minor: int, now_ms: int, code: str
) -> None:
    assert refusal(replace(SHARED, **changes), wanted_minor=wanted_minor, now_ms=now_ms) == code


def test_a_share_comes_back_at_every_edge() -> None:
    assert return_refusal(**BACK) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": 301}, "share_return_exceeds"),
        ({"return_count": RETURNS_PER_SHARE_MAX}, "share_rounds_exceeded"),
        ({"now_ms": RETURN_WITHIN_MS_MAX + 1}, "share_return_late"),
    ],
)
def test_a_return_beyond_an_edge_is_refused_with_its_reason(
    changes: dict[str, Any], code: str
) -> None:
    assert return_refusal(**{**BACK, **changes}) == code
