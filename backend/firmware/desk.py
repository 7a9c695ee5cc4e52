"""What routes ask about firmware, without HTTP: bringing it, handing it out, following devices."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from backend.db.tables import Row
from backend.firmware.limits import PIECE_BYTES
from backend.firmware.model import read_artifact
from backend.firmware.repository import FirmwareRepository
from backend.firmware.service import AddArtifact, AddPiece, WantFirmware
from backend.payments.services import Services
from protocol.errors import CallerError
from protocol.framing.mcuboot import ImageKey

_SECRET = frozenset({"token_hash", "event_count"})


class FirmwareDesk:
    """One per process; owned by the event loop."""

    def __init__(self, services: Services, keys: Sequence[ImageKey]) -> None:
        """``keys``: one of them must have signed an image; none: any signature will do here."""
        self._services = services
        self._run_read = services.run_read
        self._keys = keys
        self.repository = FirmwareRepository(services.reader)

    async def bring(self, data: bytes, *, name: str, version: str, by: str) -> dict[str, Any]:
        """Keep an artifact; the same bytes again are the same artifact."""
        artifact = read_artifact(data, version=version, keys=self._keys)
        for number, start in enumerate(range(0, len(data), PIECE_BYTES)):
            piece = AddPiece(artifact.digest, number, data[start : start + PIECE_BYTES])
            await self._services.submit(piece)
        row: dict[str, Any] = await self._services.submit(
            AddArtifact(artifact=artifact, name=name, by=by)
        )
        return row

    async def artifacts(self) -> list[dict[str, Any]]:
        """What was brought, the latest first."""
        found: list[dict[str, Any]] = await self._run_read(self.repository.artifacts)
        return found

    async def artifact(self, digest: str) -> Row:
        """One artifact; ``firmware_unknown`` if there is none."""
        found: Row | None = await self._run_read(lambda: self.repository.artifact(digest))
        if found is None:
            raise CallerError("firmware_unknown", digest[:16])
        return found

    async def content(self, digest: str, offset: int) -> bytes:
        """Some bytes from an offset on; none only at the end."""
        data: bytes = await self._run_read(lambda: self.repository.content(digest, offset))
        return data

    async def stream(self, artifact: Row, offset: int) -> AsyncIterator[bytes]:
        """The artifact's bytes from an offset on, in chunks."""
        while offset < artifact["size"]:
            some = await self.content(artifact["digest"], offset)
            assert some, "an artifact has all of its pieces"
            offset += len(some)
            yield some

    async def want(self, tid: str, digest: str, *, by: str) -> dict[str, Any]:
        """The device's row after the wish."""
        row = await self._services.submit(WantFirmware(tid=tid, digest=digest, by=by))
        return shown(row)

    async def device(self, tid: str) -> dict[str, Any]:
        """What is wanted of a device, how far it has come, and its steps."""
        row = await self._run_read(lambda: self.repository.device(tid))
        if row is None:
            raise CallerError("firmware_unknown", f"nothing is known of {tid}")
        history = await self._run_read(lambda: self.repository.history(tid))
        return {**shown(row), "history": history}


def shown(row: Row) -> dict[str, Any]:
    """A device's row as people see it."""
    plain = {name: value for name, value in row.items() if name not in _SECRET}
    return {**plain, "attributes": json.loads(row["attributes"])}
