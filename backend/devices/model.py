"""A device's life, as one table.

Rule 1: only ``next_status`` says which status follows; nothing else assigns one.
Rule 2: a revoked device stays revoked. A machine that comes back gets a new name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from protocol.errors import CallerError


class DeviceKind(StrEnum):
    """What a device is. A hub speaks for its store, all others for themselves."""

    TERMINAL = "terminal"
    THING = "thing"
    HUB = "hub"


_PAYMENT_REQUESTS = frozenset(
    {"payment.create", "payment.query", "payment.close", "payment.reverse"}
)
_REFUND_REQUESTS = frozenset({"refund.create", "refund.query"})
_ABOUT_ITSELF = frozenset(
    {"device.hello", "device.fingerprint", "device.settings", "device.firmware"}
)

REQUESTS_OF: Mapping[DeviceKind, frozenset[str]] = {
    DeviceKind.TERMINAL: _PAYMENT_REQUESTS | _REFUND_REQUESTS | _ABOUT_ITSELF,
    DeviceKind.THING: _PAYMENT_REQUESTS | _REFUND_REQUESTS | _ABOUT_ITSELF | {"mandate.query"},
    DeviceKind.HUB: frozenset(),
}
"""What a device of a kind may ask under its own signature. A thing stands unattended, so it knows
its own payments and refunds only, and gives back of no other: the rest of what was paid ahead at a
charger. A hub carries requests and makes none."""


class DeviceStatus(StrEnum):
    """What a device may do."""

    ENROLLED = "enrolled"
    """It has keys; the operator has not let it in yet."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class DeviceCommand(StrEnum):
    """What the operator may ask."""

    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"
    ROTATE = "rotate"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step and the event it emits."""

    status: DeviceStatus
    event: str


_S, _C = DeviceStatus, DeviceCommand
_REVOKE = Edge(_S.REVOKED, "DeviceRevoked")

TRANSITIONS: dict[tuple[DeviceStatus, DeviceCommand], Edge] = {
    (_S.ENROLLED, _C.ACTIVATE): Edge(_S.ACTIVE, "DeviceActivated"),
    (_S.ENROLLED, _C.REVOKE): _REVOKE,
    (_S.ENROLLED, _C.ROTATE): Edge(_S.ENROLLED, "DeviceKeyRotated"),
    (_S.ACTIVE, _C.SUSPEND): Edge(_S.SUSPENDED, "DeviceSuspended"),
    (_S.ACTIVE, _C.REVOKE): _REVOKE,
    (_S.ACTIVE, _C.ROTATE): Edge(_S.ACTIVE, "DeviceKeyRotated"),
    (_S.SUSPENDED, _C.RESUME): Edge(_S.ACTIVE, "DeviceResumed"),
    (_S.SUSPENDED, _C.REVOKE): _REVOKE,
}

OUTCOMES = {
    _C.ACTIVATE: _S.ACTIVE,
    _C.SUSPEND: _S.SUSPENDED,
    _C.RESUME: _S.ACTIVE,
    _C.REVOKE: _S.REVOKED,
}
"""What each command is for; a device that is there already needs nothing done."""

ENROLLED_EVENT = "DeviceEnrolled"

_REFUSALS = {
    DeviceStatus.ENROLLED: "device_suspended",
    DeviceStatus.SUSPENDED: "device_suspended",
    DeviceStatus.REVOKED: "device_revoked",
}


def next_status(status: DeviceStatus, command: DeviceCommand) -> Edge:
    """The edge a command takes; ``CallerError("device_state")`` where there is none."""
    edge = TRANSITIONS.get((status, command))
    if edge is None:
        raise CallerError("device_state", f"{command} in {status}")
    return edge


def refusal_code(status: str) -> str | None:
    """Why a device with this status is not heard; None when it is."""
    return _REFUSALS.get(DeviceStatus(status))


@dataclass(frozen=True, slots=True, kw_only=True)
class OldKey:
    """A key that was rotated out, and until when it is still taken."""

    suite: str
    public_key: bytes
    kid: bytes
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """A device as the registry shows it."""

    tid: str
    kind: DeviceKind
    store: str
    status: DeviceStatus
    suite: str
    public_key: bytes
    kid: bytes
    revision: int
    old_key: OldKey | None = None

    def is_good(self, kid: bytes, *, now_ms: int) -> bool:
        """Whether the key of this id may sign for the device now."""
        old = self.old_key
        is_old = old is not None and kid == old.kid and now_ms < old.until_ms
        return kid == self.kid or is_old

    def to_wire(self) -> dict[str, Any]:
        """The registry row that hubs keep."""
        old = self.old_key
        return {
            "tid": self.tid,
            "kind": self.kind.value,
            "store": self.store,
            "status": self.status.value,
            "suite": self.suite,
            "public": self.public_key,
            "kid": self.kid,
            "revision": self.revision,
            **(
                {}
                if old is None
                else {
                    "old": {
                        "suite": old.suite,
                        "public": old.public_key,
                        "until_ms": old.until_ms,
                    }
                }
            ),
        }
