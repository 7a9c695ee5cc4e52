"""The settlement date as a function: no luck near closing, the same for everybody who asks."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clearing.calendar import Calendar
from backend.clearing.cut_off import CutOff, settlement_date, settlement_dates
from protocol.clock import CHINA
from protocol.errors import CallerError

CALENDAR = Calendar()


def at(text: str) -> int:
    """A moment in China, in milliseconds."""
    moment = datetime.fromisoformat(text).replace(tzinfo=CHINA)
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("accepted", "cut_off", "expected"),
    [
        ("2026-09-30T22:59:59.999", "23:00", "2026-09-30"),
        ("2026-09-30T23:00:00.000", "23:00", "2026-10-01"),
        ("2026-09-30T23:59:59.999", "24:00", "2026-09-30"),
        ("2026-10-01T00:00:00.000", "24:00", "2026-10-01"),
        ("2026-09-30T14:59:59.999", "15:00 T+1", "2026-10-08"),
        ("2026-09-30T15:00:00.000", "15:00 T+1", "2026-10-08"),
        ("2026-10-08T15:00:00.000", "15:00 T+1", "2026-10-10"),  # a make-up Saturday
        ("2026-10-03T12:00:00.000", "24:00 T+0", "2026-10-08"),
        ("2025-12-31T23:30:00.000", "23:00", "2026-01-01"),
    ],
)
def test_the_date_follows_from_time_cut_off_and_calendar(
    accepted: str, cut_off: str, expected: str
) -> None:
    found = settlement_date(at(accepted), CutOff.from_text(cut_off), CALENDAR)
    assert found.isoformat() == expected


def test_the_last_and_the_first_millisecond_of_a_day_land_on_their_own_sides_every_time() -> None:
    """Which window a transfer near closing lands in is not left to the order of arrival."""
    cut_off = CutOff.from_text("23:00")
    closing = at("2026-11-27T23:00:00")
    moments = [closing + shift for shift in range(-50, 50)]
    in_order = [settlement_date(moment, cut_off, CALENDAR) for moment in moments]
    reversed_order = [settlement_date(moment, cut_off, CALENDAR) for moment in moments[::-1]]
    assert in_order == reversed_order[::-1]
    assert in_order == [date(2026, 11, 27)] * 50 + [date(2026, 11, 28)] * 50


MOMENTS = st.integers(at("2007-02-01T00:00:00"), at("2026-11-30T00:00:00"))
CUTS = st.builds(
    lambda minutes, basis, days: CutOff(at_minutes=minutes, rule=f"{basis}+{days}"),
    st.integers(1, 1_440),
    st.sampled_from("DT"),
    st.integers(0, 10),
)


@given(MOMENTS, MOMENTS, CUTS)
def test_property_what_was_accepted_later_never_settles_earlier(
    one: int, other: int, cut_off: CutOff
) -> None:
    first, later = sorted((one, other))
    assert settlement_date(first, cut_off, CALENDAR) <= settlement_date(later, cut_off, CALENDAR)


@given(MOMENTS, CUTS)
def test_property_a_day_has_one_cut_and_every_moment_one_date(moment: int, cut_off: CutOff) -> None:
    base = CutOff(at_minutes=cut_off.at_minutes)
    local = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=moment)
    day = local.astimezone(CHINA).date()
    assert settlement_date(moment, base, CALENDAR) - day in (timedelta(0), timedelta(days=1))
    a_day_later = settlement_date(moment + 86_400_000, base, CALENDAR)
    assert a_day_later - settlement_date(moment, base, CALENDAR) == timedelta(days=1)


@pytest.mark.parametrize(
    "text", ["", "23", "24:01", "00:00", "25:00", "23:60", "23:00 W+1", "23:00  T+1", "11 pm"]
)
def test_a_cut_off_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        CutOff.from_text(text)


def test_a_rule_that_is_no_cycle_is_refused() -> None:
    with pytest.raises(CallerError, match="settlement_cycle_unsupported"):
        CutOff.from_text("23:00 T+99")


def test_what_the_operator_says_goes_above_what_is_known() -> None:
    late = at("2026-11-27T23:30:00")
    known = settlement_dates(CALENDAR, {})
    assert known.planned("CUP", late) == "2026-11-28"
    assert known.planned("NUCC", late) == "2026-11-27"
    assert known.planned("ANOTHER", late) == "2026-11-27"
    other = settlement_dates(CALENDAR, {"NUCC": "22:00 D+1", "ANOTHER": "23:45"})
    assert other.planned("NUCC", late) == "2026-11-29"
    assert other.planned("CUP", late) == "2026-11-28"
    assert other.planned("ANOTHER", late) == "2026-11-27"


def test_beyond_the_calendar_a_rule_in_business_days_has_no_date() -> None:
    late = at("2026-12-31T23:30:00")
    assert settlement_date(late, CutOff.from_text("23:00"), CALENDAR) == date(2027, 1, 1)
    with pytest.raises(CallerError, match="calendar_horizon"):
        settlement_date(late, CutOff.from_text("23:00 T+0"), CALENDAR)
