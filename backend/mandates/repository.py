"""Reading mandates outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.mandates.limits import MANDATES_PER_LIST_MAX
from backend.mandates.tables import Mandate

_mandate = Mandate.__table__  # type: ignore[attr-defined]


class MandateRepository:
    """Committed mandates. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_payer(self, payer_id: str) -> list[Row]:
        """A payer's mandates, newest first."""
        query = (
            select(_mandate)
            .where(_mandate.c.payer_id == payer_id)
            .order_by(_mandate.c.created_at_ms.desc(), _mandate.c.mandate_id)
            .limit(MANDATES_PER_LIST_MAX)
        )
        return self._reader.rows(query)
