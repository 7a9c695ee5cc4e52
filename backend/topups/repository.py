"""Questions about top-ups, outside commands."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.topups.tables import TopUp

_TOPUP = TopUp.__table__  # type: ignore[attr-defined]


class TopUpRepository:
    """Reads top-ups."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def topup(self, topup_id: str) -> Row | None:
        """A top-up; None if there is none."""
        rows = await self._reader.fetch(select(_TOPUP).where(_TOPUP.c.topup_id == topup_id))
        return rows[0] if rows else None
