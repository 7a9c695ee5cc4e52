"""The upload of the charger's log: 1.6's diagnostics, 2.0.1's log.

    IDLE -> UPLOADING -> UPLOADED | (retries) -> FAILED

Rule 1: which addresses take a file is told beforehand, for a simulated charger sends nothing; any
other address fails. Rule 2: a new order takes the place of one under way.
"""

from dataclasses import dataclass
from enum import Enum

from firmware_sim.devices.ocpp.limits import UPLOAD_MS


class Stage(Enum):
    """Where the upload stands."""

    IDLE = "idle"
    UPLOADING = "uploading"
    UPLOADED = "uploaded"
    FAILED = "failed"


@dataclass(slots=True)
class LogUpload:
    """One upload after the other."""

    addresses: frozenset[str]
    stage: Stage = Stage.IDLE
    request_id: int | None = None
    files: int = 0
    _location: str = ""
    _retries_left: int = 0
    _retry_ms: int = 0

    def take(
        self, location: str, now_ms: int, *, retries: int, retry_s: int, request_id: int | None
    ) -> int:
        """Begin; returns when to go on."""
        self._location, self._retries_left = location, retries
        self._retry_ms, self.request_id = retry_s * 1000, request_id
        self.stage, self.files = Stage.UPLOADING, self.files + 1
        return now_ms + UPLOAD_MS

    def advance(self, now_ms: int) -> int | None:
        """The try is over; returns when the next one is, ``None`` where none is due."""
        if self._location in self.addresses:
            self.stage = Stage.UPLOADED
        elif self._retries_left:
            self._retries_left -= 1
            return now_ms + max(1, self._retry_ms) + UPLOAD_MS
        else:
            self.stage = Stage.FAILED
        return None

    def forget(self) -> None:
        """The program begins anew: what was under way is over."""
        self.stage, self.request_id = Stage.IDLE, None
