"""Faults of a line, device to host: the table every driver has to survive.

A plan is pure: it turns what the device says into what the wire delivers. Positions count the
bytes since the fault was set, so a fault is exact and repeatable.
"""

from dataclasses import dataclass
from enum import Enum

from protocol.errors import CallerError

SLOW_BYTE_MS_MAX = 1000
NOISE = bytes.fromhex("00ff55aa7f3c")


class FaultKind(Enum):
    """What can be wrong with a line."""

    NONE = "none"
    SILENT = "silent"
    DROP = "drop"
    FLIP = "flip"
    NOISE = "noise"
    SLOW = "slow"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``at`` is the byte it meets; ``repeat`` meets every reply."""

    kind: FaultKind = FaultKind.NONE
    at: int = 0
    slow_byte_ms: int = 50
    repeat: bool = False

    def __post_init__(self) -> None:
        if self.at < 0 or not 0 <= self.slow_byte_ms <= SLOW_BYTE_MS_MAX:
            raise CallerError("field_invalid", "a fault's position or delay is out of range")


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes after a wait; ``is_cut`` says the plug is pulled after them."""

    wait_ms: int
    data: bytes
    is_cut: bool = False


class FaultPlan:
    """The fault now on a line."""

    def __init__(self, fault: Fault | None = None) -> None:
        self._fault = fault or Fault()
        self._seen = 0
        self._is_done = False

    def outgoing(self, data: bytes) -> list[Delivery]:
        """What the wire makes of ``data``."""
        fault, at = self._fault, self._fault.at - self._seen
        if fault.repeat:
            at = fault.at
        self._seen += len(data)
        match fault.kind:
            case FaultKind.SILENT:
                return []
            case FaultKind.SLOW:
                return [Delivery(fault.slow_byte_ms, bytes([value])) for value in data]
            case FaultKind.NOISE if 0 <= at < len(data) and self._once():
                return [Delivery(0, data[:at] + NOISE + data[at:])]
            case FaultKind.DROP if 0 <= at < len(data) and self._once():
                return [Delivery(0, data[:at] + data[at + 1 :])]
            case FaultKind.FLIP if 0 <= at < len(data) and self._once():
                return [Delivery(0, data[:at] + bytes([data[at] ^ 0x04]) + data[at + 1 :])]
            case FaultKind.CUT if 0 <= at < len(data) and self._once():
                return [Delivery(0, data[:at], is_cut=True)]
        return [Delivery(0, data)]

    def _once(self) -> bool:
        if self._is_done and not self._fault.repeat:
            return False
        self._is_done = True
        return True
