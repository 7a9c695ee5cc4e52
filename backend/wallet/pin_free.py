"""Small payments without a PIN, confirmed or by code: asked and counted inside the payment's own
transaction.

Rule 1: what is confirmed with the PIN or a finger does not count. What is refused does not count
        either; what its channel declines later does.
Rule 2: a payment of an earlier date than the latest one counts in the latest.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.wallet.limits import PIN_FREE_MINOR_MAX
from backend.wallet.model import PinFreeDay, WalletRules
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER, PIN_FREE
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A payment that may need no PIN."""

    payer_id: str
    currency: str
    amount_minor: int
    day: str
    """The business date."""

    @property
    def read(self) -> Read:
        """The row that ``pin_reason`` and ``count_pin_free`` work on."""
        return PIN_FREE, (self.payer_id, self.currency)


def pin_reason(ws: WorkingSet, rules: WalletRules, small: Small) -> str | None:
    """Why the PIN is needed; None if it is not."""
    return rules.pin_reason(small.amount_minor, day_of(ws.get(*small.read), small.day))


def code_reason(
    ws: WorkingSet, rules: WalletRules, small: Small, *, merchant_limit_minor: int
) -> str | None:
    """Why a payment by code needs the payer's word; None if it does not."""
    day = day_of(ws.get(*small.read), small.day)
    return rules.code_reason(small.amount_minor, day, merchant_limit_minor=merchant_limit_minor)


def count_pin_free(ws: WorkingSet, small: Small) -> None:
    """Count a payment that was taken without a PIN."""
    row = ws.get(*small.read)
    day = day_of(row, small.day)
    counted = {
        "day": max(small.day, row["day"]) if row else small.day,
        "spent_minor": day.spent_minor + small.amount_minor,
        "count": day.count + 1,
    }
    if row is None:
        ws.insert(PIN_FREE, {"payer_id": small.payer_id, "currency": small.currency, **counted})
    else:
        ws.update(*small.read, **counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoosePinFree:
    """The payer's own limit of one payment without a PIN, at most ours; None: ours. Zero: the PIN
    is always asked."""

    payer_id: str
    currency: str
    limit_minor: int | None

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id), (PIN_FREE, (self.payer_id, self.currency))]

    def decide(self, ws: WorkingSet, now_ms: int) -> int | None:  # noqa: ARG002  # no time is kept
        payer_row(ws, self.payer_id)
        if self.limit_minor is not None and not 0 <= self.limit_minor <= PIN_FREE_MINOR_MAX:
            raise CallerError("amount_invalid", "limit_minor")
        key = (self.payer_id, self.currency)
        if ws.get(PIN_FREE, key) is None:
            ws.insert(PIN_FREE, {"payer_id": self.payer_id, "currency": self.currency})
        ws.update(PIN_FREE, key, chosen_minor=self.limit_minor)
        return self.limit_minor


def day_of(row: Row | None, day: str) -> PinFreeDay:
    """What the row says of a business date."""
    if row is None:
        return PinFreeDay()
    if row["day"] < day:
        return PinFreeDay(chosen_minor=row["chosen_minor"])
    return PinFreeDay(
        chosen_minor=row["chosen_minor"], spent_minor=row["spent_minor"], count=row["count"]
    )
