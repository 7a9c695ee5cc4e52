"""Reading disputes outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.disputes.limits import ROWS_PER_LIST_MAX
from backend.disputes.tables import Dispute, DisputeEventRow

_dispute = Dispute.__table__  # type: ignore[attr-defined]
_event = DisputeEventRow.__table__  # type: ignore[attr-defined]


class DisputeRepository:
    """Committed disputes. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def dispute(self, dispute_id: str) -> Row | None:
        """One dispute as it stands."""
        return self._reader.one(select(_dispute).where(_dispute.c.dispute_id == dispute_id))

    def timeline(self, dispute_id: str) -> list[Row]:
        """Every step of a dispute, in order."""
        query = select(_event).where(_event.c.dispute_id == dispute_id)
        return self._reader.rows(query.order_by(_event.c.number))

    def of_payment(self, payment_id: str) -> list[Row]:
        """A payment's disputes, oldest first."""
        query = (
            select(_dispute)
            .where(_dispute.c.payment_id == payment_id)
            .order_by(_dispute.c.opened_at_ms, _dispute.c.dispute_id)
            .limit(ROWS_PER_LIST_MAX)
        )
        return self._reader.rows(query)

    def listed(self, *, state: str | None = None, merchant_id: str | None = None) -> list[Row]:
        """Disputes, newest first; of one state or one merchant only, if asked."""
        query = select(_dispute)
        if state is not None:
            query = query.where(_dispute.c.state == state)
        if merchant_id is not None:
            query = query.where(_dispute.c.merchant_id == merchant_id)
        query = query.order_by(_dispute.c.opened_at_ms.desc(), _dispute.c.dispute_id.desc())
        return self._reader.rows(query.limit(ROWS_PER_LIST_MAX))
