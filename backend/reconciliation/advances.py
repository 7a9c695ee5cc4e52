"""What a fund repays of our own advances: it comes a business day later, to our own account.

Rule: a day whose repayment is not due yet waits, over a holiday for many days, and its own run does
not wait for it. Later runs look at it again, until it was repaid to the fen or is overdue.
"""

from datetime import date, timedelta

from backend.channels.model import FUND
from backend.clearing.calendar import Calendar
from backend.reconciliation.breaks import BreakClass
from backend.reconciliation.limits import ADVANCE_DAYS_MAX
from backend.reconciliation.match import Matched, match_figures, total
from backend.reconciliation.repository import ReconciliationRepository
from protocol.errors import CallerError


async def match_repaid(
    books: ReconciliationRepository,
    calendar: Calendar,
    *,
    source: str,
    day: date,
    file_minor: int,
    today: date,
) -> Matched:
    """Compare what came of each day's advances, up to ``day``, with what was to come.
    ``file_minor`` is what the fund's file of ``day`` says; of the days before our books do."""
    found: list[Matched] = []
    references = {one: f"STL-{FUND}-{one:%Y%m%d}" for one in _days_up_to(day)}
    repaid = await books.settled(list(references.values()))
    owed = await books.channel_nets(FUND, [one.isoformat() for one in references])
    owed[day.isoformat()] = file_minor
    for one, reference in references.items():
        text, repaid_minor = one.isoformat(), repaid[reference]
        if not repaid_minor and not _is_due(calendar, one, today):
            continue
        found.append(
            match_figures(
                BreakClass.FUNDS, source, ours_minor=repaid_minor,
                theirs_minor=owed.get(text, 0), name=f"{FUND}.{text}",
            )
        )  # fmt: skip
    return total(found)


def _days_up_to(day: date) -> list[date]:
    return [day - timedelta(days=number) for number in range(ADVANCE_DAYS_MAX)]


def _is_due(calendar: Calendar, day: date, today: date) -> bool:
    """Whether the day on which it was to be repaid is over."""
    try:
        return calendar.business_day_after(day, 1) < today
    except CallerError:
        return False  # beyond the calendar's horizon: not before somebody loads a longer one
