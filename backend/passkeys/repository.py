"""Reading passkeys outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.passkeys.tables import Passkey

_passkey = Passkey.__table__  # type: ignore[attr-defined]


class PasskeyRepository:
    """Committed passkeys. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_payer(self, payer_id: str) -> list[Row]:
        """Those that are not removed, the oldest first."""
        query = (
            select(_passkey)
            .where(_passkey.c.payer_id == payer_id, _passkey.c.removed_at_ms.is_(None))
            .order_by(_passkey.c.created_at_ms, _passkey.c.credential_id)
        )
        return self._reader.rows(query)
