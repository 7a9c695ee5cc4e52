"""What `tillway clearing` says of breaks and of a day that stays open: nothing is cut off."""

from typing import Any

import pytest

from backend.reconciliation.breaks import BreakState, proposed
from tillway.clearing import show_report
from tillway.clearing_breaks import _COMMANDS, told

BREAK = {
    "break_id": "brk_0123456789abcdef0123456789abcdef",
    "kind": "SHORT_MISSING_CHANNEL",
    "source": "channel ADVBANK",
    "reference": "pay_01M8HX5XHZMHSRFQX0SDWEDDMX",
    "channel_reference": "",
    "business_date": "2026-11-30",
    "state": "pooled",
    "age_days": 1,
    "ours_minor": 4_446,
    "theirs_minor": None,
    "currency": "CNY",
    "proposed": None,
}


@pytest.mark.parametrize(
    ("changes", "second"),
    [
        ({}, "    2026-11-30, 1 days old: pooled"),
        (
            {"proposed": "write_off"},
            "    2026-11-30, 1 days old: pooled; for a person: resolve --write-off",
        ),
        ({"proposed": "ask_back"}, "    2026-11-30, 1 days old: pooled; for a person: return"),
    ],
)
def test_a_break_is_told_with_its_whole_id_and_what_to_do(
    changes: dict[str, Any], second: str
) -> None:
    first, found, _ = told(BREAK | changes)
    assert (first, found) == ("brk_0123456789abcdef0123456789abcdef  SHORT_MISSING_CHANNEL", second)


def test_every_step_that_is_proposed_has_a_command() -> None:
    steps = {
        proposed(state, minor, can_go_back=back)
        for state in BreakState for minor in (-1, 1) for back in (True, False)
    }  # fmt: skip
    assert {step.value for step in steps if step is not None} == set(_COMMANDS)


def test_both_sides_and_the_channel_s_number_stand_beside_each_other() -> None:
    assert told(BREAK)[2] == (
        "    channel ADVBANK: pay_01M8HX5XHZMHSRFQX0SDWEDDMX  ours 44.46 CNY, theirs none"
    )
    assert "(R-7)" in told(BREAK | {"channel_reference": "R-7"})[2]


def test_a_report_says_line_by_line_why_its_day_is_open(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reason = "unheard: ADVBANK: file_rejected: line 3: the trailer's count: 91, and not 1 [gbk]"
    report = {
        "day": "2026-12-01",
        "payouts": [],
        "reconciliation": {"matched": 30, "found": 2, "breaks": 1, "kinds": ["AMOUNT", "FUNDS"]},
        "swept_minor": 0,
        "state": "open",
        "open_because": [reason, "reserve_test: failed"],
    }
    show_report(report)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-5:] == [
        "30 figures agree, 2 do not (AMOUNT, FUNDS)",
        "fees swept: 0 minor units; the day is open",
        f"  {reason}",
        "  reserve_test: failed",
        "see: tillway clearing breaks list",
    ]
