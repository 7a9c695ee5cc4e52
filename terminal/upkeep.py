"""What the backend looks after on a terminal: that it runs, its settings, its firmware."""

from collections.abc import Mapping
from typing import Any

from protocol.messages import FirmwareWanted, SettingsWanted
from terminal.desk import Desk
from terminal.firmware_flow import FIRMWARE_REPORT, FirmwareFlow
from terminal.inputs import BoardStep, SettingsTried
from terminal.settings_flow import REPORT, TRIAL, SettingsFlow

SOFTWARE = "tillway-terminal 0.1"
UPKEEP = frozenset({TRIAL, REPORT, FIRMWARE_REPORT})
"""Kinds of timers."""
WISHES = frozenset({"settings.wanted", "firmware.wanted"})
"""Messages of the backend that are taken here."""


class Upkeep:
    """The upkeep of one terminal."""

    def __init__(self, desk: Desk, *, has_board: bool) -> None:
        """``has_board``: there is a controller board whose firmware can be renewed."""
        self._desk = desk
        self._settings = SettingsFlow(desk)
        self._firmware = FirmwareFlow(desk, "" if has_board else SOFTWARE)
        self._has_said_hello = False

    def recover(self) -> None:
        """At start: see ``SettingsFlow.recover`` and ``FirmwareFlow.recover``."""
        self._settings.recover()
        self._firmware.recover()

    def on_link_up(self) -> None:
        """Say that this terminal runs, once, and how it stands."""
        if not self._has_said_hello:
            self._has_said_hello = True
            profile = self._desk.profile
            body = {
                "software": SOFTWARE,
                "profile": profile.kind,
                "started_at_ms": self._desk.clock.now_ms(),
            }
            self._desk.courier.post("device.hello", body, subject=profile.tid)
        self._settings.report()
        self._firmware.report()

    def wanted(self, message_type: str, body: Mapping[str, Any]) -> None:
        """One of ``WISHES``."""
        if message_type == "firmware.wanted":
            self._firmware.wanted(FirmwareWanted.from_map(body))
        else:
            self._settings.wanted(SettingsWanted.from_map(body))

    def take(self, event: SettingsTried | BoardStep) -> None:
        """What the devices say to a wish."""
        match event:
            case SettingsTried(version, code, detail):
                self._settings.tried(version, code, detail)
            case BoardStep():
                self._firmware.stepped(event)

    def on_timer(self, kind: str) -> None:
        """One of ``UPKEEP`` is due."""
        if kind == FIRMWARE_REPORT:
            self._firmware.report()
        else:
            self._settings.on_timer(kind)
