"""What posts an entry of a statement of ours: the command that follows it. Pure.

Rule: an entry is posted under its own reference. One whose reference can be no event's id is never
      ours; it stays for the reconciliation to name, and holds nothing up.
"""

from collections.abc import Collection, Mapping
from datetime import date

from backend.channels.iso20022 import StatementEntry
from backend.clearing.evening_commands import ConfirmInterest
from backend.clearing.interest import INTEREST_PREFIX
from backend.clearing.model import SETTLEMENT_PREFIX, Outcome
from backend.clearing.reserve import (
    ConfirmAdvanceRepaid,
    ConfirmChannelSettlement,
    MoveKey,
    ResolveMove,
)
from backend.clearing.settlement import ResolvePayout
from backend.db.command import Command
from backend.ledger.rules import Event


def following(
    entry: StatementEntry, payouts: Collection[str], moves: Mapping[str, MoveKey]
) -> Command | None:
    """What posts an entry of the reserve's; None for one that the reconciliation only names."""
    reference, booked_on = entry.reference, entry.booking_date.isoformat()
    if not Event.is_id(reference):
        return None
    if reference.startswith(SETTLEMENT_PREFIX):
        return _settlement(entry)
    if reference.startswith(INTEREST_PREFIX):
        return ConfirmInterest(
            reference=reference,
            business_date=booked_on,
            currency=entry.amount.currency,
            amount_minor=entry.amount.amount_minor,
        )
    if reference in payouts:
        return ResolvePayout(
            payout_id=reference, outcome=Outcome.CONFIRM, reason="", business_date=booked_on
        )
    if reference in moves:
        return ResolveMove(
            key=moves[reference], outcome=Outcome.CONFIRM, reason="", booked_on=booked_on
        )
    return None


def repaid(entry: StatementEntry) -> Command | None:
    """What posts an entry of our own account: what a fund has repaid; None for any other."""
    is_ours = entry.reference.startswith(SETTLEMENT_PREFIX) and Event.is_id(entry.reference)
    if not is_ours:
        return None
    return ConfirmAdvanceRepaid(
        reference=entry.reference,
        business_date=entry.booking_date.isoformat(),
        currency=entry.amount.currency,
        amount_minor=entry.amount.amount_minor,
    )


def _settlement(entry: StatementEntry) -> Command | None:
    """A channel has paid a day: both stand in the reference. None where they do not."""
    channel_id, _, digits = entry.reference.removeprefix(SETTLEMENT_PREFIX).rpartition("-")
    try:
        settled = date.fromisoformat(digits).isoformat()
    except ValueError:
        return None
    return ConfirmChannelSettlement(
        reference=entry.reference,
        channel_id=channel_id,
        settlement_date=settled,
        business_date=entry.booking_date.isoformat(),
        currency=entry.amount.currency,
        amount_minor=entry.amount.amount_minor,
    )
