"""The day's figures, read in one snapshot. Only this file of the room sees SQL."""

from typing import Any

from sqlalchemy import func, select

from backend.db.reading import Reader
from backend.ledger.tables import LedgerAccount
from backend.operator.limits import UNKNOWNS_SHOWN_MAX
from backend.payments.tables import IS_UNKNOWN, Payment
from protocol.payment import PAID_STATES, PaymentState

_account = LedgerAccount.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]


class DayRepository:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._rows = reader.rows

    def figures(self, business_date: str) -> dict[str, Any]:
        """Count and amount of a day's payments by state and currency, and the paid total."""
        query = (
            select(
                _payment.c.state,
                _payment.c.currency,
                func.count().label("count"),
                func.sum(_payment.c.amount_minor).label("amount_minor"),
                func.sum(_payment.c.refunded_minor).label("refunded_minor"),
            )
            .where(_payment.c.business_date == business_date)
            .group_by(_payment.c.state, _payment.c.currency)
            .order_by(_payment.c.currency, _payment.c.state)
        )
        groups = [
            {**row, **{name: int(row[name]) for name in ("amount_minor", "refunded_minor")}}
            for row in self._rows(query)
        ]
        return {
            "business_date": business_date,
            "by_state": groups,
            "paid": _paid(groups),
            "unknown_count": sum(
                row["count"] for row in groups if row["state"] == PaymentState.UNKNOWN
            ),
        }

    def unknowns(self) -> list[dict[str, Any]]:
        """Payments whose outcome nobody knows yet, oldest first, of any day."""
        query = (
            select(
                _payment.c.payment_id,
                _payment.c.store,
                _payment.c.device,
                _payment.c.channel_id,
                _payment.c.amount_minor,
                _payment.c.currency,
                _payment.c.created_at_ms,
            )
            .where(IS_UNKNOWN)
            .order_by(_payment.c.created_at_ms)
        )
        return self._rows(query.limit(UNKNOWNS_SHOWN_MAX))

    def books(self) -> list[dict[str, Any]]:
        """Debits, credits and their difference (which must be nothing) per book and currency."""
        query = (
            select(
                _account.c.book,
                _account.c.currency,
                func.sum(_account.c.debits_posted).label("debits_minor"),
                func.sum(_account.c.credits_posted).label("credits_minor"),
            )
            .group_by(_account.c.book, _account.c.currency)
            .order_by(_account.c.book, _account.c.currency)
        )
        return [_balanced(row) for row in self._rows(query)]


def _balanced(row: dict[str, Any]) -> dict[str, Any]:
    debits, credits_ = int(row["debits_minor"]), int(row["credits_minor"])
    return {
        "book": row["book"],
        "currency": row["currency"],
        "debits_minor": debits,
        "credits_minor": credits_,
        "difference_minor": debits - credits_,
    }


def _paid(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    totals: dict[str, dict[str, Any]] = {}
    for row in groups:
        if row["state"] not in PAID_STATES:
            continue
        empty = {
            "currency": row["currency"],
            "count": 0,
            "amount_minor": 0,
            "refunded_minor": 0,
        }
        total = totals.setdefault(row["currency"], empty)
        for name in ("count", "amount_minor", "refunded_minor"):
            total[name] += row[name]
    return list(totals.values())
