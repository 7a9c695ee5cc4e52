"""The operator's table of days off, for years that the library does not know (TOML).

    [2027]
    holidays = [2027-01-01, 2027-02-05]   # every day off of a holiday, weekends may stand there too
    workdays = [2027-02-20]               # Saturdays and Sundays on which people work

A file that is not exactly of this form is refused whole: half a calendar pays on the wrong day.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from backend.clearing.calendar import Calendar, YearTable
from backend.clearing.limits import CALENDAR_FILE_BYTES_MAX, CALENDAR_YEARS_MAX
from protocol.errors import CallerError

_SATURDAY = 5
_LISTS = ("holidays", "workdays")


def load_calendar(path: Path | None) -> Calendar:
    """The library's years with the file's above them; ``config_invalid`` names what is wrong."""
    if path is None:
        return Calendar()
    try:
        with path.open("rb") as file:
            content = file.read(CALENDAR_FILE_BYTES_MAX + 1)
        if len(content) > CALENDAR_FILE_BYTES_MAX:
            raise _refusal(f"more than {CALENDAR_FILE_BYTES_MAX} bytes")
        years = tomllib.loads(content.decode())
    except OSError as error:
        raise _refusal(str(error.strerror)) from None
    except ValueError as error:
        raise _refusal(str(error)) from None
    if not 0 < len(years) <= CALENDAR_YEARS_MAX:
        raise _refusal(f"between 1 and {CALENDAR_YEARS_MAX} years")
    calendar = Calendar({_year(name): _table(name, content) for name, content in years.items()})
    for year in calendar.tables:
        _check_known(calendar, year - 1)
    return calendar


def _check_known(calendar: Calendar, year: int) -> None:
    """A gap between the years would hide the money of its days."""
    try:
        calendar.is_business_day(date(year, 12, 31))
    except CallerError:
        raise _refusal(f"[{year}] is missing") from None


def _year(name: str) -> int:
    if not (name.isascii() and name.isdigit() and len(name) == 4):
        raise _refusal(f"[{name[:20]}] is not a year")
    return int(name)


def _table(name: str, content: object) -> YearTable:
    if not isinstance(content, dict) or set(content) != set(_LISTS):
        raise _refusal(f"[{name}] has exactly {' and '.join(_LISTS)}")
    holidays, workdays = (_days(name, key, content) for key in _LISTS)
    if holidays & workdays:
        raise _refusal(f"[{name}] has a day that is both off and worked")
    if any(day.weekday() < _SATURDAY for day in workdays):
        raise _refusal(f"[{name}] workdays: only weekends need to be named")
    if not any(day.weekday() < _SATURDAY for day in holidays):
        raise _refusal(f"[{name}] holidays: a year has some on weekdays")
    return YearTable(holidays, workdays)


def _days(name: str, key: str, content: Mapping[str, Any]) -> frozenset[date]:
    listed = content[key]
    if not isinstance(listed, list) or not all(_is_date(day) for day in listed):
        raise _refusal(f"[{name}] {key}: a list of dates as 2027-01-01")
    if any(day.year != int(name) for day in listed) or len(set(listed)) != len(listed):
        raise _refusal(f"[{name}] {key}: dates of {name}, each once")
    return frozenset(listed)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _refusal(why: str) -> CallerError:
    return CallerError("config_invalid", f"calendar_file: {why}")
