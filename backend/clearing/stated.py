"""What a bank's statement shows under a reference, followed in the books.

Rule 1: an entry is posted once, under its reference. If the bank corrects its statement, the
        difference is posted as ``<reference>.<number>``: nothing that was posted is changed.
Rule 2: what is posted under a reference is always the sum of these.
Rule 3: a correction is of the same day. What stands under a known reference on another day is
        another entry, and nothing is posted for it: the reconciliation names it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.limits import CORRECTIONS_PER_ENTRY_MAX
from backend.clearing.model import stated_transfers
from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from backend.ledger.tables import TRANSFER


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowEntry(ABC):
    """The command that follows an entry. Each kind of entry has its own, which says what is posted
    for an amount."""

    reference: str
    """The statement's; it is the event's id, too."""
    business_date: str
    currency: str
    amount_minor: int

    def reads(self) -> Iterable[Read]:
        known: list[Read] = [(TRANSFER, each) for each in stated_transfers(self.reference)]
        return [*known, *ledger.reads(self._transfers(self._event(), self.amount_minor))]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        """Post what the books lack; False if that is nothing, or was corrected too often."""
        posted = self._posted(ws)
        more_minor = self.amount_minor - self._sum_minor(posted)
        if not more_minor or len(posted) > CORRECTIONS_PER_ENTRY_MAX:
            return False
        if any(one.business_date != self.business_date for one in posted):
            return False
        event = self._event(f".{len(posted)}" if posted else "")
        return ledger.post(ws, self._transfers(event, more_minor), now_ms)

    def _differs_minor(self, ws: WorkingSet) -> int | None:
        """How much more the statement shows than we have posted; None: nothing is posted yet."""
        posted = self._posted(ws)
        return self.amount_minor - self._sum_minor(posted) if posted else None

    def _event(self, number: str = "") -> Event:
        return Event(self.reference + number, self.currency, self.business_date)

    def _posted(self, ws: WorkingSet) -> list[Transfer]:
        rows = (ws.find(TRANSFER, each) for each in stated_transfers(self.reference))
        return [Transfer.of_row(row) for row in rows if row is not None]

    def _sum_minor(self, posted: Iterable[Transfer]) -> int:
        account = self._account
        return sum(
            one.amount_minor if one.debit == account else -one.amount_minor for one in posted
        )

    @property
    def _account(self) -> str:
        """The account of our books that mirrors the statement's."""
        return chart.client("RESERVE", self.currency)

    @abstractmethod
    def _transfers(self, event: Event, amount_minor: int) -> list[Transfer]:
        """What is posted for an amount."""
