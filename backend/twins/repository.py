"""Reading devices' settings. Only this file of the room sees SQL, and it only reads."""

from typing import Any

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.twins.limits import GROUP_DEVICES_MAX, HISTORY_ROWS_MAX
from backend.twins.tables import DeviceTwin, DeviceTwinEvent, StoreSettings

_twin = DeviceTwin.__table__  # type: ignore[attr-defined]
_store = StoreSettings.__table__  # type: ignore[attr-defined]
_event = DeviceTwinEvent.__table__  # type: ignore[attr-defined]


class TwinRepository:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def twin(self, tid: str) -> Row | None:
        """One device's settings."""
        return self._reader.one(select(_twin).where(_twin.c.tid == tid))

    def of_store(self, store: str) -> Row | None:
        """What a store's new devices are set to."""
        return self._reader.one(select(_store).where(_store.c.store == store))

    def history(self, tid: str) -> list[dict[str, Any]]:
        """What happened to a device's settings, the latest first."""
        query = select(_event).where(_event.c.tid == tid).order_by(_event.c.number.desc())
        return self._reader.rows(query.limit(HISTORY_ROWS_MAX))

    def twins(self, tids: list[str]) -> list[Row]:
        """The settings of these devices, by name."""
        query = select(_twin).where(_twin.c.tid.in_(tids[:GROUP_DEVICES_MAX]))
        return self._reader.rows(query.order_by(_twin.c.tid))
