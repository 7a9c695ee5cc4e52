"""Starting a payout (rule 8): by a run, or because the merchant asks for it.

Rule: before a merchant withdraws, what own money covered for it comes back, as before any payout.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.model import MoveState
from backend.clearing.tables import PAYOUT
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import DestinationKind
from backend.destinations.service import check_destination, destination_read
from backend.disputes.cover import collect, collect_reads
from backend.ledger import rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError
from protocol.ids import PAYOUT as PAYOUT_PREFIX
from protocol.ids import is_id
from protocol.money import positive


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOut:
    """Pay some of a merchant's available money to its own account. The next run tells the bank."""

    payout_id: str
    merchant_id: str
    amount_minor: int
    currency: str
    run_day: str
    execution_date: str


def payout_reads(wanted: PayOut) -> list[Read]:
    """What ``start_payout`` must have read."""
    return [
        (MERCHANT, wanted.merchant_id),
        destination_read(DestinationKind.MERCHANT, wanted.merchant_id),
        *ledger.reads(_instructed(wanted), is_new=True),
    ]


def start_payout(ws: WorkingSet, wanted: PayOut, now_ms: int) -> None:
    """Rule 8. ``destination_not_allowed`` unless the merchant's account is filed,
    ``merchant_balance_short`` where there is less."""
    merchant = ws.get(MERCHANT, wanted.merchant_id)
    assert merchant is not None, "merchants are never removed"
    account_no = merchant["payout_account_no"]
    check_destination(ws, DestinationKind.MERCHANT, wanted.merchant_id, account_no)
    ledger.post(ws, _instructed(wanted), now_ms, is_new=True)
    ws.insert(
        PAYOUT,
        {
            "payout_id": wanted.payout_id,
            "merchant_id": wanted.merchant_id,
            "business_date": wanted.run_day,
            "amount_minor": wanted.amount_minor,
            "currency": wanted.currency,
            "account_name": merchant["payout_account_name"],
            "account_no": account_no,
            "state": MoveState.INSTRUCTED.value,
            "execution_date": wanted.execution_date,
            "instructed_at_ms": now_ms,
            "updated_at_ms": now_ms,
        },
    )


def withdrawal_reads(wanted: PayOut) -> list[Read]:
    """What ``start_withdrawal`` must have read."""
    return [
        (PAYOUT, wanted.payout_id),
        *payout_reads(wanted),
        *collect_reads(wanted.merchant_id, wanted.currency),
    ]


def start_withdrawal(ws: WorkingSet, wanted: PayOut, now_ms: int) -> None:
    """A payout that the merchant asks for; refused as ``start_payout``."""
    event = rules.Event(f"{wanted.payout_id}.cover", wanted.currency, wanted.run_day)
    collect(ws, event, wanted.merchant_id, now_ms)
    start_payout(ws, wanted, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """A withdrawal under the payout's id, which who asks has minted: the same content again changes
    nothing, another is ``idempotency_conflict``. Answers the payout's row."""

    payout: PayOut

    def reads(self) -> Iterable[Read]:
        return withdrawal_reads(self.payout)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        wanted = self.payout
        if not is_id(wanted.payout_id, prefix=PAYOUT_PREFIX):
            raise CallerError("id_invalid", "payout_id")
        positive(wanted.amount_minor, wanted.currency)
        known = ws.get(PAYOUT, wanted.payout_id)
        if known is None:
            start_withdrawal(ws, wanted, now_ms)
        else:
            said = ("merchant_id", "amount_minor", "currency")
            if any(known[name] != getattr(wanted, name) for name in said):
                raise CallerError("idempotency_conflict", wanted.payout_id)
        row = ws.get(PAYOUT, wanted.payout_id)
        assert row is not None
        return row


def _instructed(wanted: PayOut) -> list[Transfer]:
    event = rules.Event(wanted.payout_id, wanted.currency, wanted.execution_date)
    return rules.payout_instructed(
        event, merchant_id=wanted.merchant_id, amount_minor=wanted.amount_minor
    )
