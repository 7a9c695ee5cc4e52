"""What one device showed in the readings that were accepted. Pure."""

from collections import deque
from dataclasses import dataclass, field
from operator import sub
from typing import TYPE_CHECKING

from backend.risk.devices.limits import READINGS_KEPT_MAX, VALUES_KEPT_MAX
from backend.risk.devices.readings import Plain

if TYPE_CHECKING:
    from backend.risk.devices.doubts import Doubt

FOLLOWED = 0.3
"""How much of a difference a device's expected value follows."""


@dataclass(slots=True)
class Profile:
    """The latest values, the earlier ones, what is expected of what is measured, and the measured
    values of the latest readings."""

    readings: int = 0
    """That were accepted."""
    latest: dict[str, Plain] = field(default_factory=dict)
    """The latest value that could be read of each attribute."""
    silent: set[str] = field(default_factory=set)
    """What the latest accepted reading could not read."""
    earlier: dict[str, deque[str]] = field(default_factory=dict)
    expected: dict[str, tuple[float, ...]] = field(default_factory=dict)
    noises: deque[dict[str, tuple[float, ...]]] = field(
        default_factory=lambda: deque(maxlen=READINGS_KEPT_MAX)
    )
    doubt: "Doubt | None" = None
    """Where refused readings have led since the latest accepted one."""
    taught: set[str] = field(default_factory=set)
    """The attributes of which a refused reading has taught the fleet."""

    def follow(self, name: str, values: tuple[float, ...]) -> tuple[float, ...]:
        """Move what is expected of a measured attribute; returns how far the values lay off."""
        before = self.expected.get(name)
        if before is None or len(before) != len(values):
            self.expected[name] = values
            return ()
        off = tuple(map(sub, values, before))
        self.expected[name] = tuple(
            [mean + FOLLOWED * by for mean, by in zip(before, off, strict=False)]
        )
        return off

    def remember(self, name: str, value: str) -> None:
        """Keep a value that the device no longer shows."""
        kept = self.earlier.setdefault(name, deque(maxlen=VALUES_KEPT_MAX))
        if value not in kept:
            kept.append(value)
