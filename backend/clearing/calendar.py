"""Business days in China, and the day on which a business date's money becomes available. Pure.

Rule 1: D+n counts calendar days, T+n business days; a make-up weekend is a business day.
Rule 2: a year's days off are known when the State Council has said them. The library knows the
        years up to its release; a later year comes from the operator's table, which also goes above
        the library. For a year that neither knows, ``calendar_horizon``: never a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import chinese_calendar

from protocol.errors import CallerError

_SATURDAY = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class YearTable:
    """A year's exceptions: weekdays that are off (and days of a holiday that are weekends anyway),
    and weekends on which people work."""

    holidays: frozenset[date]
    workdays: frozenset[date]

    def is_business_day(self, day: date) -> bool:
        """Whether banks work."""
        if day in self.holidays:
            return False
        return day in self.workdays or day.weekday() < _SATURDAY


@dataclass(frozen=True, slots=True)
class Calendar:
    """The library's years and the operator's."""

    tables: Mapping[int, YearTable] = field(default_factory=dict)

    def is_business_day(self, day: date) -> bool:
        """Whether banks work; ``CallerError("calendar_horizon")`` for a year that nobody knows."""
        table = self.tables.get(day.year)
        if table is not None:
            return table.is_business_day(day)
        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            raise CallerError("calendar_horizon", str(day.year)) from None

    def business_day_after(self, day: date, count: int) -> date:
        """The ``count``-th business day after a day, which itself need not be one."""
        found = day
        for _ in range(count):
            found += _DAY
            while not self.is_business_day(found):
                found += _DAY
        return found

    def settles_on(self, business_date: date, cycle: str) -> date:
        """The day on which a business date's money becomes available to a merchant.

        A function of its arguments and the tables only. ``settlement_cycle_unsupported`` for a
        cycle that is none of ours.
        """
        match cycle:
            case "D+0":
                return business_date
            case "D+1":
                return business_date + _DAY
            case "T+1":
                return self.business_day_after(business_date, 1)
        raise CallerError("settlement_cycle_unsupported", cycle)
