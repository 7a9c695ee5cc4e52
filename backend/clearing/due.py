"""Which of a merchant's pending money may become available. Pure.

Rule 1: each business date's earnings wait for the date that the merchant's cycle on that business
        date says; what was earned earlier and settled later never holds back what is due before it.
Rule 2: money given back is taken from what is due first: the earnings of a date that still waits
        stay there.
Rule 3: what came through a channel waits until the channel has paid it into the reserve, however
        long its date is due: nobody is paid out of other clients' money. All else goes on.
Rule 4: whatever of the past is still pending (a refund less than thought, a run that was left out)
        is due with the next run. Nothing stays behind.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from backend.clearing.calendar import Calendar
from backend.clearing.limits import SCHEDULE_DAYS_MAX
from backend.merchants.model import LONGEST_CYCLE, cycle_on
from protocol.errors import CallerError

_DAY = timedelta(days=1)
_LONGEST = (("", LONGEST_CYCLE),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A merchant's pending money at one moment of the books."""

    merchant_id: str
    currency: str
    balance_minor: int
    """Of all its sub-accounts."""
    earned_minor: Mapping[str, int]
    """What postings of each business date, that may still wait, left on them; settlements apart."""
    unpaid_minor: Mapping[str, int]
    """What came through channels on each business date and has not reached the reserve."""
    available_minor: int
    """Settled already and not on its way: a bank has rejected its payout, or a dispute was won.
    Without what came back from the account that the merchant still has."""
    cycles: tuple[tuple[str, str], ...]
    """(first date, cycle), in the order of their versions."""
    returned: tuple[str, ...] = ()
    """Payouts that came back and are not released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a run may settle: no more than ``open_minor``, and never the last ``reserved_minor`` of
    the balance, which later dates have earned or a channel has yet to pay."""

    last_date: str
    """The latest business date that is due."""
    open_minor: int
    reserved_minor: int
    unscheduled: tuple[str, ...]
    """Dates with earnings, whose settlement date the calendar cannot tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A business date's earnings and when they become available; None: the calendar cannot tell."""

    business_date: str
    earned_minor: int
    cycle: str
    settles_on: str | None


def first_waiting(calendar: Calendar, *, through: date, today: date) -> date:
    """No business date before this one may wait any more, whatever the merchant's cycle."""
    found = through + _DAY
    for day in _backwards(through):
        if is_due(calendar, _LONGEST, day, today):
            break
        found = day
    return found


def due(pending: Pending, calendar: Calendar, *, through: date, today: date) -> Due | None:
    """What is due today of the business dates up to ``through``; None if no date is."""
    last = next(
        (day for day in _backwards(through) if is_due(calendar, pending.cycles, day, today)), None
    )
    if last is None:
        return None
    waits = {
        day: earned
        for day, earned in pending.earned_minor.items()
        if day > through.isoformat()
        or not is_due(calendar, pending.cycles, date.fromisoformat(day), today)
    }
    held = held_back(waits, pending.unpaid_minor)
    return Due(
        last_date=last.isoformat(),
        open_minor=pending.balance_minor - sum(held.values()),
        reserved_minor=sum(amount for amount in held.values() if amount > 0),
        unscheduled=tuple(
            day
            for day, earned in sorted(waits.items())
            if earned and _settles_on(calendar, pending.cycles, date.fromisoformat(day)) is None
        ),
    )


def held_back(waits: Mapping[str, int], unpaid: Mapping[str, int]) -> dict[str, int]:
    """What stays pending of each business date: what waits for its settlement date, and no less
    than what a channel has not paid yet."""
    held = dict(waits)
    for day, amount in unpaid.items():
        held[day] = max(held.get(day, 0), amount)
    return held


def settled_now(found: Due, balance_minor: int) -> int:
    """How much of a pending balance becomes available."""
    return max(min(found.open_minor, balance_minor - found.reserved_minor), 0)


def waiting(pending: Pending, calendar: Calendar, today: date) -> list[Waiting]:
    """The business dates whose earnings are not due yet, for people to read."""
    return [
        Waiting(
            business_date=day,
            earned_minor=earned,
            cycle=cycle_on(pending.cycles, day),
            settles_on=found.isoformat() if found is not None else None,
        )
        for day, earned in sorted(pending.earned_minor.items())
        if (found := _settles_on(calendar, pending.cycles, date.fromisoformat(day))) is None
        or found > today
    ]


def is_due(
    calendar: Calendar, cycles: Iterable[tuple[str, str]], business_date: date, today: date
) -> bool:
    """Whether a business date's money may be available today. Beyond the calendar nothing is."""
    found = _settles_on(calendar, cycles, business_date)
    return found is not None and found <= today


def _settles_on(
    calendar: Calendar, cycles: Iterable[tuple[str, str]], business_date: date
) -> date | None:
    try:
        return calendar.settles_on(business_date, cycle_on(cycles, business_date.isoformat()))
    except CallerError as error:
        if error.code != "calendar_horizon":
            raise
        return None


def _backwards(day: date) -> Iterator[date]:
    return (day - timedelta(days=number) for number in range(SCHEDULE_DAYS_MAX))
