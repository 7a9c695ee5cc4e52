"""Questions about filed accounts, outside commands."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.destinations.model import DestinationKind
from backend.destinations.tables import Destination, DestinationFiling

_DESTINATION = Destination.__table__  # type: ignore[attr-defined]
_FILING = DestinationFiling.__table__  # type: ignore[attr-defined]


class DestinationRepository:
    """Reads filed accounts."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def destination(self, kind: DestinationKind, holder_id: str) -> Row | None:
        """A holder's filed account."""
        key = (_DESTINATION.c.kind == kind.value, _DESTINATION.c.holder_id == holder_id)
        rows = await self._reader.fetch(select(_DESTINATION).where(*key))
        return rows[0] if rows else None

    async def filings(self, kind: DestinationKind, holder_id: str) -> list[Row]:
        """How it came to be, in its order."""
        key = (_FILING.c.kind == kind.value, _FILING.c.holder_id == holder_id)
        return await self._reader.fetch(select(_FILING).where(*key).order_by(_FILING.c.number))
