"""What a bank's statement shows under a reference, followed in the books.

Rule 1: an entry is posted once, under its reference. If the bank corrects its statement, the
        difference is posted as ``<reference>.<number>``: nothing that was posted is changed.
Rule 2: what is posted under a reference is always the sum of these.
Rule 3: a correction is of the same day. What stands under a known reference on another day is
        another entry, and nothing is posted for it: the reconciliation names it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from backend.clearing.limits import CORRECTIONS_PER_ENTRY_MAX
from backend.clearing.model import stated_transfers
from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from backend.ledger.tables import TRANSFER


@dataclass(frozen=True, slots=True)
class Stated:
    """An entry of an account's statement. ``account`` is the one of our books that mirrors it."""

    event: Event
    account: str
    amount_minor: int

    def reads(self, posting: Callable[[Event, int], list[Transfer]]) -> Iterable[Read]:
        """All that ``follow`` needs; ``posting`` makes the transfers of an amount."""
        known: list[Read] = [(TRANSFER, each) for each in stated_transfers(self.event.id)]
        return [*known, *ledger.reads(posting(self.event, self.amount_minor))]

    def differs_minor(self, ws: WorkingSet) -> int | None:
        """By how much the statement shows more than we have posted; None: nothing is posted."""
        posted = self._posted(ws)
        return self.amount_minor - self._sum_minor(posted) if posted else None

    def follow(
        self, ws: WorkingSet, posting: Callable[[Event, int], list[Transfer]], now_ms: int
    ) -> bool:
        """Post what the books lack; False if that is nothing, or was corrected too often."""
        posted = self._posted(ws)
        more_minor = self.amount_minor - self._sum_minor(posted)
        if posted and (not more_minor or len(posted) > CORRECTIONS_PER_ENTRY_MAX):
            return False
        if any(one.business_date != self.event.business_date for one in posted):
            return False
        number = f".{len(posted)}" if posted else ""
        event = Event(self.event.id + number, self.event.currency, self.event.business_date)
        return ledger.post(ws, posting(event, more_minor), now_ms)

    def _posted(self, ws: WorkingSet) -> list[Transfer]:
        rows = (ws.find(TRANSFER, each) for each in stated_transfers(self.event.id))
        return [Transfer(*row[: len(Transfer._fields)]) for row in rows if row is not None]

    def _sum_minor(self, posted: Iterable[Transfer]) -> int:
        return sum(
            one.amount_minor if one.debit == self.account else -one.amount_minor for one in posted
        )
