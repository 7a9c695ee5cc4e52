"""Reading the ledger's history for training: the payments that were judged, and their labels."""

from sqlalchemy import select, tuple_

from backend.db.limits import READ_PAGE_ROWS
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.payments.tables import Payment
from backend.risk.labels.tables import RiskLabel
from backend.risk.models.limits import TRAINING_LABELS_MAX, TRAINING_PAYMENTS_MAX

_payment = Payment.__table__  # type: ignore[attr-defined]
_label = RiskLabel.__table__  # type: ignore[attr-defined]
_COLUMNS = ("payment_id", "created_at_ms", "amount_minor", "payer_id", "instrument_id", "device",
            "merchant_id", "store")  # fmt: skip


class TrainingRepository:
    """Committed payments and labels. Blocking."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def payments(self, *, from_ms: int, until_ms: int) -> list[Row]:
        """The judged payments of a time in order, at most ``TRAINING_PAYMENTS_MAX``, the latest."""
        order = (_payment.c.created_at_ms, _payment.c.payment_id)
        query = (
            select(*(_payment.c[name] for name in _COLUMNS))
            .where(_payment.c.risk.is_not(None), _payment.c.created_at_ms >= from_ms)
            .order_by(*(column.desc() for column in order))
            .limit(READ_PAGE_ROWS)
        )
        found: list[Row] = []
        before = (until_ms, "")
        while len(found) < TRAINING_PAYMENTS_MAX:
            page = self._reader.rows(query.where(tuple_(*order) < tuple_(*before)))
            found += page
            if len(page) < READ_PAGE_ROWS:
                break
            before = (page[-1]["created_at_ms"], page[-1]["payment_id"])
        return found[::-1]

    def labels(self, *, until_ms: int) -> list[Row]:
        """What was known by then, in the order in which it became known; the latest of a payment
        holds."""
        order = (_label.c.available_at_ms, _label.c.payment_id, _label.c.origin)
        query = select(_label).order_by(*order).limit(READ_PAGE_ROWS)
        query = query.where(_label.c.available_at_ms <= until_ms)
        found: list[Row] = []
        after = (-1, "", "")
        while len(found) < TRAINING_LABELS_MAX:
            page = self._reader.rows(query.where(tuple_(*order) > tuple_(*after)))
            found += page
            if len(page) < READ_PAGE_ROWS:
                break
            after = tuple(page[-1][column.name] for column in order)
        return found
