"""Payments by filter, newest first, a page at a time. Only repositories see SQL.

Rule: ``merchant_id`` narrows every question to one merchant's rows; None is for operators alone.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.db.totals import Summing, Totals, newest_keys_totals, newest_totals
from backend.payments.tables import Payment

_payment = Payment.__table__  # type: ignore[attr-defined]
_SUMMED = Summing(by=("currency", "state"), summed=("amount_minor", "refunded_minor"))
LISTED = (
    "payment_id", "merchant_id", "store", "device", "method", "state", "amount_minor",
    "refunded_minor", "fee_minor", "currency", "description", "payer_masked", "funding",
    "created_at_ms", "paid_at_ms",
)  # fmt: skip
"""What a list has of a payment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """Which payments are wanted. Times are epoch milliseconds, ``until_ms`` not included."""

    merchant_id: str | None
    payment_id: str = ""
    state: str = ""
    store: str = ""
    device: str = ""
    amount_minor: int | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    business_date: str = ""


class PaymentLists:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def listed(
        self, wanted: PaymentFilter, *, limit: int, after: tuple[int, str] | None = None
    ) -> list[Row]:
        """Payments, the newest first; with ``after``, those behind this time and id."""
        query = narrowed(select(*(_payment.c[name] for name in LISTED)), wanted)
        at, key = _payment.c.created_at_ms, _payment.c.payment_id
        if after is not None:
            query = query.where(or_(at < after[0], and_(at == after[0], key < after[1])))
        return self._reader.rows(query.order_by(at.desc(), key.desc()).limit(limit))

    def totals(self, wanted: PaymentFilter, *, limit: int) -> Totals:
        """Count and amounts, by currency and state, of the newest ``limit`` of those that
        ``listed`` finds; without a merchant, of those among the newest ``limit`` of all."""
        at, key = _payment.c.created_at_ms, _payment.c.payment_id
        found = narrowed(select(*(_payment.c[name] for name in _SUMMED.columns)), wanted)
        if wanted.merchant_id is None:
            return newest_keys_totals(self._reader, found, _SUMMED, key=key, limit=limit)
        order = (at.desc(), key.desc())
        return newest_totals(self._reader, found, _SUMMED, order=order, limit=limit)


def narrowed(query: Select[Any], wanted: PaymentFilter) -> Select[Any]:
    """The question, narrowed to the rows that the filter wants."""
    conditions = {
        _payment.c.merchant_id: wanted.merchant_id,
        _payment.c.payment_id: wanted.payment_id or None,
        _payment.c.state: wanted.state or None,
        _payment.c.store: wanted.store or None,
        _payment.c.device: wanted.device or None,
        _payment.c.business_date: wanted.business_date or None,
        _payment.c.amount_minor: wanted.amount_minor,
    }
    for column, value in conditions.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.from_ms is not None:
        query = query.where(_payment.c.created_at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        query = query.where(_payment.c.created_at_ms < wanted.until_ms)
    return query
