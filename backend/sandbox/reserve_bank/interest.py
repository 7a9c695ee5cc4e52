"""Interest on reserves: the daily balances of a quarter at a yearly rate, on the 21st of its last
month. Pure."""

from collections.abc import Iterable
from datetime import date

from backend.sandbox.reserve_bank.limits import INTEREST_DAYS_PER_YEAR
from protocol.money import Money

PAID_ON, QUARTER_MONTHS = 21, 3
_BPS = 10_000


def last_due(today: date) -> date:
    """The latest day, today or before, on which interest is paid."""
    found = date(today.year, today.month, PAID_ON)
    while found > today or found.month % QUARTER_MONTHS:
        year, month = (found.year, found.month - 1) if found.month > 1 else (found.year - 1, 12)
        found = date(year, month, PAID_ON)
    return found


def interest(balances: Iterable[Money], *, rate_bps: int, currency: str) -> Money:
    """What a rate on daily balances comes to, cut to the minor unit; overdrafts bear none."""
    days = sum(max(balance.amount_minor, 0) for balance in balances)
    return Money(days * rate_bps // (_BPS * INTEREST_DAYS_PER_YEAR), currency)


def reference(due: date) -> str:
    """The statement's reference of a payment of interest."""
    return f"INT-{due:%Y%m%d}"
