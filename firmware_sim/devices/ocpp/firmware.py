"""The firmware update: states from the order to the reboot, as both versions have them.

    IDLE -> SCHEDULED -> DOWNLOADING -> DOWNLOADED -> INSTALLING -> (reboot) -> INSTALLED
                             |  retry       |             |
                             v              v             v
                     DOWNLOAD_FAILED  SIGNATURE_BAD  INSTALLATION_FAILED

Rule 1: what lies at an address is told beforehand (``FirmwareFile``), for a simulated charger
fetches nothing; an address that nobody told of cannot be fetched. Rule 2: installing waits until
no transaction runs. Rule 3: a new firmware runs, and says so, only after the reboot.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from firmware_sim.devices.ocpp.limits import DOWNLOAD_MS, INSTALL_MS


class Stage(Enum):
    """Where the update stands."""

    IDLE = "idle"
    SCHEDULED = "scheduled"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    DOWNLOAD_FAILED = "download_failed"
    SIGNATURE_BAD = "signature_bad"
    INSTALLING = "installing"
    REBOOTING = "rebooting"
    INSTALLED = "installed"
    INSTALLATION_FAILED = "installation_failed"


@dataclass(frozen=True, slots=True)
class FirmwareFile:
    """What a download brings."""

    version: str
    flaw: Literal["", "download", "signature", "install"] = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What the central system asks for."""

    location: str
    retrieve_at_ms: int
    retries: int = 0
    retry_s: int = 60
    request_id: int | None = None
    install_at_ms: int | None = None


@dataclass(slots=True)
class FirmwareUpdate:
    """One update after the other; the file and the stage are in flash."""

    files: dict[str, FirmwareFile]
    stage: Stage = Stage.IDLE
    order: Order | None = None
    retries_left: int = 0

    @property
    def is_running(self) -> bool:
        """Whether an update is under way."""
        return self.stage in {
            Stage.SCHEDULED, Stage.DOWNLOADING, Stage.DOWNLOADED, Stage.INSTALLING, Stage.REBOOTING
        }  # fmt: skip

    def take(self, order: Order) -> int:
        """A new order replaces the old one; returns when to go on."""
        self.order, self.retries_left = order, order.retries
        self.stage = Stage.SCHEDULED
        return order.retrieve_at_ms

    def resumes_at_ms(self) -> int:
        """When to go on after a start of the charger."""
        is_ahead = self.order is not None and self.stage is Stage.SCHEDULED
        return self.order.retrieve_at_ms if self.order is not None and is_ahead else 0

    def advance(self, now_ms: int, *, is_idle: bool) -> int | None:
        """One stage on; returns when to go on, ``None`` where nothing is due by time."""
        assert self.order is not None
        match self.stage:
            case Stage.SCHEDULED:
                self.stage = Stage.DOWNLOADING
                return now_ms + DOWNLOAD_MS
            case Stage.DOWNLOADING:
                return self._end_download(now_ms)
            case Stage.DOWNLOADED:
                install_at = self.order.install_at_ms
                if install_at is not None and now_ms < install_at:
                    return install_at
                if not is_idle:
                    return None
                self.stage = Stage.INSTALLING
                return now_ms + INSTALL_MS
            case Stage.INSTALLING:
                is_flawed = self._file().flaw == "install"
                self.stage = Stage.INSTALLATION_FAILED if is_flawed else Stage.REBOOTING
        return None

    def booted(self) -> str:
        """The charger is up again: the version now run where an update ended, else nothing.

        A cut before the reboot that installing ends with leaves the old firmware in place; a
        cut while downloading starts the download over (its order is in flash).
        """
        if self.stage is Stage.REBOOTING:
            self.stage = Stage.INSTALLED
            return self._file().version
        if self.stage is Stage.INSTALLING:
            self.stage = Stage.DOWNLOADED
        elif self.stage is Stage.DOWNLOADING:
            self.stage = Stage.SCHEDULED
        return ""

    def _end_download(self, now_ms: int) -> int | None:
        assert self.order is not None
        found = self.files.get(self.order.location)
        if found is None or found.flaw == "download":
            self.stage = Stage.DOWNLOAD_FAILED
            if self.retries_left:
                self.retries_left -= 1
                self.stage = Stage.SCHEDULED
                return now_ms + self.order.retry_s * 1000
            return None
        self.stage = Stage.SIGNATURE_BAD if found.flaw == "signature" else Stage.DOWNLOADED
        return now_ms + 1 if self.stage is Stage.DOWNLOADED else None

    def _file(self) -> FirmwareFile:
        assert self.order is not None
        return self.files[self.order.location]
