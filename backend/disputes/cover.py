"""What own money covered for a merchant, and getting it back (posting rule 16).

A merchant's receivable is the balance of its MERCH_RECV account: nothing else remembers it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from backend.ledger.tables import TRANSFER
from backend.merchants.tables import MERCHANT
from backend.payments.model import PaymentRules
from protocol.errors import CallerError
from protocol.ids import is_id


@dataclass(frozen=True, slots=True)
class Collected:
    """What was repaid under an id, and what is owed still."""

    collected_minor: int
    owed_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectCover:
    """A merchant repays what we covered, as far as what it has available reaches. An id
    (``cvr_…``, minted by who asks) that has collected something collects nothing more and answers
    the same; one that has not, because nothing was owed or available, may be used again. Clearing
    asks this when earnings have become available, before it pays them out; an operator may at any
    time."""

    collection_id: str
    merchant_id: str
    rules: PaymentRules

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT, self.merchant_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        merchant = ws.get(MERCHANT, self.merchant_id)
        if merchant is None or not is_id(self.collection_id, prefix="cvr"):
            return []
        first_leg: Read = (TRANSFER, f"{self.collection_id}:1")
        return [first_leg, *collect_reads(self.merchant_id, merchant["currency"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Collected:
        merchant = ws.get(MERCHANT, self.merchant_id)
        if merchant is None:
            raise CallerError("merchant_unknown", self.merchant_id)
        if not is_id(self.collection_id, prefix="cvr"):
            raise CallerError("id_invalid", "collection_id")
        currency = merchant["currency"]
        event = Event(self.collection_id, currency, self.rules.business_date(now_ms))
        collected_minor = self._earlier(ws, currency)
        if collected_minor is None:
            collected_minor = collect(ws, event, self.merchant_id, now_ms)
        owed = ledger.available(ws, chart.merchant_receivable(self.merchant_id, currency))
        return Collected(collected_minor, owed)

    def _earlier(self, ws: WorkingSet, currency: str) -> int | None:
        """What this id has collected before; ``idempotency_conflict`` if from another merchant."""
        row = ws.find(TRANSFER, f"{self.collection_id}:1")
        if row is None:
            return None
        found = Transfer.of_row(row)
        source = chart.merchant_available(self.merchant_id, currency)
        if found.debit != source:
            raise CallerError("idempotency_conflict", "collection_id")
        return found.amount_minor


def collect_reads(merchant_id: str, currency: str) -> list[Read]:
    """What ``collect`` reads."""
    sample = posting.merchant_cover_repaid(
        Event("sample", currency, ""), merchant_id=merchant_id, amount_minor=1
    )
    return ledger.reads(sample, is_new=True)


def collect(ws: WorkingSet, event: Event, merchant_id: str, now_ms: int) -> int:
    """Repay as much as is owed and available, as an event that was never posted; how much."""
    owed = ledger.available(ws, chart.merchant_receivable(merchant_id, event.currency))
    has = ledger.available(ws, chart.merchant_available(merchant_id, event.currency))
    amount_minor = min(owed, has)
    if amount_minor > 0:
        transfers = posting.merchant_cover_repaid(
            event, merchant_id=merchant_id, amount_minor=amount_minor
        )
        ledger.post(ws, transfers, now_ms, is_new=True)
    return max(0, amount_minor)
