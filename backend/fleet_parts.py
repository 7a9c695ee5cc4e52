"""Builds what concerns the fleet: firmware, rollouts, and what devices say of themselves."""

from collections.abc import Callable, Mapping
from functools import partial

from backend.config import Settings
from backend.db.command import Command
from backend.firmware.desk import FirmwareDesk
from backend.firmware.service import ReportFirmware
from backend.hub_api.guard import Hello
from backend.payments.model import DeviceRequest
from backend.payments.services import Services
from backend.risk.devices.service import KeepReading
from backend.rollouts.repository import RolloutRepository
from backend.rollouts.runner import RolloutRunner
from backend.twins.service import ReportSettings


def build_firmware(settings: Settings, services: Services) -> FirmwareDesk:
    """The artifacts and the devices' firmware."""
    return FirmwareDesk(services, settings.image_keys())


def build_rollouts(services: Services) -> RolloutRunner:
    """The task that moves rollouts on."""
    return RolloutRunner(
        submit=services.submit,
        run_read=services.run_read,
        repository=RolloutRepository(services.reader),
    )


def requests_about_itself(
    pseudonyms: bytes,
) -> Mapping[str, Callable[[DeviceRequest], Command]]:
    """What a device may say of itself."""
    return {
        "device.hello": lambda _request: Hello(),
        "device.fingerprint": partial(_keep_reading, pseudonyms),
        "device.settings": ReportSettings,
        "device.firmware": ReportFirmware,
    }


def _keep_reading(key: bytes, request: DeviceRequest) -> Command:
    return KeepReading(request=request, key=key)
