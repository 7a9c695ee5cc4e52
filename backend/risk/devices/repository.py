"""Reading what devices said. Only this file of the room sees SQL."""

from sqlalchemy import select, tuple_

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.devices.limits import HISTORY_ROWS_MAX, READINGS_KEPT_MAX, READINGS_PER_PAGE
from backend.risk.devices.tables import DeviceReading, DeviceTrust

_reading = DeviceReading.__table__  # type: ignore[attr-defined]
_trust = DeviceTrust.__table__  # type: ignore[attr-defined]
Place = tuple[int, str, int]
"""An accepted reading's place in their order: when, of which device, its number."""


class ReadingRepository:
    """Committed readings. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def unjudged(self) -> list[Row]:
        """The readings that nobody has judged, in the order in which they came."""
        query = select(_reading).where(_reading.c.judged_at_ms == 0)
        query = query.order_by(_reading.c.received_at_ms, _reading.c.tid, _reading.c.number)
        return self._reader.rows(query.limit(READINGS_PER_PAGE))

    def accepted(self, *, after: Place) -> list[Row]:
        """The next page of accepted readings behind a place, in the order of acceptance."""
        order = (_reading.c.accepted_at_ms, _reading.c.tid, _reading.c.number)
        query = select(_reading).where(
            _reading.c.accepted_at_ms > 0, tuple_(*order) > tuple_(*after)
        )
        return self._reader.rows(query.order_by(*order).limit(READINGS_PER_PAGE))

    def latest_accepted(self, tid: str, *, before: int) -> list[Row]:
        """One device's latest accepted readings below a number, the oldest first."""
        query = select(_reading).where(
            _reading.c.tid == tid, _reading.c.number < before, _reading.c.accepted_at_ms > 0
        )
        query = query.order_by(_reading.c.number.desc()).limit(READINGS_KEPT_MAX)
        return self._reader.rows(query)[::-1]

    def standing(self, tid: str) -> Row | None:
        """How a device stands."""
        return self._reader.one(select(_trust).where(_trust.c.tid == tid))

    def history(self, tid: str) -> list[Row]:
        """A device's readings and what was made of them, the latest first."""
        query = select(_reading).where(_reading.c.tid == tid)
        return self._reader.rows(query.order_by(_reading.c.number.desc()).limit(HISTORY_ROWS_MAX))
