"""Reading mandates outside commands. Only this file of the room sees SQL."""

from sqlalchemy import ColumnElement, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.mandates.limits import MANDATES_PER_LIST_MAX, ROWS_PER_LIST_MAX
from backend.mandates.tables import Mandate, MandateEventRow, MandateNotice, MandateUse

_mandate = Mandate.__table__  # type: ignore[attr-defined]
_event = MandateEventRow.__table__  # type: ignore[attr-defined]
_notice = MandateNotice.__table__  # type: ignore[attr-defined]
_use = MandateUse.__table__  # type: ignore[attr-defined]


class MandateRepository:
    """Committed mandates. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def mandate(self, mandate_id: str) -> Row | None:
        """One mandate as it stands."""
        return self._reader.one(select(_mandate).where(_mandate.c.mandate_id == mandate_id))

    def of_payer(self, payer_id: str) -> list[Row]:
        """A payer's mandates, newest first."""
        return self._mandates(_mandate.c.payer_id == payer_id)

    def of_merchant(self, merchant_id: str) -> list[Row]:
        """A merchant's mandates, newest first."""
        return self._mandates(_mandate.c.merchant_id == merchant_id)

    def timeline(self, mandate_id: str) -> list[Row]:
        """Every step of a mandate, the latest ones, in order."""
        query = (
            select(_event)
            .where(_event.c.mandate_id == mandate_id)
            .order_by(_event.c.number.desc())
            .limit(ROWS_PER_LIST_MAX)
        )
        return self._reader.rows(query)[::-1]

    def notices(self, mandate_id: str) -> list[Row]:
        """A mandate's announced debits, newest first."""
        return self._notices(_notice.c.mandate_id == mandate_id)

    def notices_of_payer(self, payer_id: str) -> list[Row]:
        """What was announced to a payer, newest first."""
        return self._notices(_notice.c.payer_id == payer_id)

    def uses(self, mandate_id: str) -> list[Row]:
        """What payments took under a mandate, the latest day first."""
        query = (
            select(_use)
            .where(_use.c.mandate_id == mandate_id)
            .order_by(_use.c.day.desc(), _use.c.payment_id.desc())
            .limit(ROWS_PER_LIST_MAX)
        )
        return self._reader.rows(query)

    def _mandates(self, which: ColumnElement[bool]) -> list[Row]:
        query = (
            select(_mandate)
            .where(which)
            .order_by(_mandate.c.created_at_ms.desc(), _mandate.c.mandate_id)
            .limit(MANDATES_PER_LIST_MAX)
        )
        return self._reader.rows(query)

    def _notices(self, which: ColumnElement[bool]) -> list[Row]:
        query = (
            select(_notice)
            .where(which)
            .order_by(_notice.c.announced_at_ms.desc(), _notice.c.notice_id)
            .limit(ROWS_PER_LIST_MAX)
        )
        return self._reader.rows(query)
