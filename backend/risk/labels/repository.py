"""Reading labels. Only the room's repositories see SQL."""

from sqlalchemy import select, tuple_

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.labels.limits import LABELS_PER_PAGE_MAX, LABELS_PER_PAYMENT_MAX
from backend.risk.labels.tables import RiskLabel

_label = RiskLabel.__table__  # type: ignore[attr-defined]
_ORDER = (_label.c.available_at_ms, _label.c.payment_id, _label.c.origin)
LabelPlace = tuple[int, str, str]
"""A label's place in their order: when it became known, its payment, its origin."""


class LabelRepository:
    """Committed labels. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def labels(self, *, after: LabelPlace = (-1, "", "")) -> list[Row]:
        """The next page of labels behind a place, in the order in which they became known."""
        query = select(_label).where(tuple_(*_ORDER) > tuple_(*after)).order_by(*_ORDER)
        return self._reader.rows(query.limit(LABELS_PER_PAGE_MAX))

    def of_payment(self, payment_id: str) -> list[Row]:
        """What was said of a payment, the latest first: that one holds."""
        query = select(_label).where(_label.c.payment_id == payment_id)
        query = query.order_by(*(column.desc() for column in _ORDER))
        return self._reader.rows(query.limit(LABELS_PER_PAYMENT_MAX))
