"""Faults of a line, in either direction: the table every driver has to survive.

A plan is pure: it turns what one side says into what the wire delivers. Positions count the bytes
of that direction since the fault is there; chance comes from the fault's own seed; so a fault is
exact and repeatable.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.frames import Side
from firmware_sim.limits import FAULT_DELAY_MS_MAX, SLOW_BYTE_MS_MAX
from protocol.errors import CallerError

NOISE = bytes.fromhex("00ff55aa7f3c")
PPM = 1_000_000
_FLIPPED_BIT = 0x04


class FaultKind(StrEnum):
    """What can be wrong with a line."""

    NONE = "none"
    """The line is sound."""
    SILENT = "silent"
    """Nothing passes."""
    DROP = "drop"
    """One byte is lost."""
    DUPLICATE = "duplicate"
    """One byte comes twice."""
    FLIP = "flip"
    """One bit of a byte is wrong."""
    NOISE = "noise"
    """Six bytes of noise stand before a byte."""
    SLOW = "slow"
    """A pause before every byte."""
    DELAY = "delay"
    """The rest of a message comes late."""
    TRUNCATE = "truncate"
    """The rest of a message is lost."""
    STUCK = "stuck"
    """From a byte on, the line reads 00."""
    CUT = "cut"
    """The plug is pulled after a byte."""
    POWER_CUT = "power_cut"
    """The device loses its power after a byte."""
    BROWN_OUT = "brown_out"
    """The device restarts after a byte."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``side`` is who speaks into it. ``at`` is the byte it meets; ``repeat`` meets
    every message at that byte; a ``rate_ppm`` meets bytes by chance instead, that many in a
    million. It is there from ``from_ms`` after it was set, for ``for_ms`` (0: for good)."""

    kind: FaultKind = FaultKind.NONE
    at: int = 0
    slow_byte_ms: int = 50
    repeat: bool = False
    side: Side = Side.DEVICE
    rate_ppm: int = 0
    delay_ms: int = 500
    from_ms: int = 0
    for_ms: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        in_range = (
            self.at >= 0
            and 0 <= self.slow_byte_ms <= SLOW_BYTE_MS_MAX
            and 0 <= self.delay_ms <= FAULT_DELAY_MS_MAX
            and 0 <= self.rate_ppm <= PPM
            and self.from_ms >= 0
            and self.for_ms >= 0
        )
        if not in_range:
            raise CallerError(
                "field_invalid",
                "a fault's position, time or rate is out of range",
                detail_zh="故障的位置、时间或概率超出范围",
            )


class Strike(StrEnum):
    """What befalls the device itself."""

    NOTHING = "nothing"
    UNPLUG = "unplug"
    POWER_OFF = "power_off"
    RESTART = "restart"


_LASTING = frozenset({FaultKind.SILENT, FaultKind.SLOW, FaultKind.STUCK})
_STRIKES = {
    FaultKind.CUT: Strike.UNPLUG,
    FaultKind.POWER_CUT: Strike.POWER_OFF,
    FaultKind.BROWN_OUT: Strike.RESTART,
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes after a wait; then ``strike``."""

    wait_ms: int
    data: bytes
    strike: Strike = Strike.NOTHING


class FaultPlan:
    """One fault at work since ``set_at_ms``."""

    def __init__(self, fault: Fault, set_at_ms: int = 0) -> None:
        self.fault = fault
        self.struck = 0
        """How often it has met a byte, or a message where it meets whole ones."""
        self._set_at_ms = set_at_ms
        self._seen = 0
        self._is_cut_short = False
        self._chance = random.Random(fault.seed)  # noqa: S311 - repeatable on purpose

    def deliver(self, data: bytes, now_ms: int, behind: int = 0) -> list[Delivery]:
        """What the wire makes of one message, or of what of it comes ``behind`` so many bytes."""
        if not behind:
            self._is_cut_short = False
        if self._is_cut_short:
            return []
        if not self._is_there(now_ms):
            return [Delivery(0, data)]
        first, self._seen = self._seen, self._seen + len(data)
        match self.fault.kind:
            case FaultKind.NONE:
                return [Delivery(0, data)]
            case FaultKind.SILENT:
                self.struck += 1
                return []
            case FaultKind.SLOW:
                self.struck += 1
                return [Delivery(self.fault.slow_byte_ms, bytes([value])) for value in data]
            case FaultKind.STUCK:
                return [Delivery(0, self._stuck(data, first))]
        return self._struck(data, self._positions(data, first, behind))

    def is_over(self, now_ms: int) -> bool:
        """Whether it will strike no more: it was to strike once, or its time is up."""
        fault, age = self.fault, now_ms - self._set_at_ms - self.fault.from_ms
        is_once = fault.kind not in _LASTING and not fault.repeat and not fault.rate_ppm
        return (is_once and self.struck > 0) or bool(fault.for_ms and age >= fault.for_ms)

    def _is_there(self, now_ms: int) -> bool:
        age = now_ms - self._set_at_ms - self.fault.from_ms
        return age >= 0 and (not self.fault.for_ms or age < self.fault.for_ms)

    def _stuck(self, data: bytes, first: int) -> bytes:
        whole = max(0, self.fault.at - first)
        self.struck += whole < len(data)
        return data[:whole] + bytes(len(data) - len(data[:whole]))

    def _positions(self, data: bytes, first: int, behind: int) -> list[int]:
        """Where in this message the fault strikes."""
        if self.fault.rate_ppm:
            rate = self.fault.rate_ppm
            met = [at for at in range(len(data)) if self._chance.randrange(PPM) < rate]
            self.struck += len(met)
            return met
        at = self.fault.at - (behind if self.fault.repeat else first)
        if not 0 <= at < len(data) or (self.struck and not self.fault.repeat):
            return []
        self.struck += 1
        return [at]

    def _struck(self, data: bytes, positions: list[int]) -> list[Delivery]:
        kind = self.fault.kind
        if kind in _STRIKES and positions:
            return [Delivery(0, data[: positions[0]], _STRIKES[kind])]
        if kind is FaultKind.TRUNCATE and positions:
            self._is_cut_short = True
            return [Delivery(0, data[: positions[0]])]
        if kind is FaultKind.DELAY and positions:
            at = positions[0]
            late = Delivery(self.fault.delay_ms, data[at:])
            return [Delivery(0, data[:at]), late] if at else [late]
        pieces, done = [], 0
        for at in positions:
            pieces += [data[done:at], _bent(kind, data[at : at + 1])]
            done = at + 1
        return [Delivery(0, b"".join([*pieces, data[done:]]))]


def _bent(kind: FaultKind, byte: bytes) -> bytes:
    match kind:
        case FaultKind.DROP:
            return b""
        case FaultKind.DUPLICATE:
            return byte * 2
        case FaultKind.NOISE:
            return NOISE + byte
    return bytes([byte[0] ^ _FLIPPED_BIT])


class FaultyWay:
    """All the faults of one direction, one behind the other."""

    def __init__(self) -> None:
        self._plans: list[FaultPlan] = []

    @property
    def faults(self) -> list[Fault]:
        """What is set."""
        return [plan.fault for plan in self._plans]

    @property
    def plans(self) -> list[FaultPlan]:
        """What is at work."""
        return list(self._plans)

    def set(self, faults: list[Fault], now_ms: int) -> None:
        """Replace all faults; an empty list heals the way."""
        self._plans = [
            FaultPlan(fault, now_ms) for fault in faults if fault.kind is not FaultKind.NONE
        ]

    def add(self, fault: Fault, now_ms: int) -> None:
        """One more fault behind the others, which have struck and counted as they have."""
        if fault.kind is not FaultKind.NONE:
            self._plans.append(FaultPlan(fault, now_ms))

    def remove(self, plan: FaultPlan) -> None:
        """One fault less; the others have struck and counted as they have."""
        self._plans = [one for one in self._plans if one is not plan]

    def deliver(self, data: bytes, now_ms: int) -> list[Delivery]:
        """What the way makes of one message."""
        deliveries = [Delivery(0, data)]
        for plan in self._plans:
            before, deliveries, behind = deliveries, [], 0
            for piece in before:
                deliveries += _through(plan, piece, now_ms, behind)
                behind += len(piece.data)
        return deliveries


def _through(plan: FaultPlan, before: Delivery, now_ms: int, behind: int) -> list[Delivery]:
    """A delivery through one more fault: what was to happen before and after it still happens."""
    after = plan.deliver(before.data, now_ms, behind) if before.data else []
    if after and before.wait_ms:
        after[0] = Delivery(after[0].wait_ms + before.wait_ms, after[0].data, after[0].strike)
    if before.strike is not Strike.NOTHING and all(
        delivery.strike is Strike.NOTHING for delivery in after
    ):
        after.append(Delivery(0, b"", before.strike))
    return after
