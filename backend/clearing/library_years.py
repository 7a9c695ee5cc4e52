"""The years whose days off two independent libraries know, and tell alike. Pure.

Rule: a year counts only if both libraries know it and agree on every day of it. One of them knows
      the statutory days of later years without the make-up weekends, and would pay on a wrong day.
"""

from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

import chinese_calendar
import holidays

from backend.clearing.limits import LIBRARY_YEARS_CACHED

IsWorked = Callable[[date], bool]
"""Whether people work on a day; ``NotImplementedError`` for a year that the library lacks."""


def _of_statutory_days(year: int) -> IsWorked:
    known = holidays.country_holidays("CN", years=year)
    return known.is_working_day


@lru_cache(maxsize=LIBRARY_YEARS_CACHED)
def library_year(year: int) -> frozenset[date] | None:
    """The business days of a year; None if it is not known twice and alike."""
    return agreed_year(year, chinese_calendar.is_workday, _of_statutory_days(year))


def agreed_year(year: int, one: IsWorked, other: IsWorked) -> frozenset[date] | None:
    """The business days of a year on which two sources agree wholly; else None."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    try:
        worked = frozenset(day for day in days if one(day))
        is_same = worked == {day for day in days if other(day)}
    except NotImplementedError:
        return None
    return worked if is_same else None
