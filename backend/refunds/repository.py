"""Reading refunds outside commands. Only this file of the room sees SQL."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.db.totals import Summing, Totals, newest_keys_totals, newest_totals
from backend.refunds.limits import LIST_ROWS_MAX
from backend.refunds.tables import Refund

_refund = Refund.__table__  # type: ignore[attr-defined]
_WHO = (_refund.c.cashier, _refund.c.device)
_SUMMED = Summing(by=("currency", "state"), summed=("amount_minor",))
_SHOWN = [column for column in _refund.columns if column.name != "body_hash"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFilter:
    """Which refunds are wanted; what is empty or None does not matter. Times are when they were
    asked for, ``until_ms`` not included."""

    merchant_id: str | None
    state: str = ""
    store: str = ""
    who: str = ""
    """A part of the cashier's or the device's name."""
    amount_minor: int | None = None
    from_ms: int | None = None
    until_ms: int | None = None


class RefundRepository:
    """Committed refunds. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_payment(self, payment_id: str) -> list[Row]:
        """A payment's refunds, oldest first, without the hash of what was asked."""
        query = (
            select(*_SHOWN)
            .where(_refund.c.payment_id == payment_id)
            .order_by(_refund.c.created_at_ms, _refund.c.refund_id)
            .limit(LIST_ROWS_MAX)
        )
        return self._reader.rows(query)

    def listed(
        self, wanted: RefundFilter, *, limit: int, after: tuple[int, str] | None = None
    ) -> list[Row]:
        """Refunds, the newest first; with ``after``, those behind this time and id."""
        at, key = _refund.c.created_at_ms, _refund.c.refund_id
        query = _narrowed(select(*_SHOWN), wanted)
        if after is not None:
            query = query.where(or_(at < after[0], and_(at == after[0], key < after[1])))
        return self._reader.rows(query.order_by(at.desc(), key.desc()).limit(limit))

    def totals(self, wanted: RefundFilter, *, limit: int) -> Totals:
        """Count and amount, by currency and state, of the newest ``limit`` of those that ``listed``
        finds; without a merchant, of those among the newest ``limit`` of all refunds."""
        at, key = _refund.c.created_at_ms, _refund.c.refund_id
        found = _narrowed(select(*(_refund.c[name] for name in _SUMMED.columns)), wanted)
        if wanted.merchant_id is None:
            return newest_keys_totals(self._reader, found, _SUMMED, key=key, limit=limit)
        order = (at.desc(), key.desc())
        return newest_totals(self._reader, found, _SUMMED, order=order, limit=limit)


def _narrowed(query: Select[Any], wanted: RefundFilter) -> Select[Any]:
    conditions = {
        _refund.c.merchant_id: wanted.merchant_id,
        _refund.c.state: wanted.state or None,
        _refund.c.store: wanted.store or None,
        _refund.c.amount_minor: wanted.amount_minor,
    }
    for column, value in conditions.items():
        if value is not None:
            query = query.where(column == value)
    if wanted.who:
        named = (one.icontains(wanted.who, autoescape=True) for one in _WHO)
        query = query.where(or_(*named))
    if wanted.from_ms is not None:
        query = query.where(_refund.c.created_at_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        query = query.where(_refund.c.created_at_ms < wanted.until_ms)
    return query
