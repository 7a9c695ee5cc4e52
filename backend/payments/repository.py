"""Reading payments outside commands. Only this file of the room sees SQL."""

from operator import itemgetter

from sqlalchemy import and_, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.payments.limits import EXPIRED_PER_SWEEP_MAX, LIST_ROWS_MAX
from backend.payments.tables import IS_WAITING, Payment, PaymentAttempt, PaymentEvent
from protocol.payment import PAID_STATES, PaymentState

_payment = Payment.__table__  # type: ignore[attr-defined]
_event = PaymentEvent.__table__  # type: ignore[attr-defined]
_attempt = PaymentAttempt.__table__  # type: ignore[attr-defined]
_DECLINED_BY_CODE = and_(
    _payment.c.method == "pay_code", _payment.c.state == PaymentState.DECLINED.value
)
_BILLED = (*(state.value for state in PAID_STATES), PaymentState.REVERSED.value)


class PaymentRepository:
    """Committed payments. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def payment(self, payment_id: str) -> Row | None:
        """One payment as it stands."""
        return self._reader.one(select(_payment).where(_payment.c.payment_id == payment_id))

    def timeline(self, payment_id: str) -> list[Row]:
        """Every step of a payment, in order."""
        query = select(_event).where(_event.c.payment_id == payment_id)
        return self._reader.rows(query.order_by(_event.c.number))

    def attempts(self, payment_id: str) -> list[Row]:
        """Every try to move a payment's money, in order."""
        query = select(_attempt).where(_attempt.c.payment_id == payment_id)
        return self._reader.rows(query.order_by(_attempt.c.at_ms, _attempt.c.attempt_id))

    def overdue(self, now_ms: int) -> list[str]:
        """Payments whose code's time has passed, the oldest first."""
        query = (
            select(_payment.c.payment_id)
            .where(IS_WAITING, _payment.c.code_expires_at_ms <= now_ms)
            .order_by(_payment.c.code_expires_at_ms)
            .limit(EXPIRED_PER_SWEEP_MAX)
        )
        return [row["payment_id"] for row in self._reader.rows(query)]

    def asked_of(self, payer_id: str, now_ms: int) -> list[Row]:
        """Payments by code, and things' debits, that wait for this payer's word, oldest first."""
        query = (
            select(_payment)
            .where(
                IS_WAITING,
                _payment.c.code_expires_at_ms > now_ms,
                _payment.c.payer_id == payer_id,
                _payment.c.method.in_(("pay_code", "mandate")),
            )
            .order_by(_payment.c.created_at_ms)
            .limit(LIST_ROWS_MAX)
        )
        return self._reader.rows(query)

    def bills(self, payer_id: str, *, from_ms: int, before_ms: int, limit: int) -> list[Row]:
        """What a payer paid in a time, newest first."""
        query = (
            select(_payment)
            .where(
                _payment.c.payer_id == payer_id,
                _payment.c.created_at_ms >= from_ms,
                _payment.c.created_at_ms < before_ms,
                _payment.c.state.in_(_BILLED),
            )
            .order_by(_payment.c.created_at_ms.desc(), _payment.c.payment_id.desc())
            .limit(min(limit, LIST_ROWS_MAX))
        )
        return self._reader.rows(query)

    def latest_ended(self, payer_id: str, declined_id: str | None) -> Row | None:
        """A payer's newest payment that has an end to tell: paid or undone, or declined though a
        code was shown. ``declined_id`` is one of these in which no payer stands."""
        query = (
            select(_payment)
            .where(
                _payment.c.payer_id == payer_id,
                or_(_payment.c.state.in_(_BILLED), _DECLINED_BY_CODE),
            )
            .order_by(_payment.c.created_at_ms.desc(), _payment.c.payment_id.desc())
        )
        declined = self.payment(declined_id) if declined_id else None
        ended = [row for row in (self._reader.one(query.limit(1)), declined) if row is not None]
        return max(ended, key=itemgetter("created_at_ms", "payment_id"), default=None)
