"""Net debit caps: how much a channel may owe us before it takes no more payments.

Rule: what a channel owes for all days it has not settled, plus what it was asked for and has not
      answered, plus this payment, is at most its cap. Refunds, reversals and settlements reduce it,
      because they stand on the same accounts; so does a hold that is released.

A channel without a cap reads nothing, and neither does a payment from a balance.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from backend.channels.days import channel_day
from backend.clearing.limits import CAP_DAYS, DAY_MINUTES
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger.tables import ACCOUNT

_DAY = timedelta(days=1)


def position_minor(accounts: Iterable[Row]) -> int:
    """What a channel owes us and may come to owe us: posted both ways, and reserved."""
    return sum(
        row["debits_posted"] - row["credits_posted"] + row["debits_pending"] for row in accounts
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NetDebitCaps:
    """``Room`` of routing: the configured caps, by channel, in minor units.

    The accounts of the last days and the next are read by key, a day more on each side than are
    summed, because a command may be read before midnight and decided after.
    """

    caps_minor: Mapping[str, int]
    now_ms: Callable[[], int]
    currency: str = "CNY"

    def reads(self, channel_id: str) -> Iterable[Read]:
        """The channel's accounts of the days that may be unsettled."""
        if channel_id not in self.caps_minor:
            return ()
        today = channel_day(self.now_ms(), DAY_MINUTES)
        accounts = self._accounts(channel_id, today - _DAY * (CAP_DAYS + 1), CAP_DAYS + 4)
        return [(ACCOUNT, account) for account in accounts]

    def left_minor(self, ws: WorkingSet, channel_id: str, now_ms: int) -> int | None:
        """The largest payment that still fits, never below zero; None where there is no cap."""
        cap = self.caps_minor.get(channel_id)
        if cap is None:
            return None
        today = channel_day(now_ms, DAY_MINUTES)
        accounts = self._accounts(channel_id, today - _DAY * CAP_DAYS, CAP_DAYS + 2)
        rows = (ws.get(ACCOUNT, account) for account in accounts)
        return max(cap - position_minor(row for row in rows if row is not None), 0)

    def _accounts(self, channel_id: str, first: date, days: int) -> Iterator[str]:
        """By the day, each once: a channel that is final at once has one account for all days."""
        named = (
            chart.channel(channel_id, (first + _DAY * number).isoformat(), self.currency)
            for number in range(days)
        )
        return iter(dict.fromkeys(named))
