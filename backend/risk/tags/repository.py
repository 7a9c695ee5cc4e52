"""Reading the ledger's history for tags. Only this file of the room sees SQL."""

from sqlalchemy import ColumnElement, select, tuple_

from backend.db.limits import READ_PAGE_ROWS
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.disputes.tables import Dispute
from backend.payments.tables import Payment, PaymentAttempt, PaymentEvent
from backend.risk.devices.tables import DeviceReading
from backend.risk.tags.ledger import LedgerRows
from backend.risk.tags.limits import TAGGED_ROWS_MAX
from protocol.errors import OperatingError

_payment = Payment.__table__  # type: ignore[attr-defined]
_event = PaymentEvent.__table__  # type: ignore[attr-defined]
_attempt = PaymentAttempt.__table__  # type: ignore[attr-defined]
_dispute = Dispute.__table__  # type: ignore[attr-defined]
_reading = DeviceReading.__table__  # type: ignore[attr-defined]
_PAYMENT = ("payment_id", "created_at_ms", "amount_minor", "payer_id", "instrument_id", "device",
            "merchant_id", "store", "cashier", "currency", "method", "funding", "verification",
            "coupon_minor")  # fmt: skip

_ATTEMPT = ("attempt_id", "payment_id", "error_code", "verification_kind", "at_ms")


class TagRepository:
    """Committed rows. Blocking."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def history(self, *, from_ms: int) -> LedgerRows:
        """The judged payments from a time on and all that became of them. ``OperatingError`` where
        that is more than ``TAGGED_ROWS_MAX`` rows of one table."""
        return LedgerRows(
            payments=self._all(
                [_payment.c[name] for name in _PAYMENT],
                (_payment.c.created_at_ms, _payment.c.payment_id),
                _payment.c.created_at_ms >= from_ms,
                _payment.c.risk.is_not(None),
            ),
            events=self._all(
                [_event.c[name] for name in ("payment_id", "number", "state_after", "at_ms")],
                (_event.c.payment_id, _event.c.number),
                _event.c.at_ms >= from_ms,
            ),
            attempts=self._all(
                [_attempt.c[name] for name in _ATTEMPT],
                (_attempt.c.attempt_id,),
                _attempt.c.at_ms >= from_ms,
            ),
            disputes=self._all(
                [_dispute.c[name] for name in ("dispute_id", "payment_id", "opened_at_ms")],
                (_dispute.c.dispute_id,),
                _dispute.c.opened_at_ms >= from_ms,
            ),
            readings=self._all(list(_reading.c), (_reading.c.tid, _reading.c.number)),
        )

    def _all(
        self,
        columns: list[ColumnElement[object]],
        order: tuple[ColumnElement[object], ...],
        *only: ColumnElement[bool],
    ) -> list[Row]:
        """All rows in order of a unique key, a page at a time."""
        query = select(*columns).where(*only).order_by(*order).limit(READ_PAGE_ROWS)
        found: list[Row] = []
        page = self._reader.rows(query)
        while page:
            found += page
            if len(found) > TAGGED_ROWS_MAX:
                raise OperatingError("answer_too_large", f"more than {TAGGED_ROWS_MAX} rows")
            after = tuple(page[-1][str(column.key)] for column in order)
            page = self._reader.rows(query.where(tuple_(*order) > tuple_(*after)))
        return found
