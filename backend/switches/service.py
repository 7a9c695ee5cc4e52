"""Turning switches, and asking them inside a payment's transaction.

Rule: who asks reads the row in the transaction that decides. There is no copy of a switch anywhere
      that could be late: once ``Turn`` has committed, no process begins a payment against it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row, TableRef
from backend.db.working_set import WorkingSet
from backend.devices.tables import DEVICE
from backend.merchants.tables import MERCHANT
from backend.switches.model import REFUSALS, StopReason, SwitchKind, check_reason
from backend.switches.tables import SWITCH
from protocol.errors import CallerError

_SUBJECTS: dict[SwitchKind, tuple[TableRef, str]] = {
    SwitchKind.MERCHANT: (MERCHANT, "merchant_unknown"),
    SwitchKind.DEVICE: (DEVICE, "device_unknown"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Stop, or let go on. Asking for what already is changes nothing; the first reason stays.
    Answers the switch's row. ``category`` is that of a stop and outlives it; ``channels`` are those
    that this installation has."""

    kind: SwitchKind
    subject: str
    is_stopped: bool
    reason: str
    category: StopReason = StopReason.OTHER
    actor: str
    channels: frozenset[str]

    def reads(self) -> Iterable[Read]:
        found: list[Read] = [(SWITCH, (self.kind.value, self.subject))]
        if self.kind in _SUBJECTS:
            found.append((_SUBJECTS[self.kind][0], self.subject))
        return found

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        self._check(ws)
        key = (self.kind.value, self.subject)
        columns: Row = {
            "is_stopped": int(self.is_stopped),
            "reason": check_reason(self.reason),
            "actor": self.actor,
            "changed_at_ms": now_ms,
        }
        known = ws.get(SWITCH, key)
        if known is None:
            category = self.category.value
            row = {"kind": self.kind.value, "subject": self.subject, "category": category}
            row |= columns
            if self.is_stopped:
                ws.insert(SWITCH, row)
            return row
        if bool(known["is_stopped"]) == self.is_stopped:
            return known
        if self.is_stopped:
            columns["category"] = self.category.value
        return ws.update(SWITCH, key, **columns)

    def _check(self, ws: WorkingSet) -> None:
        if self.kind is SwitchKind.CHANNEL:
            if self.subject not in self.channels:
                raise CallerError("channel_unknown", self.subject)
            return
        ref, code = _SUBJECTS[self.kind]
        if ws.get(ref, self.subject) is None:
            raise CallerError(code, self.subject)


def stop_reads(*, merchant_id: str, device: str) -> list[Read]:
    """What ``stop_of`` reads."""
    found: list[Read] = [(SWITCH, (SwitchKind.MERCHANT.value, merchant_id))]
    if device:
        found.append((SWITCH, (SwitchKind.DEVICE.value, device)))
    return found


def stop_of(ws: WorkingSet, *, merchant_id: str, device: str) -> str | None:
    """Why no payment of this merchant on this device may begin now; None where one may."""
    if _is_stopped(ws, SwitchKind.MERCHANT, merchant_id):
        return REFUSALS[SwitchKind.MERCHANT]
    if device and _is_stopped(ws, SwitchKind.DEVICE, device):
        return REFUSALS[SwitchKind.DEVICE]
    return None


def channel_stop_read(channel_id: str) -> Read:
    """What ``is_channel_stopped`` reads."""
    return SWITCH, (SwitchKind.CHANNEL.value, channel_id)


def is_channel_stopped(ws: WorkingSet, channel_id: str) -> bool:
    """Whether no new payment goes through this channel."""
    return _is_stopped(ws, SwitchKind.CHANNEL, channel_id)


def _is_stopped(ws: WorkingSet, kind: SwitchKind, subject: str) -> bool:
    row = ws.get(SWITCH, (kind.value, subject))
    return row is not None and bool(row["is_stopped"])
