"""Reading firmware. Only this file of the room sees SQL, and it only reads."""

from typing import Any

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.firmware.limits import (
    ARTIFACTS_SHOWN_MAX,
    HISTORY_ROWS_MAX,
    PIECE_BYTES,
    PIECES_PER_READ_MAX,
)
from backend.firmware.tables import (
    DeviceFirmware,
    DeviceFirmwareEvent,
    FirmwareArtifact,
    FirmwarePiece,
)

_artifact = FirmwareArtifact.__table__  # type: ignore[attr-defined]
_piece = FirmwarePiece.__table__  # type: ignore[attr-defined]
_device = DeviceFirmware.__table__  # type: ignore[attr-defined]
_event = DeviceFirmwareEvent.__table__  # type: ignore[attr-defined]


class FirmwareRepository:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def artifacts(self) -> list[dict[str, Any]]:
        """What was brought, the latest first."""
        query = select(_artifact).order_by(_artifact.c.brought_at_ms.desc(), _artifact.c.digest)
        return self._reader.rows(query.limit(ARTIFACTS_SHOWN_MAX))

    def artifact(self, digest: str) -> Row | None:
        """One artifact."""
        return self._reader.one(select(_artifact).where(_artifact.c.digest == digest))

    def content(self, digest: str, offset: int) -> bytes:
        """Bytes of an artifact from an offset on: some, and none only at its end."""
        first = offset // PIECE_BYTES
        query = select(_piece.c.content).where(
            _piece.c.digest == digest,
            _piece.c.number >= first,
            _piece.c.number < first + PIECES_PER_READ_MAX,
        )
        rows = self._reader.rows(query.order_by(_piece.c.number))
        return b"".join(row["content"] for row in rows)[offset - first * PIECE_BYTES :]

    def device(self, tid: str) -> Row | None:
        """What is wanted of a device, and how far it has come."""
        return self._reader.one(select(_device).where(_device.c.tid == tid))

    def history(self, tid: str) -> list[Row]:
        """A device's steps, the latest first."""
        query = select(_event).where(_event.c.tid == tid).order_by(_event.c.number.desc())
        return self._reader.rows(query.limit(HISTORY_ROWS_MAX))
