"""Reading instruments outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.instruments.limits import INSTRUMENTS_PER_PAYER_MAX
from backend.instruments.tables import Instrument

_instrument = Instrument.__table__  # type: ignore[attr-defined]


class InstrumentRepository:
    """Committed instruments. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_payer(self, payer_id: str) -> list[Row]:
        """What a payer may pay with, the oldest first."""
        query = (
            select(_instrument)
            .where(_instrument.c.payer_id == payer_id, _instrument.c.status == "active")
            .order_by(_instrument.c.created_at_ms, _instrument.c.instrument_id)
            .limit(INSTRUMENTS_PER_PAYER_MAX)
        )
        return self._reader.rows(query)
