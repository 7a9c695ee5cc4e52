"""Business days and settlement dates, against the State Council's years and a second source."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clearing.calendar import Calendar, YearTable
from backend.clearing.calendar_file import load_calendar, sign_calendar, signature_path
from backend.clearing.library_years import agreed_year, library_year
from backend.clearing.limits import CALENDAR_FILE_BYTES_MAX
from backend.merchants.model import Cycle
from protocol.crypto import generate
from protocol.errors import CallerError
from protocol.signed_note import NoteKey

CALENDAR = Calendar()
SIGNER = generate()
KEY = NoteKey("calendar.example", SIGNER.public)
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


@pytest.mark.parametrize(("cycle", "days"), [("D+0", 0), ("D+1", 1), ("D+10", 10)])
def test_d_plus_n_counts_calendar_days_also_over_a_holiday(cycle: str, days: int) -> None:
    for number in range(10):
        day = date(2026, 9, 28) + timedelta(days=number)
        assert CALENDAR.settles_on(day, cycle) == day + timedelta(days=days)


@pytest.mark.parametrize("cycle", ["", "T+11", "D+11", "t+1", "T+01", "D+-1", "D+1 ", "W+1"])
def test_no_other_cycle_has_a_date(cycle: str) -> None:
    with pytest.raises(CallerError, match="settlement_cycle_unsupported"):
        CALENDAR.settles_on(date(2026, 11, 23), cycle)


@pytest.mark.parametrize(
    ("business_date", "settles_on"),
    [
        ("2026-09-30", "2026-09-30"),
        ("2026-10-01", "2026-10-08"),
        ("2026-10-10", "2026-10-10"),  # a make-up Saturday, on which exchanges are closed
        ("2026-10-11", "2026-10-12"),
    ],
)
def test_t_plus_zero_is_the_day_itself_or_the_next_business_day(
    business_date: str, settles_on: str
) -> None:
    found = CALENDAR.settles_on(date.fromisoformat(business_date), "T+0")
    assert found.isoformat() == settles_on


def test_both_libraries_know_and_agree_on_twenty_years_and_none_later() -> None:
    """Of 2005 they tell differently: it is refused as a year that nobody knows."""
    known = [year for year in range(2000, 2040) if library_year(year) is not None]
    assert known == [2004, *range(2006, 2027)]


def test_a_year_on_which_the_libraries_differ_by_one_day_is_refused() -> None:
    def of_week(day: date) -> bool:
        return day.weekday() < 5

    def but_one(day: date) -> bool:
        return of_week(day) and day != date(2026, 12, 31)

    def unknown(day: date) -> bool:
        raise NotImplementedError

    worked = agreed_year(2026, of_week, of_week)
    assert worked is not None
    assert len(worked) == 261
    assert agreed_year(2026, of_week, but_one) is None
    assert agreed_year(2026, but_one, of_week) is None
    assert agreed_year(2026, unknown, of_week) is None
    assert agreed_year(2026, of_week, unknown) is None


DAYS = st.dates(date(2007, 1, 1), date(2026, 11, 1))
COUNTS = st.integers(0, 10)


@given(DAYS, COUNTS)
def test_property_d_plus_n_counts_calendar_days(day: date, count: int) -> None:
    assert (CALENDAR.settles_on(day, f"D+{count}") - day).days == count


@given(DAYS, COUNTS)
def test_property_t_plus_n_lands_on_a_business_day_with_n_of_them_on_the_way(
    day: date, count: int
) -> None:
    found = CALENDAR.settles_on(day, f"T+{count}")
    assert CALENDAR.is_business_day(found)
    if count:
        assert CALENDAR.business_days_between(day, found) == count
        assert CALENDAR.business_days_between(day, found - timedelta(days=1)) == count - 1


@given(DAYS, DAYS, st.sampled_from("DT"), COUNTS, COUNTS)
def test_property_a_later_day_or_a_longer_cycle_never_settles_earlier(
    one: date, other: date, basis: str, few: int, many: int
) -> None:
    first, later = sorted((one, other))
    few, many = sorted((few, many))
    found = CALENDAR.settles_on(first, f"{basis}+{few}")
    assert found <= CALENDAR.settles_on(later, f"{basis}+{few}")
    assert found <= CALENDAR.settles_on(first, f"{basis}+{many}")
    assert CALENDAR.settles_on(first, f"D+{few}") <= CALENDAR.settles_on(first, f"T+{few}")


@given(st.sampled_from("DT"), COUNTS)
def test_property_a_cycle_is_read_as_it_is_written(basis: str, days: int) -> None:
    found = Cycle.from_text(f"{basis}+{days}")
    assert (found.basis, found.days) == (basis, days)


def test_beyond_the_known_years_nothing_is_guessed() -> None:
    last = date(2026, 12, 31)
    with pytest.raises(CallerError) as caught:
        CALENDAR.settles_on(last, "T+1")
    assert (caught.value.code, caught.value.detail) == ("calendar_horizon", "2027")
    assert CALENDAR.settles_on(last, "D+1") == date(2027, 1, 1)
    with pytest.raises(CallerError, match="calendar_horizon"):
        CALENDAR.business_day_after(date.max, 1)
    with pytest.raises(CallerError, match="calendar_horizon"):
        CALENDAR.business_day_after(date(9999, 3, 5), 1)


def write(tmp_path: Path, content: str = GOOD) -> Path:
    """A calendar that the operator has signed."""
    file = tmp_path / "calendar.toml"
    file.write_text(content)
    signature_path(file).write_text(sign_calendar(file, KEY.name, SIGNER))
    return file


def test_the_operators_table_carries_the_calendar_on_and_goes_above_it(tmp_path: Path) -> None:
    calendar = load_calendar(write(tmp_path), KEY)
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
        load_calendar(file, KEY)
    assert caught.value.code == "config_invalid"
    assert caught.value.detail.startswith("calendar_file: ")


def test_a_table_that_the_named_key_has_not_signed_says_no_day(tmp_path: Path) -> None:
    file = write(tmp_path)
    assert load_calendar(file, KEY).tables.keys() == {2027}
    other = generate()
    for key in (NoteKey(KEY.name, other.public), NoteKey("another.example", SIGNER.public)):
        with pytest.raises(CallerError, match="signature_invalid"):
            load_calendar(file, key)
    file.write_text(GOOD.replace("2027-02-20", "2027-02-21"))
    with pytest.raises(CallerError, match="signature_invalid"):
        load_calendar(file, KEY)


def test_no_bit_of_a_signature_can_be_another(tmp_path: Path) -> None:
    file = write(tmp_path)
    note = bytearray(signature_path(file).read_bytes())
    for place in range(len(note)):
        changed = bytes((*note[:place], note[place] ^ 1, *note[place + 1 :]))
        signature_path(file).write_bytes(changed)
        with pytest.raises(CallerError, match="signature_invalid"):
            load_calendar(file, KEY)


def test_a_table_without_a_signature_or_a_key_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path)
    with pytest.raises(CallerError, match="calendar_key"):
        load_calendar(file)
    signature_path(file).unlink()
    with pytest.raises(CallerError, match="config_invalid"):
        load_calendar(file, KEY)


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        load_calendar(tmp_path / "none.toml", KEY)
