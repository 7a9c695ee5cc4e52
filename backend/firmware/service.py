"""The commands about firmware: bringing artifacts, wanting them of devices, hearing of each step.

Rule: an artifact's row is written after all of its pieces, so whoever sees it can read it whole.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind, DeviceStatus
from backend.devices.tables import DEVICE
from backend.firmware.limits import DETAIL_CHARS_MAX, NAME_CHARS_MAX, PERSON_CHARS_MAX
from backend.firmware.model import ENDED, Artifact, FirmwareState
from backend.firmware.tables import ARTIFACT, DEVICE_FIRMWARE, FIRMWARE_EVENT, PIECE
from backend.notify.outbox import put_push
from backend.payments.model import DeviceRequest
from protocol.errors import CallerError
from protocol.messages import DeviceFirmware

WANTED = "firmware.wanted"


@dataclass(frozen=True, slots=True)
class AddPiece:
    """Keep a piece of an artifact; the same again changes nothing."""

    digest: str
    number: int
    content: bytes

    def reads(self) -> Iterator[Read]:
        """The piece, if it is there already."""
        yield PIECE, (self.digest, self.number)

    def decide(self, ws: WorkingSet, _now_ms: int) -> None:
        """Store the piece, unless it is stored already. Answers nothing."""
        if ws.get(PIECE, (self.digest, self.number)) is None:
            ws.insert(PIECE, asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class AddArtifact:
    """Make an artifact known whose pieces are all there; the same again changes nothing."""

    artifact: Artifact
    name: str
    by: str

    def reads(self) -> Iterator[Read]:
        """The artifact, if it is there already."""
        yield ARTIFACT, self.artifact.digest

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The artifact's row."""
        if not 0 < len(self.name) <= NAME_CHARS_MAX or not 0 < len(self.by) <= PERSON_CHARS_MAX:
            raise CallerError("field_invalid", "name, by")
        digest = self.artifact.digest
        if ws.get(ARTIFACT, digest) is None:
            brought = {"name": self.name, "brought_by": self.by, "brought_at_ms": now_ms}
            ws.insert(ARTIFACT, {**asdict(self.artifact), **brought})
        found = ws.get(ARTIFACT, digest)
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WantFirmware:
    """Want an artifact of a device; an empty digest wants nothing more."""

    tid: str
    digest: str
    by: str

    def reads(self) -> Iterator[Read]:
        """The device, what is wanted of it, and the artifact."""
        yield DEVICE, self.tid
        yield DEVICE_FIRMWARE, self.tid
        yield ARTIFACT, self.digest

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The device's row afterwards."""
        return want_firmware(ws, self.tid, self.digest, by=self.by, now_ms=now_ms)


def want_firmware(ws: WorkingSet, tid: str, digest: str, *, by: str, now_ms: int) -> Row:
    """Want an artifact of a device, in the caller's transaction; its row afterwards. The same again
    after it was refused or failed is a new try."""
    device = _updatable(ws, tid)
    artifact = ws.get(ARTIFACT, digest) if digest else None
    if digest and artifact is None:
        raise CallerError("firmware_unknown", digest[:16])
    row = firmware_row(ws, tid, device["store"])
    is_again = row["state"] in {FirmwareState.REFUSED, FirmwareState.FAILED}
    if row["digest"] == digest and not is_again:
        return row
    version = row["wanted_version"] + 1
    ws.update(
        DEVICE_FIRMWARE, tid, wanted_version=version, digest=digest, wanted_by=by,
        wanted_at_ms=now_ms, state=FirmwareState.WAITING.value, percent=0, code="", detail="",
    )  # fmt: skip
    if artifact is None or artifact["kind"] == "mcuboot":
        put_push(
            ws,
            store=device["store"],
            device=tid,
            message_type=WANTED,
            body=_wanted(version, artifact),
            at_ms=now_ms,
        )
    return _note(ws, tid, by, now_ms)


@dataclass(frozen=True, slots=True)
class ReportFirmware:
    """A device says how far it has come; it is answered with what is wanted of it."""

    request: DeviceRequest

    def reads(self) -> Iterator[Read]:
        """What is wanted of the device."""
        yield DEVICE_FIRMWARE, self.request.device

    def follow(self, ws: WorkingSet) -> Iterator[Read]:
        """The artifact."""
        row = ws.loaded(DEVICE_FIRMWARE, self.request.device)
        if row is not None:
            yield ARTIFACT, row["digest"]

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[str, dict[str, Any]]:
        """The latest wish. A report that is older than the last one changes nothing."""
        body, tid = self.request.body, self.request.device
        assert isinstance(body, DeviceFirmware)
        row = firmware_row(ws, tid, self.request.store)
        if body.number > row["reported_number"] or body.number == 1:
            ws.update(
                DEVICE_FIRMWARE, tid, reported_number=body.number, reported_at_ms=now_ms,
                running_version=body.running_version, running_hash=body.running_hash,
            )  # fmt: skip
            row = hear_step(
                ws, tid, version=body.wanted_version, state=FirmwareState(body.state),
                code=body.code, detail=body.detail, now_ms=now_ms,
            )  # fmt: skip
        artifact = ws.get(ARTIFACT, row["digest"]) if row["digest"] else None
        is_for_board = artifact is not None and artifact["kind"] == "mcuboot"
        return WANTED, _wanted(row["wanted_version"], artifact if is_for_board else None)


def hear_step(
    ws: WorkingSet, tid: str, *, version: int, state: FirmwareState, code: str, detail: str,
    now_ms: int,
) -> Row:  # fmt: skip
    """Write a device's step down, if it is one of the present wish and that has not ended; the
    device's row then."""
    row = ws.get(DEVICE_FIRMWARE, tid)
    assert row is not None
    if version != row["wanted_version"] or row["state"] in ENDED:
        return row
    is_news = (row["state"], row["code"]) != (state, code)
    row = ws.update(
        DEVICE_FIRMWARE, tid, state=state.value, code=code, detail=detail[:DETAIL_CHARS_MAX]
    )
    return _note(ws, tid, tid, now_ms) if is_news else row


def firmware_row(ws: WorkingSet, tid: str, store: str) -> Row:
    """The device's row, made where it had none."""
    row = ws.get(DEVICE_FIRMWARE, tid)
    if row is None:
        ws.insert(DEVICE_FIRMWARE, {
            "tid": tid, "store": store, "wanted_version": 0, "digest": "", "wanted_by": "",
            "wanted_at_ms": 0, "state": FirmwareState.WAITING.value,
        })  # fmt: skip
        row = ws.get(DEVICE_FIRMWARE, tid)
    assert row is not None
    return row


def _wanted(version: int, artifact: Mapping[str, Any] | None) -> dict[str, Any]:
    if artifact is None:
        return {"version": version, "digest": "", "size": 0}
    return {"version": version, "digest": artifact["digest"], "size": artifact["size"]}


def _updatable(ws: WorkingSet, tid: str) -> Row:
    device = ws.get(DEVICE, tid)
    if device is None:
        raise CallerError("device_unknown", tid)
    if device["kind"] == DeviceKind.HUB:
        raise CallerError("setting_unfit", "a hub has no board")
    if device["status"] == DeviceStatus.REVOKED:
        raise CallerError("device_revoked", tid)
    return device


def _note(ws: WorkingSet, tid: str, actor: str, now_ms: int) -> Row:
    row = ws.get(DEVICE_FIRMWARE, tid)
    assert row is not None
    number = row["event_count"] + 1
    told = {"state": row["state"], "code": row["code"], "detail": row["detail"]}
    place = {"tid": tid, "number": number, "version": row["wanted_version"]}
    ws.insert(FIRMWARE_EVENT, {**place, **told, "actor": actor, "at_ms": now_ms})
    return ws.update(DEVICE_FIRMWARE, tid, event_count=number)


def attributes_text(attributes: Mapping[str, str]) -> str:
    """Attributes as they are kept."""
    return json.dumps(dict(attributes), ensure_ascii=False, sort_keys=True)
