"""Business days in China, and the day on which a business date's money becomes available. Pure.

Rule 1: D+n counts calendar days, T+n business days; a make-up weekend is a business day. T+0 is
        the day itself, or the next business day where banks do not work on it.
Rule 2: a year's days off are known when the State Council has said them. Two libraries know the
        years up to their releases (``library_years``); a later year comes from the operator's
        signed table, which also goes above the libraries. For a year that neither knows,
        ``calendar_horizon``: never a guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from backend.clearing.library_years import library_year
from backend.merchants.model import Cycle
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
    """The libraries' years and the operator's."""

    tables: Mapping[int, YearTable] = field(default_factory=dict)

    def is_business_day(self, day: date) -> bool:
        """Whether banks work; ``CallerError("calendar_horizon")`` for a year that nobody knows."""
        table = self.tables.get(day.year)
        if table is not None:
            return table.is_business_day(day)
        worked = library_year(day.year)
        if worked is None:
            raise CallerError("calendar_horizon", str(day.year))
        return day in worked

    def business_day_after(self, day: date, count: int) -> date:
        """The ``count``-th business day after a day, which itself need not be one."""
        found = day
        for _ in range(count):
            found = _day_after(found)
            while not self.is_business_day(found):
                found = _day_after(found)
        return found

    def business_days_between(self, day: date, later: date) -> int:
        """How many business days lie after a day, up to and with a later one."""
        count = (later - day).days
        return sum(self.is_business_day(day + _DAY * number) for number in range(1, count + 1))

    def settles_on(self, business_date: date, cycle: str) -> date:
        """The day on which a business date's money becomes available to a merchant.

        A function of its arguments and the tables only. ``settlement_cycle_unsupported`` for a
        cycle that is none of ours.
        """
        rule = Cycle.from_text(cycle)
        if rule.basis == "D":
            return business_date + _DAY * rule.days
        if rule.days == 0 and not self.is_business_day(business_date):
            return self.business_day_after(business_date, 1)
        return self.business_day_after(business_date, rule.days)


def _day_after(day: date) -> date:
    if day == date.max:
        raise CallerError("calendar_horizon", str(day.year))
    return day + _DAY
