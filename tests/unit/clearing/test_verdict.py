"""A day is closed when nothing keeps it open; whatever does is named by its key."""

from typing import Any

import pytest

from backend.clearing.verdict import REASONS, open_because

CLOSED: dict[str, Any] = {
    "sagas_open": 0,
    "unheard": {},
    "reconciliation": {"breaks": 0},
    "clients_short_minor": 0,
    "windows": [{"channel_id": "NUCC", "differs_minor": 0}],
    "payouts": [{"payout_id": "pyo_1", "state": "rejected"}],
    "own_moves": [{"move_id": "swp_1", "state": "confirmed"}],
    "reserve_test": {"passed": True},
}
REASON = {
    "sagas_open": (2, "2 conversations with channels have no end yet"),
    "unheard": ({"CUP": "timeout: x", "ADVBANK": "file_rejected: line 1"}, ""),
    "reconciliation": ({"breaks": 3}, "3 breaks wait for a person"),
    "clients_short_minor": (7, "7 of own money are to come"),
    "windows": ([{"channel_id": "NUCC", "differs_minor": -1}], "NUCC says -1 more than we"),
    "payouts": (
        [{"payout_id": "pyo_1", "state": "unknown"}], "pyo_1 is unknown at the bank",
    ),
    "own_moves": (
        [{"move_id": "swp_1", "state": "instructed"}], "swp_1 is instructed at the bank",
    ),
    "reserve_test": ({"passed": False}, "failed"),
}  # fmt: skip


def test_a_report_without_a_reason_closes_its_day() -> None:
    assert open_because(CLOSED) == []


@pytest.mark.parametrize("key", REASONS)
def test_each_reason_alone_keeps_it_open(key: str) -> None:
    value, words = REASON[key]
    found = open_because(CLOSED | {key: value})
    assert all(one.startswith(f"{key}: ") for one in found)
    if words:
        assert found == [f"{key}: {words}"]


def test_every_channel_that_was_not_heard_is_named_in_order() -> None:
    found = open_because(CLOSED | {"unheard": REASON["unheard"][0]})
    assert found == ["unheard: ADVBANK: file_rejected: line 1", "unheard: CUP: timeout: x"]
