"""What a rollout may bring to a device, by kind: how it is offered, looked at and taken back.

Rule: a rollout never looks into a device's row itself; it asks the kind.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.firmware.model import ENDED, FirmwareState
from backend.firmware.service import want_firmware
from backend.firmware.tables import DEVICE_FIRMWARE
from backend.twins.model import Standing, merged, standing_of
from backend.twins.service import want
from backend.twins.tables import TWIN
from protocol.errors import CallerError


class Word(Enum):
    """What a device says to a wish."""

    NOTHING_YET = "nothing_yet"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    OVERTAKEN = "overtaken"
    """Something else is wanted of it by now."""


@dataclass(frozen=True, slots=True)
class Said:
    """A device's word, and why where it failed."""

    word: Word
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A wish that was made: its version, and as JSON what was wanted before."""

    version: int
    before: str


class Wish(Protocol):
    """One kind of change."""

    def check(self, content: Mapping[str, Any]) -> None:
        """``CallerError`` for what can be wanted of no device."""
        ...

    def read(self, tid: str) -> list[Read]:
        """The rows that the other methods look at."""
        ...

    def offer(
        self, ws: WorkingSet, tid: str, content: Mapping[str, Any], *, by: str, now_ms: int
    ) -> Offer:
        """Want it of this device; ``CallerError`` if the device can be wanted nothing."""
        ...

    def said(self, ws: WorkingSet, tid: str, version: int) -> Said:
        """What the device says to the wish of this version."""
        ...

    def undo(self, ws: WorkingSet, tid: str, before: str, *, by: str, now_ms: int) -> None:
        """Want again what was wanted before."""
        ...


class SettingsWish:
    """Some settings, over whatever else the device is set to."""

    def check(self, content: Mapping[str, Any]) -> None:
        """As ``Wish.check``."""
        if not content:
            raise CallerError("field_invalid", "content: no setting")
        merged({}, content)

    def read(self, tid: str) -> list[Read]:
        """As ``Wish.read``."""
        return [(TWIN, tid)]

    def offer(
        self, ws: WorkingSet, tid: str, content: Mapping[str, Any], *, by: str, now_ms: int
    ) -> Offer:
        """As ``Wish.offer``."""
        row = ws.get(TWIN, tid)
        before = row["wanted"] if row is not None else "{}"
        values = merged(json.loads(before), content)
        after = want(ws, tid, values, by=by, reason="", now_ms=now_ms)
        return Offer(after["wanted_version"], before)

    def said(self, ws: WorkingSet, tid: str, version: int) -> Said:
        """As ``Wish.said``."""
        row = ws.get(TWIN, tid)
        if row is None or row["wanted_version"] != version:
            return Said(Word.OVERTAKEN)
        standing = standing_of(row)
        if standing is Standing.IN_FORCE:
            return Said(Word.SUCCEEDED)
        if standing in {Standing.REFUSED, Standing.ROLLED_BACK}:
            return Said(Word.FAILED, row["code"], row["detail"])
        return Said(Word.NOTHING_YET)

    def undo(self, ws: WorkingSet, tid: str, before: str, *, by: str, now_ms: int) -> None:
        """As ``Wish.undo``."""
        want(ws, tid, json.loads(before), by=by, reason="taken back", now_ms=now_ms)


class FirmwareWish:
    """An artifact: ``{"digest": …}``."""

    def check(self, content: Mapping[str, Any]) -> None:
        """As ``Wish.check``."""
        if set(content) != {"digest"} or not isinstance(content["digest"], str):
            raise CallerError("field_invalid", "content: a digest, and nothing else")

    def read(self, tid: str) -> list[Read]:
        """As ``Wish.read``."""
        return [(DEVICE_FIRMWARE, tid)]

    def offer(
        self, ws: WorkingSet, tid: str, content: Mapping[str, Any], *, by: str, now_ms: int
    ) -> Offer:
        """As ``Wish.offer``."""
        row = ws.get(DEVICE_FIRMWARE, tid)
        before = row["digest"] if row is not None else ""
        after = want_firmware(ws, tid, content["digest"], by=by, now_ms=now_ms)
        return Offer(after["wanted_version"], before)

    def said(self, ws: WorkingSet, tid: str, version: int) -> Said:
        """As ``Wish.said``."""
        row = ws.get(DEVICE_FIRMWARE, tid)
        if row is None or row["wanted_version"] != version:
            return Said(Word.OVERTAKEN)
        if row["state"] == FirmwareState.CONFIRMED:
            return Said(Word.SUCCEEDED)
        if row["state"] in ENDED:
            return Said(Word.FAILED, row["code"], row["detail"])
        return Said(Word.NOTHING_YET)

    def undo(self, ws: WorkingSet, tid: str, before: str, *, by: str, now_ms: int) -> None:
        """As ``Wish.undo``. Where nothing was wanted before, nothing is wanted again: a board that
        kept the new firmware goes on running it, because nobody knows the old one."""
        want_firmware(ws, tid, before, by=by, now_ms=now_ms)


WISHES: Mapping[str, Wish] = {"settings": SettingsWish(), "firmware": FirmwareWish()}


def wish_of(kind: str) -> Wish:
    """The kind of this name; ``field_invalid`` for another."""
    found = WISHES.get(kind)
    if found is None:
        raise CallerError("field_invalid", f"kind: one of {', '.join(WISHES)}")
    return found
