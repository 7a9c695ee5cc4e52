"""Questions about top-ups, outside commands."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.topups.limits import OPEN_TOPUPS_PER_SWEEP_MAX
from backend.topups.model import OPEN_STATES
from backend.topups.tables import TopUp

_TOPUP = TopUp.__table__  # type: ignore[attr-defined]


class TopUpRepository:
    """Reads top-ups."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def open_topups(self) -> list[Row]:
        """Top-ups without an answer, the oldest first, bounded."""
        return await self._reader.fetch(
            select(_TOPUP)
            .where(_TOPUP.c.state.in_([state.value for state in OPEN_STATES]))
            .order_by(_TOPUP.c.created_at_ms)
            .limit(OPEN_TOPUPS_PER_SWEEP_MAX)
        )
