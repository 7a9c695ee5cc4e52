"""When the large-value system takes payments: from the evening before a business day until the
afternoon of it. Pure."""

from dataclasses import dataclass
from datetime import date, time, timedelta

import chinese_calendar

from backend.sandbox.institution.own_clock import china_time

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Window:
    """The hours on China's clocks."""

    opens: time = time(20, 30)
    """On the evening before."""
    closes: time = time(17, 15)

    def is_open(self, at_ms: int) -> bool:
        """Whether a payment at this moment is taken."""
        moment = china_time(at_ms)
        if moment.time() < self.closes:
            return is_business_day(moment.date())
        return moment.time() >= self.opens and is_business_day(moment.date() + timedelta(days=1))


def is_business_day(day: date) -> bool:
    """Whether banks work, make-up weekends included; beyond the calendar every Monday to Friday."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < SATURDAY
