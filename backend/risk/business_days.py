"""The clock of what must be done within business days. Pure.

Rule: where the calendar knows no year, each day counts as a business day: a deadline may then be
      too early, and never too late.
"""

from collections.abc import Callable
from datetime import date, timedelta

from protocol.errors import CallerError

_DAY = timedelta(days=1)

IsBusinessDay = Callable[[date], bool]
"""Whether banks work; ``calendar_horizon`` for a year that nobody knows."""


def due_day(is_business_day: IsBusinessDay, day: date, count: int) -> date:
    """The ``count``-th business day after a day, by the rule. Where time ends, its last day."""
    found = day
    while count and found < date.max:
        found += _DAY
        if not is_known(is_business_day, found) or is_business_day(found):
            count -= 1
    return found


def is_known(is_business_day: IsBusinessDay, day: date) -> bool:
    """Whether the calendar knows the day."""
    try:
        is_business_day(day)
    except CallerError:
        return False
    return True
