"""The commands about settings: what the operator wants, and what a device reports.

Rule: a wish and the news of it for the device's hub are one commit.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind, DeviceStatus
from backend.devices.tables import DEVICE, STORE
from backend.notify.outbox import put_push
from backend.payments.model import DeviceRequest
from backend.twins.limits import PERSON_CHARS_MAX, REASON_CHARS_MAX
from backend.twins.model import AGAIN, merged, next_version, standing_of
from backend.twins.tables import STORE_SETTINGS, TWIN, TWIN_EVENT
from protocol.errors import CallerError
from protocol.messages import DeviceSettings

WANTED = "settings.wanted"
_OUTCOME_EVENTS = {
    "trying": "SettingsTried",
    "confirmed": "SettingsConfirmed",
    "refused": "SettingsRefused",
    "rolled_back": "SettingsRolledBack",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSettings:
    """Change some of a device's settings; None takes one back to the machine's own. What changes
    nothing makes no new version."""

    tid: str
    changes: Mapping[str, Any]
    by: str
    reason: str = ""

    def reads(self) -> Iterator[Read]:
        """The device and its settings."""
        yield DEVICE, self.tid
        yield TWIN, self.tid

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The device's row of settings afterwards."""
        row = ws.get(TWIN, self.tid)
        values = merged(json.loads(row["wanted"]) if row else {}, self.changes)
        return want(ws, self.tid, values, by=self.by, reason=self.reason, now_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStoreSettings:
    """Change what the store's devices are set to that are heard for the first time from now on;
    None takes a setting out. Those that were heard before are not touched."""

    store: str
    changes: Mapping[str, Any]
    by: str

    def reads(self) -> Iterator[Read]:
        """The store and its settings."""
        yield STORE, self.store
        yield STORE_SETTINGS, self.store

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The store's settings afterwards."""
        if ws.get(STORE, self.store) is None:
            raise CallerError("store_unknown")
        row = ws.get(STORE_SETTINGS, self.store)
        values = merged(json.loads(row["wanted"]) if row else {}, self.changes)
        wanted = json.dumps(values, ensure_ascii=False, sort_keys=True)
        told = {"wanted": wanted, "changed_by": self.by, "changed_at_ms": now_ms}
        if row is None:
            ws.insert(STORE_SETTINGS, {"store": self.store, **told})
        elif row["wanted"] != wanted:
            ws.update(STORE_SETTINGS, self.store, **told)
        found = ws.get(STORE_SETTINGS, self.store)
        assert found is not None
        return found


def want(
    ws: WorkingSet, tid: str, values: Mapping[str, Any], *, by: str, reason: str, now_ms: int
) -> Row:
    """Want exactly these settings of a device, in the caller's transaction; its row afterwards.
    The same again after it was refused or rolled back is a new try."""
    device = _settable(ws, tid)
    if not 0 < len(by) <= PERSON_CHARS_MAX or len(reason) > REASON_CHARS_MAX:
        raise CallerError("field_invalid", "by, reason")
    row = ws.get(TWIN, tid)
    wanted = json.dumps(values, ensure_ascii=False, sort_keys=True)
    if row is not None and row["wanted"] == wanted and standing_of(row) not in AGAIN:
        return row
    version = next_version(row)
    told = {
        "wanted_version": version,
        "wanted": wanted,
        "wanted_by": by,
        "wanted_at_ms": now_ms,
    }
    if row is None:
        ws.insert(TWIN, {"tid": tid, "store": device["store"], **told, "event_count": 0})
    else:
        ws.update(TWIN, tid, **told)
    put_push(
        ws,
        store=device["store"],
        device=tid,
        message_type=WANTED,
        body={"version": version, "values": dict(values)},
        at_ms=now_ms,
    )
    return _note(
        ws, tid, "SettingsWanted", version=version, content=wanted, actor=by, reason=reason,
        now_ms=now_ms,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """A device says how it stands; it is answered with what is wanted of it."""

    request: DeviceRequest

    def reads(self) -> Iterator[Read]:
        """The device, its settings, and its store's."""
        yield DEVICE, self.request.device
        yield TWIN, self.request.device
        yield STORE_SETTINGS, self.request.store

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[str, dict[str, Any]]:
        """The latest wish. A report that is older than the last one changes nothing."""
        body, tid = self.request.body, self.request.device
        assert isinstance(body, DeviceSettings)
        row = ws.get(TWIN, tid)
        if row is None:
            ws.insert(TWIN, {
                "tid": tid, "store": self.request.store, "wanted_version": 0, "wanted": "{}",
                "wanted_by": "", "wanted_at_ms": 0, "event_count": 0,
            })  # fmt: skip
            row = self._as_the_store_wants(ws, now_ms)
        # A device whose journal was lost counts from one again.
        is_reset = body.number == 1
        if body.number > row["reported_number"] or is_reset:
            row = self._take(ws, row, body, now_ms)
        values = json.loads(row["wanted"])
        return WANTED, {"version": row["wanted_version"], "values": values}

    def _as_the_store_wants(self, ws: WorkingSet, now_ms: int) -> Row:
        """A device that is heard for the first time is set as its store's devices are."""
        tid, usual = self.request.device, ws.get(STORE_SETTINGS, self.request.store)
        if usual is not None and usual["wanted"] != "{}":
            values, by = json.loads(usual["wanted"]), usual["changed_by"]
            return want(ws, tid, values, by=by, reason="as its store", now_ms=now_ms)
        row = ws.get(TWIN, tid)
        assert row is not None
        return row

    def _take(self, ws: WorkingSet, row: Row, body: DeviceSettings, now_ms: int) -> Row:
        said = {
            "version": body.version,
            "looked_at_version": body.wanted_version,
            "outcome": body.outcome,
            "code": body.code,
            "detail": body.detail,
        }
        is_news = any(row[name] != value for name, value in said.items())
        ws.update(
            TWIN, row["tid"], **said,
            reported_number=body.number,
            schema_version=body.schema_version,
            actual=json.dumps(body.values, ensure_ascii=False, sort_keys=True),
            reported_at_ms=now_ms,
        )  # fmt: skip
        if is_news and body.wanted_version:
            why = {"code": body.code, "detail": body.detail} if body.code else {}
            return _note(
                ws, row["tid"], _OUTCOME_EVENTS[body.outcome], version=body.wanted_version,
                content=json.dumps(why), actor=row["tid"], reason="", now_ms=now_ms,
            )  # fmt: skip
        return ws.update(TWIN, row["tid"])


def _settable(ws: WorkingSet, tid: str) -> Row:
    device = ws.get(DEVICE, tid)
    if device is None:
        raise CallerError("device_unknown", tid)
    if device["kind"] == DeviceKind.HUB:
        raise CallerError("setting_unfit", "a hub has no settings")
    if device["status"] == DeviceStatus.REVOKED:
        raise CallerError("device_revoked", tid)
    return device


def _note(
    ws: WorkingSet, tid: str, event: str, *, version: int, content: str, actor: str, reason: str,
    now_ms: int,
) -> Row:  # fmt: skip
    row = ws.get(TWIN, tid)
    assert row is not None
    number = row["event_count"] + 1
    ws.insert(
        TWIN_EVENT,
        {
            "tid": tid,
            "number": number,
            "event": event,
            "version": version,
            "content": content,
            "actor": actor,
            "reason": reason,
            "at_ms": now_ms,
        },
    )
    return ws.update(TWIN, tid, event_count=number)
