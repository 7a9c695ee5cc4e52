"""The last check of a device, made in the same transaction as what the device asked for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backend.db.command import Command, Read
from backend.db.working_set import WorkingSet
from backend.devices.model import DeviceKind, refusal_code
from backend.devices.tables import DEVICE
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Guarded:
    """A device's command, carried out only while device and hub are active, the key that signed
    is the device's current one, and both belong to the store that the envelope names."""

    inner: Command
    device: str
    store: str
    kid: bytes
    hub: str

    def reads(self) -> Iterator[Read]:
        """The device, the hub, and what the command reads."""
        yield DEVICE, self.device
        yield DEVICE, self.hub
        yield from self.inner.reads()

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        """What the command learns to read."""
        follow = getattr(self.inner, "follow", None)
        return () if follow is None else follow(ws)

    def decide(self, ws: WorkingSet, now_ms: int) -> Any:  # noqa: ANN401
        """The command's answer, or why the device is not heard."""
        self._check(ws)
        return self.inner.decide(ws, now_ms)

    def _check(self, ws: WorkingSet) -> None:
        device, hub = ws.get(DEVICE, self.device), ws.get(DEVICE, self.hub)
        if hub is None or hub["kind"] != DeviceKind.HUB or refusal_code(hub["status"]):
            raise CallerError("not_authorized", "hub")
        if device is None or device["store"] != hub["store"]:
            raise CallerError("device_unknown")
        refused = refusal_code(device["status"])
        if refused is not None:
            raise CallerError(refused)
        if device["kid"] != self.kid:
            raise CallerError("signature_invalid", "key rotated")
        if device["store"] != self.store:
            raise CallerError("identity_mismatch", "store")


@dataclass(frozen=True, slots=True)
class Hello:
    """A device reports itself; it learns our time. Nothing is written."""

    def reads(self) -> Iterable[Read]:
        """Nothing beyond the guard's."""
        return ()

    def decide(self, _ws: WorkingSet, now_ms: int) -> tuple[str, dict[str, Any]]:
        """A pong."""
        return "pong", {"now_ms": now_ms}
