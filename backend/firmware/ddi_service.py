"""The commands of the update interface: tokens, attributes, feedback."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.devices.tables import DEVICE
from backend.firmware.ddi import ConfigData, Feedback
from backend.firmware.service import attributes_text, firmware_row, hear_step
from backend.firmware.tables import DEVICE_FIRMWARE
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class SetToken:
    """Give a device a token to ask with; the one before is good no more."""

    tid: str
    token_hash: bytes

    def reads(self) -> Iterator[Read]:
        """The device."""
        yield DEVICE, self.tid
        yield DEVICE_FIRMWARE, self.tid

    def decide(self, ws: WorkingSet, _now_ms: int) -> None:
        """``device_unknown`` if there is none."""
        device = ws.get(DEVICE, self.tid)
        if device is None:
            raise CallerError("device_unknown", self.tid)
        firmware_row(ws, self.tid, device["store"])
        ws.update(DEVICE_FIRMWARE, self.tid, token_hash=self.token_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class HearFeedback:
    """A device says how far it is with an action."""

    tid: str
    action: int
    feedback: Feedback

    def reads(self) -> Iterator[Read]:
        """What is wanted of the device."""
        yield DEVICE_FIRMWARE, self.tid

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The device's row afterwards. Feedback to an action that is over changes nothing."""
        row = ws.get(DEVICE_FIRMWARE, self.tid)
        if row is None:
            raise CallerError("firmware_unknown", "nothing was wanted of this device")
        said = self.feedback
        if row["wanted_version"] == self.action:
            ws.update(DEVICE_FIRMWARE, self.tid, percent=said.percent, reported_at_ms=now_ms)
        code = {"failed": "firmware_refused", "refused": "firmware_refused"}.get(said.state, "")
        return hear_step(
            ws, self.tid, version=self.action, state=said.state, code=code,
            detail=said.detail_after(row["detail"]), now_ms=now_ms,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class HearAttributes:
    """A machine says what it is."""

    tid: str
    store: str
    said: ConfigData

    def reads(self) -> Iterator[Read]:
        """The device's row."""
        yield DEVICE_FIRMWARE, self.tid

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        """Keep the attributes that it tells. Answers nothing."""
        row = firmware_row(ws, self.tid, self.store)
        after = self.said.onto(json.loads(row["attributes"]))
        ws.update(
            DEVICE_FIRMWARE, self.tid, attributes=attributes_text(after), reported_at_ms=now_ms
        )
