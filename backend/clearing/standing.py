"""What a merchant has with us now: pending, available, on its way; and when the pending comes."""

from dataclasses import asdict
from datetime import date
from typing import Any

from backend.clearing.calendar import Calendar
from backend.clearing.due import first_waiting, held_back, waiting
from backend.clearing.repository import ClearingRepository
from backend.ledger import chart
from protocol.errors import CallerError


async def standing(
    repository: ClearingRepository, calendar: Calendar, *, merchant_id: str, today: date
) -> dict[str, Any]:
    """A merchant's settlement account. ``returned`` lists the payouts that the bank sent back and
    that nobody has released: their money is available and not paid out again to the same account.
    ``waiting`` lists the business dates that are not due with
    the day each settles on (none where the calendar does not reach); ``unpaid_minor`` is pending
    because its channel has not paid it yet; ``due_minor`` is settled with the next run.
    ``merchant_unknown`` for a merchant that there is not."""
    merchant = await repository.merchant(merchant_id)
    if merchant is None:
        raise CallerError("merchant_unknown", merchant_id)
    currency = merchant["currency"]
    since = first_waiting(calendar, through=today, today=today)
    found = await repository.pending(since.isoformat(), merchant_id)
    dates = [one for pending in found for one in waiting(pending, calendar, today)]
    pending_minor = sum(pending.balance_minor for pending in found)
    unpaid = {day: amount for pending in found for day, amount in pending.unpaid_minor.items()}
    held = held_back({one.business_date: one.earned_minor for one in dates}, unpaid)
    return {
        "merchant_id": merchant_id,
        "currency": currency,
        "business_date": today.isoformat(),
        "settlement_cycle": merchant["settlement_cycle"],
        "pending_minor": pending_minor,
        "due_minor": max(pending_minor - sum(held.values()), 0),
        "unpaid_minor": sum(unpaid.values()),
        "available_minor": await repository.balance(
            chart.merchant_available(merchant_id, currency)
        ),
        "in_payout_minor": await repository.in_payout(merchant_id),
        "returned": [
            {name: row[name] for name in ("payout_id", "amount_minor", "reason")}
            for row in await repository.payouts.returned(merchant_id)
        ],
        "waiting": [asdict(one) for one in dates],
    }
