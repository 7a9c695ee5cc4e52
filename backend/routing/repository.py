"""Reading the channels' health outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.routing.tables import ChannelHealth

_health = ChannelHealth.__table__  # type: ignore[attr-defined]


class HealthRepository:
    """Committed health. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def all(self) -> dict[str, Row]:
        """Every channel of which anything bad was ever heard."""
        rows = self._reader.rows(select(_health).order_by(_health.c.channel_id))
        return {row["channel_id"]: row for row in rows}
