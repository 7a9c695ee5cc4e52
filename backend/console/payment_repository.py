"""A day's figures, lists and postings for the console's pages. Only repositories see SQL.

Rule: ``merchant_id`` narrows every question to one merchant's rows; None is for operators alone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, union_all

from backend.console.limits import ROWS_PER_PAGE, TRANSFERS_PER_EVENT_MAX
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.db.totals import Summing, Totals, newest_keys_totals, newest_totals
from backend.ledger.repository import LedgerRepository
from backend.payments.tables import Payment
from backend.refunds.tables import Refund
from protocol.payment import PAID_STATES, PaymentState

_payment = Payment.__table__  # type: ignore[attr-defined]
_refund = Refund.__table__  # type: ignore[attr-defined]
_PAID = [state.value for state in PAID_STATES]
_HOUR_MS = 3_600_000
_SUMMED = Summing(by=("currency", "state"), summed=("amount_minor", "refunded_minor"))
_LISTED = (
    "payment_id", "merchant_id", "store", "device", "method", "state", "amount_minor",
    "refunded_minor", "fee_minor", "currency", "description", "payer_masked", "funding",
    "created_at_ms", "paid_at_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which payments are wanted. Times are epoch milliseconds, ``until_ms`` not included."""

    merchant_id: str | None
    state: str = ""
    store: str = ""
    device: str = ""
    amount_minor: int | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    business_date: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the last row's key."""

    at_ms: int
    key: str


class ConsolePayments:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def merchants_of(self, references: Collection[str]) -> dict[str, str]:
        """The merchants of those of these references that are payments or refunds."""
        found = union_all(
            select(_payment.c.payment_id.label("reference"), _payment.c.merchant_id)
            .where(_payment.c.payment_id.in_(references)),
            select(_refund.c.refund_id, _refund.c.merchant_id)
            .where(_refund.c.refund_id.in_(references)),
        )  # fmt: skip
        rows = self._reader.rows(select(found.subquery()))
        return {row["reference"]: row["merchant_id"] for row in rows}

    def listed(self, wanted: Filter, *, after: Place | None, limit: int) -> list[Row]:
        """Payments, newest first, behind a place."""
        query = _narrowed(select(*(_payment.c[name] for name in _LISTED)), wanted)
        at, key = _payment.c.created_at_ms, _payment.c.payment_id
        if after is not None:
            earlier = and_(at == after.at_ms, key < after.key)
            query = query.where(or_(at < after.at_ms, earlier))
        return self._reader.rows(query.order_by(at.desc(), key.desc()).limit(limit))

    def totals(self, wanted: Filter, *, limit: int) -> Totals:
        """Count and amounts, by currency and state, of the newest ``limit`` of those that
        ``listed`` finds; without a merchant, of those among the newest ``limit`` of all."""
        at, key = _payment.c.created_at_ms, _payment.c.payment_id
        found = _narrowed(select(*(_payment.c[name] for name in _SUMMED.columns)), wanted)
        if wanted.merchant_id is None:
            return newest_keys_totals(self._reader, found, _SUMMED, key=key, limit=limit)
        order = (at.desc(), key.desc())
        return newest_totals(self._reader, found, _SUMMED, order=order, limit=limit)

    def sums(self, wanted: Filter) -> list[Row]:
        """Count and amounts of what matches, by state and currency."""
        query = _narrowed(
            select(
                _payment.c.state,
                _payment.c.currency,
                func.count().label("count"),
                func.sum(_payment.c.amount_minor).label("amount_minor"),
                func.sum(_payment.c.fee_minor - _payment.c.fee_returned_minor).label("fee_minor"),
            ),
            wanted,
        )
        rows = self._reader.rows(query.group_by(_payment.c.state, _payment.c.currency))
        return [_whole(row, "count", "amount_minor", "fee_minor") for row in rows]

    def hours(self, merchant_id: str | None, *, from_ms: int, until_ms: int) -> list[Row]:
        """What was paid in each hour after ``from_ms``, by currency; hours without are left out."""
        hour = (_payment.c.created_at_ms - from_ms) // _HOUR_MS
        wanted = Filter(merchant_id=merchant_id, from_ms=from_ms, until_ms=until_ms)
        query = _narrowed(
            select(
                hour.label("hour"),
                _payment.c.currency,
                func.count().label("count"),
                func.sum(_payment.c.amount_minor).label("amount_minor"),
            ),
            wanted,
        ).where(_payment.c.state.in_(_PAID))
        rows = self._reader.rows(query.group_by(hour, _payment.c.currency))
        return [_whole(row, "hour", "count", "amount_minor") for row in rows]

    def refunds(self, merchant_id: str, *, business_date: str) -> list[Row]:
        """What one merchant gave back on a business date, by state and currency."""
        query = (
            select(
                _refund.c.state,
                _refund.c.currency,
                func.count().label("count"),
                func.sum(_refund.c.amount_minor).label("amount_minor"),
            )
            .where(_refund.c.merchant_id == merchant_id)
            .where(_refund.c.business_date == business_date)
            .group_by(_refund.c.state, _refund.c.currency)
        )
        return [_whole(row, "count", "amount_minor") for row in self._reader.rows(query)]

    def unknowns(self, merchant_id: str) -> list[Row]:
        """One merchant's payments whose outcome nobody knows yet, of any day, oldest first."""
        query = _narrowed(
            select(*(_payment.c[name] for name in _LISTED)),
            Filter(merchant_id=merchant_id, state=PaymentState.UNKNOWN.value),
        )
        return self._reader.rows(query.order_by(_payment.c.created_at_ms).limit(ROWS_PER_PAGE))

    def postings(self, events: list[str]) -> list[Row]:
        """The ledger's transfers of these events, in the order in which they were posted."""
        with self._reader.snapshot() as connection:
            ledger = LedgerRepository(connection)
            found = [
                row
                for event in events
                for row in ledger.transfers(event_id=event, limit=TRANSFERS_PER_EVENT_MAX)
            ]
        return sorted(found, key=lambda row: (row["group_seq"], row["id"]))


def _narrowed(query: Select[Any], wanted: Filter) -> Select[Any]:
    conditions = {
        _payment.c.merchant_id: wanted.merchant_id,
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


def _whole(row: Row, *names: str) -> Row:
    """PostgreSQL's sums of 64-bit integers are decimals."""
    return row | {name: int(row[name] or 0) for name in names}
