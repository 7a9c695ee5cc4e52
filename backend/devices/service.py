"""The commands that change the registry. Each writes history and, in the same commit, the push
that tells the hub of the device's store.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.devices.announce import announce
from backend.devices.limits import KEY_OVERLAP_MS, NAME_CHARS_MAX, REASON_CHARS_MAX
from backend.devices.model import (
    ENROLLED_EVENT,
    OUTCOMES,
    DeviceCommand,
    DeviceKind,
    DeviceRow,
    DeviceStatus,
    OldKey,
    next_status,
)
from backend.devices.tables import DEVICE, DEVICE_EVENT, DEVICE_KEY, DEVICE_PRESENCE, STORE
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import push_reads
from protocol.errors import CallerError
from protocol.topics import is_name


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A public key to be accepted, already proven by its owner."""

    suite: str
    public_key: bytes
    kid: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateStore:
    """Open a store of a merchant. Repeating it changes nothing; another merchant is a conflict."""

    store: str
    merchant_id: str
    name: str

    def reads(self) -> Iterator[Read]:
        """The store, if it is there already, and the merchant."""
        yield STORE, self.store
        yield MERCHANT, self.merchant_id

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The store's row."""
        if not is_name(self.store) or not 0 < len(self.name) <= NAME_CHARS_MAX:
            raise CallerError("field_invalid", "store")
        if ws.get(MERCHANT, self.merchant_id) is None:
            raise CallerError("merchant_unknown")
        found = ws.get(STORE, self.store)
        if found is None:
            ws.insert(
                STORE,
                {
                    "store": self.store,
                    "merchant_id": self.merchant_id,
                    "name": self.name,
                    "created_at_ms": now_ms,
                },
            )
            found = ws.get(STORE, self.store)
        assert found is not None
        if found["merchant_id"] != self.merchant_id:
            raise CallerError("idempotency_conflict", "store")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolDevice:
    """Take a new device into the registry. The same name with the same key is a repetition."""

    tid: str
    kind: DeviceKind
    store: str
    key: NewKey
    actor: str
    is_active: bool

    def reads(self) -> Iterator[Read]:
        """The device and the key, if they are there already, and the store."""
        yield DEVICE, self.tid
        yield DEVICE_KEY, self.key.kid
        yield STORE, self.store
        yield from push_reads(self.store)

    def decide(self, ws: WorkingSet, now_ms: int) -> DeviceRow:
        """The registry row."""
        if not is_name(self.tid):
            raise CallerError("field_invalid", "tid")
        if ws.get(STORE, self.store) is None:
            raise CallerError("store_unknown")
        found = ws.get(DEVICE, self.tid)
        if found is not None:
            if found["kid"] == self.key.kid and found["store"] == self.store:
                return device_row(ws, found)
            raise CallerError("device_exists")
        _insert_key(ws, self.tid, self.key, now_ms)
        status = DeviceStatus.ACTIVE if self.is_active else DeviceStatus.ENROLLED
        ws.insert(
            DEVICE,
            {
                "tid": self.tid,
                "kind": self.kind.value,
                "store": self.store,
                "status": status.value,
                "kid": self.key.kid,
                "revision": 1,
                "enrolled_at_ms": now_ms,
                "changed_at_ms": now_ms,
            },
        )
        return _record(ws, self.tid, ENROLLED_EVENT, self.actor, "", now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDevice:
    """Activate, suspend, resume or revoke a device. Asking for what already is changes nothing."""

    tid: str
    command: DeviceCommand
    actor: str
    reason: str = ""

    def reads(self) -> Iterator[Read]:
        """The device."""
        yield DEVICE, self.tid

    def decide(self, ws: WorkingSet, now_ms: int) -> DeviceRow:
        """The registry row afterwards."""
        if len(self.reason) > REASON_CHARS_MAX:
            raise CallerError("field_invalid", "reason")
        if self.command not in OUTCOMES:
            raise CallerError("field_invalid", "a rotation needs a key")
        found = ws.get(DEVICE, self.tid)
        if found is None:
            raise CallerError("device_unknown")
        if found["status"] == OUTCOMES[self.command]:
            return device_row(ws, found)
        edge = next_status(DeviceStatus(found["status"]), self.command)
        ws.update(
            DEVICE,
            self.tid,
            status=edge.status.value,
            revision=found["revision"] + 1,
            changed_at_ms=now_ms,
        )
        return _record(ws, self.tid, edge.event, self.actor, self.reason, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKey:
    """Replace the key of a device. The one before is taken for ``KEY_OVERLAP_MS`` more, and any
    older one no more at all."""

    tid: str
    key: NewKey
    actor: str

    def reads(self) -> Iterator[Read]:
        """The device and the new key, if somebody has it."""
        yield DEVICE, self.tid
        yield DEVICE_KEY, self.key.kid

    def decide(self, ws: WorkingSet, now_ms: int) -> DeviceRow:
        """The registry row with the new key."""
        found = ws.get(DEVICE, self.tid)
        if found is None:
            raise CallerError("device_unknown")
        if found["kid"] == self.key.kid:
            return device_row(ws, found)
        edge = next_status(DeviceStatus(found["status"]), DeviceCommand.ROTATE)
        _insert_key(ws, self.tid, self.key, now_ms)
        ws.update(
            DEVICE,
            self.tid,
            kid=self.key.kid,
            old_kid=found["kid"],
            old_until_ms=now_ms + KEY_OVERLAP_MS,
            revision=found["revision"] + 1,
            changed_at_ms=now_ms,
        )
        return _record(ws, self.tid, edge.event, self.actor, "", now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPresence:
    """What a hub says about one device of its store, or about itself."""

    hub: str
    tid: str
    is_online: bool
    boot_epoch: int
    spool_depth: int
    at_ms: int

    def reads(self) -> Iterator[Read]:
        """The device, its hub, and what was said last."""
        yield DEVICE, self.tid
        yield DEVICE, self.hub
        yield DEVICE_PRESENCE, self.tid

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        """An older report than the last one is forgotten; a device of another store refused."""
        device, hub = ws.get(DEVICE, self.tid), ws.get(DEVICE, self.hub)
        if device is None or hub is None or device["store"] != hub["store"]:
            raise CallerError("device_unknown")
        said = {
            "hub": self.hub,
            "is_online": int(self.is_online),
            "boot_epoch": self.boot_epoch,
            "spool_depth": self.spool_depth,
            "reported_at_ms": min(self.at_ms, now_ms),
        }
        last = ws.get(DEVICE_PRESENCE, self.tid)
        if last is None:
            ws.insert(DEVICE_PRESENCE, {"tid": self.tid, **said})
        elif said["reported_at_ms"] >= last["reported_at_ms"]:
            ws.update(DEVICE_PRESENCE, self.tid, **said)


def device_row(ws: WorkingSet, found: Row) -> DeviceRow:
    """A device with the key it must use now."""
    key = ws.get(DEVICE_KEY, found["kid"])
    assert key is not None, "a device without its key"
    old = ws.get(DEVICE_KEY, found["old_kid"]) if found["old_kid"] is not None else None
    return DeviceRow(
        tid=found["tid"],
        kind=DeviceKind(found["kind"]),
        store=found["store"],
        status=DeviceStatus(found["status"]),
        suite=key["suite"],
        public_key=key["public_key"],
        kid=found["kid"],
        revision=found["revision"],
        old_key=None
        if old is None
        else OldKey(
            suite=old["suite"],
            public_key=old["public_key"],
            kid=old["kid"],
            until_ms=found["old_until_ms"],
        ),
    )


def _insert_key(ws: WorkingSet, tid: str, key: NewKey, now_ms: int) -> None:
    if ws.get(DEVICE_KEY, key.kid) is not None:
        raise CallerError("key_taken")
    ws.insert(
        DEVICE_KEY,
        {
            "kid": key.kid,
            "tid": tid,
            "suite": key.suite,
            "public_key": key.public_key,
            "created_at_ms": now_ms,
        },
    )


def _record(
    ws: WorkingSet, tid: str, event: str, actor: str, reason: str, now_ms: int
) -> DeviceRow:
    found = ws.get(DEVICE, tid)
    assert found is not None
    ws.insert(
        DEVICE_EVENT,
        {
            "tid": tid,
            "revision": found["revision"],
            "event": event,
            "status": found["status"],
            "kid": found["kid"],
            "actor": actor,
            "reason": reason,
            "at_ms": now_ms,
        },
    )
    row = device_row(ws, found)
    announce(ws, row, now_ms)
    return row
