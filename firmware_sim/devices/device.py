"""What every simulated device is.

Rule 1: a device has no port, clock, thread or file. Time is the argument ``now_ms``; it never
goes back. Randomness comes from a seeded generator given at the start.
Rule 2: what a device says later is either an ``Output`` with a later ``at_ms`` or comes out of
``poll`` at ``next_deadline_ms``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Output:
    """Bytes that leave the device at a time, at the line rate the device then has."""

    at_ms: int
    payload: bytes
    baud: int


class Device(Protocol):
    """The contract between a device and the line it hangs on."""

    @property
    def baud(self) -> int:
        """The line rate at which the device listens now."""
        ...

    def boot(self, now_ms: int) -> Sequence[Output]:
        """Power comes, or comes back: what was volatile is gone, what is in flash stays."""
        ...

    def feed(self, data: bytes, now_ms: int) -> Sequence[Output]:
        """Take bytes from the line."""
        ...

    def poll(self, now_ms: int) -> Sequence[Output]:
        """Do what time alone makes due."""
        ...

    def next_deadline_ms(self) -> int | None:
        """When ``poll`` is due next, or ``None`` while only bytes or people can change a thing."""
        ...


@runtime_checkable
class Holding(Protocol):
    """A device that can keep its host from speaking: by its DTR line, or as the network does."""

    @property
    def is_holding(self) -> bool:
        """Whether the host has to wait now; what it says meanwhile waits on its side."""
        ...
