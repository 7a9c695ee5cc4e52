"""Reading refunds outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.refunds.limits import LIST_ROWS_MAX
from backend.refunds.tables import Refund

_refund = Refund.__table__  # type: ignore[attr-defined]


class RefundRepository:
    """Committed refunds. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_payment(self, payment_id: str) -> list[Row]:
        """A payment's refunds, oldest first, without the hash of what was asked."""
        columns = [column for column in _refund.columns if column.name != "body_hash"]
        query = (
            select(*columns)
            .where(_refund.c.payment_id == payment_id)
            .order_by(_refund.c.created_at_ms, _refund.c.refund_id)
            .limit(LIST_ROWS_MAX)
        )
        return self._reader.rows(query)
