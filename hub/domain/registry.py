"""The devices of the hub's store: who may speak, and with which key.

Rule 1: a row with a lower revision never replaces one with a higher.
Rule 2: only ``active`` is heard. A status this version does not know counts as suspended.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from hub.domain.limits import DEVICE_ROW_BYTES_MAX, DEVICES_MAX
from protocol import cbor
from protocol.crypto.keys import VerifyKey
from protocol.errors import CallerError
from protocol.limits import COUNTER_MAX
from protocol.topics import is_name

_REFUSALS = {"revoked": "device_revoked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One row. ``wire`` is the row as the backend sent it, for the durable copy."""

    tid: str
    kind: str
    status: str
    revision: int
    key: VerifyKey
    wire: bytes
    old_key: VerifyKey | None = None
    """The key before, which is taken until ``old_until_ms``."""
    old_until_ms: int = 0

    def key_of(self, kid: bytes, *, now_ms: int) -> VerifyKey | None:
        """The key of this id, if it may sign for the device now."""
        if kid == self.key.kid:
            return self.key
        is_old = self.old_key is not None and kid == self.old_key.kid
        return self.old_key if is_old and now_ms < self.old_until_ms else None

    @property
    def refusal(self) -> str | None:
        """Why this device is not heard; None when it is."""
        return None if self.status == "active" else _REFUSALS.get(self.status, "device_suspended")

    @classmethod
    def from_wire(cls, row: Mapping[Any, Any], *, store: str) -> Self:
        """Read the backend's row; ``CallerError("field_invalid")`` names what is wrong."""
        match row:
            case {
                "tid": str(tid),
                "kind": str(kind),
                "store": str(named),
                "status": str(status),
                "revision": int(revision),
            } if is_name(tid) and named == store and 0 <= revision <= COUNTER_MAX:
                key = VerifyKey.from_wire({"suite": row.get("suite"), "public": row.get("public")})
                wire = cbor.encode(dict(row))
                old_key, old_until_ms = _old_key(row.get("old"))
                return cls(
                    tid=tid,
                    kind=kind,
                    status=status,
                    revision=revision,
                    key=key,
                    wire=wire,
                    old_key=old_key,
                    old_until_ms=old_until_ms,
                )
        raise CallerError("field_invalid", "registry row")

    @classmethod
    def from_bytes(cls, wire: bytes, *, store: str) -> Self:
        """Read the durable copy of a row."""
        row = cbor.decode(wire, bytes_max=DEVICE_ROW_BYTES_MAX)
        if not isinstance(row, dict):
            raise CallerError("field_invalid", "registry row")
        return cls.from_wire(row, store=store)


class Registry:
    """The device table in memory. Owned by one thread."""

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self._devices = {device.tid: device for device in devices}

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(self._devices.values())

    def names(self) -> frozenset[str]:
        """All devices known now."""
        return frozenset(self._devices)

    def find(self, tid: str) -> Device | None:
        """The device of this name."""
        return self._devices.get(tid)

    def admits(self, tid: str) -> bool:
        """Whether this device may have a line now."""
        device = self._devices.get(tid)
        return device is not None and device.refusal is None

    def is_stopped(self, tid: str) -> bool:
        """Whether this device is suspended, revoked or unknown. False while there is no table at
        all."""
        return bool(self._devices) and not self.admits(tid)

    def revision(self, tid: str) -> int | None:
        """The revision of a device's row; None where it has none."""
        device = self._devices.get(tid)
        return device.revision if device is not None else None

    def apply(self, device: Device) -> bool:
        """Take a newer row; False when it is not newer than what is known."""
        known = self._devices.get(device.tid)
        if known is not None and device.revision <= known.revision:
            return False
        if known is None and len(self._devices) >= DEVICES_MAX:
            raise CallerError("field_invalid", "too many devices")
        self._devices[device.tid] = device
        return True

    def replace(
        self, devices: Iterable[Device], *, known: frozenset[str]
    ) -> tuple[list[Device], list[str]]:
        """Take a whole snapshot: the rows that are newer, and the names that are gone.

        ``known`` are the names of when the snapshot was asked for; a device that a push brought
        since then may be missing in it and is not gone.
        """
        rows = {device.tid: device for device in devices}
        if len(rows) > DEVICES_MAX:
            raise CallerError("field_invalid", "too many devices")
        gone = [tid for tid in self._devices if tid in known and tid not in rows]
        for tid in gone:
            del self._devices[tid]
        return [device for device in rows.values() if self.apply(device)], gone


def _old_key(old: object) -> tuple[VerifyKey | None, int]:
    match old:
        case {"until_ms": int(until_ms), **key}:
            return VerifyKey.from_wire(key), until_ms
    return None, 0
