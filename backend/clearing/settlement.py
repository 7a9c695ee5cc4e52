"""Settling a merchant and starting its payout: one command, one transaction (rules 7, 8 and 16)."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.due import Due, settled_now
from backend.clearing.limits import ISO_ID_CHARS_MAX
from backend.clearing.model import RETURN_PREFIX, MoveState, Outcome, next_state
from backend.clearing.payouts import PayOut, start_payout
from backend.clearing.tables import PAYOUT, SETTLEMENT
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import DestinationKind
from backend.destinations.service import destination_read
from backend.disputes.cover import collect
from backend.ledger import chart, model, rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT
from backend.merchants.service import pending_owners
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleMerchant:
    """Make what is due of a merchant's pending money available, and instruct its payout.

    ``due`` is what the books showed a moment ago. No more than the balance is settled, because
    refunds may have taken of it since. Running it again with the same number changes nothing.
    ``destination_not_allowed``, and nothing is settled, while the merchant's account is not filed.
    """

    merchant_id: str
    currency: str
    due: Due
    number: int
    """0: the first run that closes a day; above: any other (``Settlement``)."""
    run_day: str
    payout_id: str
    execution_date: str
    returned: tuple[str, ...] = ()
    """The merchant's payouts that came back. To the same account they are not tried again."""

    def reads(self) -> Iterable[Read]:
        back = [(PAYOUT, payout_id) for payout_id in self.returned]
        return [(SETTLEMENT, self._key), (MERCHANT, self.merchant_id), *back]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        merchant = ws.get(MERCHANT, self.merchant_id)
        if merchant is None or ws.get(SETTLEMENT, self._key) is not None:
            return []
        accounts = [account for _, account in self._pending(merchant)]
        accounts += [
            chart.merchant_available(self.merchant_id, self.currency),
            chart.merchant_receivable(self.merchant_id, self.currency),
            chart.client("PAYOUT", self.currency),
        ]
        destination = destination_read(DestinationKind.MERCHANT, self.merchant_id)
        return [destination, *((ACCOUNT, account) for account in accounts)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(SETTLEMENT, self._key)
        if known is not None:
            return known
        assert len(self.payout_id) <= ISO_ID_CHARS_MAX
        merchant = ws.get(MERCHANT, self.merchant_id)
        assert merchant is not None, "money is pending for a merchant that does not exist"
        settled = self._settle(ws, merchant, now_ms)
        self._repay_cover(ws, now_ms)
        available = _balance(ws, chart.merchant_available(self.merchant_id, self.currency))
        # Of what came back the merchant may have withdrawn some: new earnings do not stand for it.
        held = min(self._hold_back(ws, merchant, now_ms), max(available - settled, 0))
        payable = available - held
        ws.insert(
            SETTLEMENT,
            {
                "merchant_id": self.merchant_id,
                "business_date": self.due.last_date,
                "number": self.number,
                "amount_minor": settled,
                "currency": self.currency,
                "payout_id": self.payout_id if payable > 0 else None,
                "at_ms": now_ms,
            },
        )
        if payable > 0:
            start_payout(ws, self._payout(payable), now_ms)
        row = ws.get(SETTLEMENT, self._key)
        assert row is not None
        return row

    @property
    def _key(self) -> tuple[str, str, int]:
        return (self.merchant_id, self.due.last_date, self.number)

    def _payout(self, amount_minor: int) -> PayOut:
        return PayOut(
            payout_id=self.payout_id,
            merchant_id=self.merchant_id,
            amount_minor=amount_minor,
            currency=self.currency,
            run_day=self.run_day,
            execution_date=self.execution_date,
        )

    @property
    def _event_id(self) -> str:
        if self.number:
            return f"stl{self.number}.{self.due.last_date.replace('-', '')}.{self.merchant_id}"
        return f"stl.{self.due.last_date}.{self.merchant_id}"

    def _pending(self, merchant: Row) -> list[tuple[str, str]]:
        """(owner, account) of everything that may hold pending money of this merchant."""
        owners = pending_owners(merchant)
        return [(owner, chart.merchant_pending(owner, self.currency)) for owner in owners]

    def _settle(self, ws: WorkingSet, merchant: Row, now_ms: int) -> int:
        """Rule 7, from as many sub-accounts as it takes; returns how much."""
        held = [(owner, _balance(ws, account)) for owner, account in self._pending(merchant)]
        amount_minor = settled_now(self.due, sum(balance for _, balance in held))
        left, parts = amount_minor, []
        for owner, balance in held:
            part = min(balance, left)
            left -= part
            if part:
                parts.append((owner, part))
        if parts:
            event = rules.Event(self._event_id, self.currency, self.execution_date)
            transfers = rules.merchant_settled(
                event,
                merchant_id=self.merchant_id,
                amount_minor=amount_minor,
                shards_minor=parts,
            )
            ledger.post(ws, transfers, now_ms, is_new=True)
        return amount_minor

    def _repay_cover(self, ws: WorkingSet, now_ms: int) -> None:
        """What we once covered for the merchant comes back before anything is paid out."""
        event = rules.Event(f"{self.payout_id}.cover", self.currency, self.execution_date)
        collect(ws, event, self.merchant_id, now_ms)

    def _hold_back(self, ws: WorkingSet, merchant: Row, now_ms: int) -> int:
        """What came back from the account that the merchant still has. What came back from another
        is free from now on, even if that becomes the merchant's again."""
        held = 0
        for payout_id in self.returned:
            row = ws.get(PAYOUT, payout_id)
            assert row is not None
            if row["state"] != MoveState.RETURNED:
                continue
            if is_same_account(row, merchant):
                held += row["amount_minor"]
            else:
                state = next_state(MoveState.RETURNED, Outcome.RELEASE)
                ws.update(PAYOUT, payout_id, state=state.value, updated_at_ms=now_ms)
        return held


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePayout:
    """Record what the bank said of a payout: confirmed leaves the reserve, rejected stays in it,
    returned is in it again. Or that one that came back may be tried again."""

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
            case Outcome.RETURN:
                event = rules.Event(RETURN_PREFIX + self.payout_id, currency, self.business_date)
                return rules.payout_returned(
                    event, merchant_id=row["merchant_id"], amount_minor=amount_minor
                )
            case Outcome.LOSE_CONTACT | Outcome.RELEASE:
                return []


def is_same_account(payout: Row, merchant: Row) -> bool:
    """Whether a payout went to the account that the merchant has now."""
    paid_to = (payout["account_name"], payout["account_no"])
    return paid_to == (merchant["payout_account_name"], merchant["payout_account_no"])


def _balance(ws: WorkingSet, account_id: str) -> int:
    row = ws.get(ACCOUNT, account_id)
    return 0 if row is None else model.available(row)
