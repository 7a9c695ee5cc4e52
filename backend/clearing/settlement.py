"""Settling a merchant's day and starting its payout: one command, one transaction (rules 7, 8)."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.limits import ISO_ID_CHARS_MAX
from backend.clearing.model import MoveState, Outcome, next_state
from backend.clearing.tables import PAYOUT, SETTLEMENT
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart, model, rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleMerchant:
    """Make a merchant's pending money of one business day available, and instruct its payout.

    ``earned_minor`` is what the day's postings left on the pending account; no more than its
    balance is settled, because refunds of later days may have taken of it. Running it again for
    the same day changes nothing.
    """

    merchant_id: str
    business_date: str
    currency: str
    earned_minor: int
    payout_id: str
    execution_date: str

    def reads(self) -> Iterable[Read]:
        return [
            (SETTLEMENT, (self.merchant_id, self.business_date)),
            (MERCHANT, self.merchant_id),
            (ACCOUNT, chart.merchant_pending(self.merchant_id, self.currency)),
            (ACCOUNT, chart.merchant_available(self.merchant_id, self.currency)),
            (ACCOUNT, chart.client("PAYOUT", self.currency)),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        key = (self.merchant_id, self.business_date)
        known = ws.get(SETTLEMENT, key)
        if known is not None:
            return known
        assert len(self.payout_id) <= ISO_ID_CHARS_MAX
        pending = chart.merchant_pending(self.merchant_id, self.currency)
        available = chart.merchant_available(self.merchant_id, self.currency)
        settled = max(min(self.earned_minor, _balance(ws, pending)), 0)
        if settled:
            ledger.post(ws, self._settled(settled), now_ms)
        payable = _balance(ws, available)
        row = {
            "merchant_id": self.merchant_id,
            "business_date": self.business_date,
            "amount_minor": settled,
            "currency": self.currency,
            "payout_id": self.payout_id if payable > 0 else None,
            "at_ms": now_ms,
        }
        ws.insert(SETTLEMENT, row)
        if payable > 0:
            self._instruct(ws, payable, now_ms)
        return row

    def _settled(self, amount_minor: int) -> list[Transfer]:
        event_id = f"stl.{self.business_date}.{self.merchant_id}"
        event = rules.Event(event_id, self.currency, self.business_date)
        return rules.merchant_settled(
            event, merchant_id=self.merchant_id, amount_minor=amount_minor
        )

    def _instruct(self, ws: WorkingSet, amount_minor: int, now_ms: int) -> None:
        merchant = ws.get(MERCHANT, self.merchant_id)
        assert merchant is not None, "money is pending for a merchant that does not exist"
        event = rules.Event(self.payout_id, self.currency, self.execution_date)
        transfers = rules.payout_instructed(
            event, merchant_id=self.merchant_id, amount_minor=amount_minor
        )
        ledger.post(ws, transfers, now_ms)
        ws.insert(
            PAYOUT,
            {
                "payout_id": self.payout_id,
                "merchant_id": self.merchant_id,
                "business_date": self.business_date,
                "amount_minor": amount_minor,
                "currency": self.currency,
                "account_name": merchant["payout_account_name"],
                "account_no": merchant["payout_account_no"],
                "state": MoveState.INSTRUCTED.value,
                "execution_date": self.execution_date,
                "instructed_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePayout:
    """Record what the bank said of a payout: confirmed leaves the reserve, rejected comes back."""

    payout_id: str
    outcome: Outcome
    reason: str
    business_date: str
    """The bank's booking day: the day of the posting that mirrors it."""

    def reads(self) -> Iterable[Read]:
        return [(PAYOUT, self.payout_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row = ws.get(PAYOUT, self.payout_id)
        return [] if row is None else ledger.reads(self._transfers(row))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(PAYOUT, self.payout_id)
        if row is None:
            raise CallerError("payment_not_found", self.payout_id)
        state = next_state(MoveState(row["state"]), self.outcome)
        transfers = self._transfers(row)
        if transfers:
            ledger.post(ws, transfers, now_ms)
        return ws.update(
            PAYOUT, self.payout_id, state=state.value, reason=self.reason, updated_at_ms=now_ms
        )

    def _transfers(self, row: Row) -> list[Transfer]:
        currency, amount_minor = row["currency"], row["amount_minor"]
        match self.outcome:
            case Outcome.CONFIRM:
                event = rules.Event(f"{self.payout_id}.confirmed", currency, self.business_date)
                return rules.payout_confirmed(event, amount_minor=amount_minor)
            case Outcome.REJECT:
                event = rules.Event(f"{self.payout_id}.rejected", currency, self.business_date)
                return rules.payout_rejected(
                    event, merchant_id=row["merchant_id"], amount_minor=amount_minor
                )
            case Outcome.LOSE_CONTACT:
                return []


def _balance(ws: WorkingSet, account_id: str) -> int:
    row = ws.get(ACCOUNT, account_id)
    return 0 if row is None else model.available(row)
