"""Business days and settlement dates, against the State Council's years and a second source."""

from datetime import date, timedelta
from pathlib import Path

import holidays
import pytest

from backend.clearing.calendar import Calendar, YearTable
from backend.clearing.calendar_file import load_calendar
from backend.clearing.limits import CALENDAR_FILE_BYTES_MAX
from protocol.errors import CallerError

CALENDAR = Calendar()
GOOD = """
[2027]
holidays = [2027-01-01, 2027-02-05, 2027-02-06, 2027-02-08]
workdays = [2027-02-20]
"""


@pytest.mark.parametrize(
    ("business_date", "settles_on"),
    [
        ("2026-09-30", "2026-10-08"),  # National Day
        ("2026-02-13", "2026-02-14"),  # a make-up Saturday
        ("2026-02-14", "2026-02-24"),  # the Spring Festival
        ("2026-04-03", "2026-04-07"),
        ("2026-04-30", "2026-05-06"),
        ("2026-09-19", "2026-09-20"),  # from a day off to a make-up Sunday
        ("2025-09-30", "2025-10-09"),
        ("2025-12-31", "2026-01-04"),  # a make-up Sunday
        ("2026-11-23", "2026-11-24"),
        ("2026-11-27", "2026-11-30"),
    ],
)
def test_t_plus_one_is_the_next_business_day(business_date: str, settles_on: str) -> None:
    found = CALENDAR.settles_on(date.fromisoformat(business_date), "T+1")
    assert found.isoformat() == settles_on


@pytest.mark.parametrize(("cycle", "days"), [("D+0", 0), ("D+1", 1)])
def test_d_plus_n_counts_calendar_days_also_over_a_holiday(cycle: str, days: int) -> None:
    for number in range(10):
        day = date(2026, 9, 28) + timedelta(days=number)
        assert CALENDAR.settles_on(day, cycle) == day + timedelta(days=days)


@pytest.mark.parametrize("cycle", ["", "T+0", "D+2", "t+1"])
def test_no_other_cycle_has_a_date(cycle: str) -> None:
    with pytest.raises(CallerError, match="settlement_cycle_unsupported"):
        CALENDAR.settles_on(date(2026, 11, 23), cycle)


def test_two_sources_agree_on_every_day_of_twenty_years() -> None:
    other = holidays.country_holidays("CN", years=range(2007, 2027))
    days = (date(2007, 1, 1) + timedelta(days=number) for number in range(7_305))
    differ = [day for day in days if CALENDAR.is_business_day(day) != other.is_working_day(day)]
    assert differ == []


def test_beyond_the_known_years_nothing_is_guessed() -> None:
    last = date(2026, 12, 31)
    with pytest.raises(CallerError) as caught:
        CALENDAR.settles_on(last, "T+1")
    assert (caught.value.code, caught.value.detail) == ("calendar_horizon", "2027")
    assert CALENDAR.settles_on(last, "D+1") == date(2027, 1, 1)


def test_the_operators_table_carries_the_calendar_on_and_goes_above_it(tmp_path: Path) -> None:
    file = tmp_path / "calendar.toml"
    file.write_text(GOOD)
    calendar = load_calendar(file)
    assert calendar.settles_on(date(2026, 12, 31), "T+1") == date(2027, 1, 4)
    assert calendar.settles_on(date(2027, 2, 4), "T+1") == date(2027, 2, 9)
    assert calendar.settles_on(date(2027, 2, 19), "T+1") == date(2027, 2, 20)
    with pytest.raises(CallerError, match="calendar_horizon"):
        calendar.settles_on(date(2027, 12, 31), "T+1")
    table = YearTable(frozenset({date(2026, 11, 24)}), frozenset())
    assert Calendar({2026: table}).settles_on(date(2026, 11, 23), "T+1") == date(2026, 11, 25)
    assert load_calendar(None) == CALENDAR


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[2027",
        "[27]\nholidays = [2027-01-01]\nworkdays = []",
        "[2027]\nholidays = [2027-01-01]",
        "[2027]\nholidays = [2027-01-01]\nworkdays = []\nnotes = 1",
        "[2027]\nholidays = 2027-01-01\nworkdays = []",
        '[2027]\nholidays = ["2027-01-01"]\nworkdays = []',
        "[2027]\nholidays = [2027-01-01T00:00:00]\nworkdays = []",
        "[2027]\nholidays = [2027-01-01, 2027-01-01]\nworkdays = []",
        "[2027]\nholidays = [2027-01-01, 2026-12-31]\nworkdays = []",
        "[2027]\nholidays = []\nworkdays = []",
        "[2027]\nholidays = [2027-01-01]\nworkdays = [2027-01-04]",
        "[2027]\nholidays = [2027-01-01, 2027-01-02]\nworkdays = [2027-01-02]",
        "[2028]\nholidays = [2028-01-03]\nworkdays = []",
        GOOD + "#" * CALENDAR_FILE_BYTES_MAX,
    ],
)
def test_a_table_that_is_not_exactly_right_is_refused_whole(tmp_path: Path, content: str) -> None:
    file = tmp_path / "calendar.toml"
    file.write_text(content)
    with pytest.raises(CallerError) as caught:
        load_calendar(file)
    assert caught.value.code == "config_invalid"
    assert caught.value.detail.startswith("calendar_file: ")


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        load_calendar(tmp_path / "none.toml")
