"""The last check of a device, made in the same transaction as what the device asked for.

Rule: what was carried out stays true. A repetition gets its first answer also when the device has
been stopped since; a refusal would make the till believe that nothing had happened.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from backend.db.command import Command, Read
from backend.db.tables import Row, TableRef
from backend.db.working_set import WorkingSet
from backend.devices.model import REQUESTS_OF, DeviceKind, refusal_code
from backend.devices.tables import DEVICE
from backend.payments.idempotency import first_answer, request_read
from backend.payments.model import DeviceRequest
from backend.payments.tables import PAYMENT
from backend.refunds.tables import REFUND
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class Guarded:
    """A device's command, carried out only while device and hub are active, the key that signed
    is the device's current one or was until a while ago, both belong to the store that the
    envelope names, and a device of this kind may ask for it."""

    inner: Command
    request: DeviceRequest
    kid: bytes
    hub: str

    def reads(self) -> Iterator[Read]:
        """The device, the hub, and what the command reads."""
        yield DEVICE, self.request.device
        yield DEVICE, self.hub
        yield request_read(self.request)
        yield from self.inner.reads()

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        """What the command learns to read."""
        follow = getattr(self.inner, "follow", None)
        return () if follow is None else follow(ws)

    def decide(self, ws: WorkingSet, now_ms: int) -> Any:  # noqa: ANN401
        """The command's answer, or why the device is not heard."""
        device = self._known_device(ws, now_ms)
        refused = refusal_code(device["status"])
        if refused is not None:
            told = first_answer(ws, self.request)
            if told is None:
                raise CallerError(refused)
            return told
        self._check_kind(ws, device)
        return self.inner.decide(ws, now_ms)

    def _known_device(self, ws: WorkingSet, now_ms: int) -> Row:
        device, hub = ws.get(DEVICE, self.request.device), ws.get(DEVICE, self.hub)
        if hub is None or hub["kind"] != DeviceKind.HUB or refusal_code(hub["status"]):
            raise CallerError("not_authorized", "hub")
        if device is None or device["store"] != hub["store"]:
            raise CallerError("device_unknown")
        is_old = device["old_kid"] == self.kid and now_ms < device["old_until_ms"]
        if device["kid"] != self.kid and not is_old:
            raise CallerError("signature_invalid", "key rotated")
        if device["store"] != self.request.store:
            raise CallerError("identity_mismatch", "store")
        return device

    def _check_kind(self, ws: WorkingSet, device: Row) -> None:
        kind = DeviceKind(device["kind"])
        if self.request.message_type not in REQUESTS_OF[kind]:
            raise CallerError("not_authorized", f"{self.request.message_type} by a {kind}")
        if kind is DeviceKind.THING:
            self._check_own(ws, PAYMENT, "payment_id", "payment_not_found")
            self._check_own(ws, REFUND, "refund_id", "refund_not_found")

    def _check_own(self, ws: WorkingSet, table: TableRef, key: str, code: str) -> None:
        number = getattr(self.request.body, key, None)
        row = None if number is None else ws.get(table, number)
        if row is not None and row["device"] != self.request.device:
            raise CallerError(code, "of another device")


@dataclass(frozen=True, slots=True)
class Hello:
    """A device reports itself; it learns our time. Nothing is written."""

    def reads(self) -> Iterable[Read]:
        """No rows besides those that the guard reads."""
        return ()

    def decide(self, _ws: WorkingSet, now_ms: int) -> tuple[str, dict[str, Any]]:
        """A pong."""
        return "pong", {"now_ms": now_ms}
