"""The fund's two calendars. Pure.

A trading day is a weekday that is no holiday; a bank's business day may also be a weekend that
makes up for a holiday. Past the library's horizon nothing is known: ``calendar_horizon``.
"""

from collections.abc import Callable
from datetime import date, timedelta

import chinese_calendar

from protocol.errors import CallerError

_DAY = timedelta(days=1)
_SATURDAY = 5


def is_bank_day(day: date) -> bool:
    """Whether banks work: weekdays that are no holidays, and make-up weekends."""
    return _known(chinese_calendar.is_workday, day)


def is_trading_day(day: date) -> bool:
    """Whether the exchanges and the fund's price have this day; never a weekend."""
    return day.weekday() < _SATURDAY and is_bank_day(day)


def next_bank_day(day: date) -> date:
    """T+1 of a day."""
    found = day + _DAY
    while not is_bank_day(found):
        found += _DAY
    return found


def income_days(day: date) -> int:
    """How many calendar days' income a trading day publishes: its own, and those before it without
    trading."""
    count, before = 1, day - _DAY
    while not is_trading_day(before):
        count, before = count + 1, before - _DAY
    return count


def _known(ask: Callable[[date], bool], day: date) -> bool:
    try:
        return bool(ask(day))
    except NotImplementedError:
        raise CallerError("calendar_horizon", day.isoformat()) from None
