"""What cannot be copied because it is measured: heat, timers, speed, and the crystal's error.

Rule 1: a measure is an integer of a small unit. No two readings are quite alike, and they scatter
        about what this very board shows.
Rule 2: it takes some tenths of a second of one core, at idle: read seldom.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from terminal.adapters.limits import (
    COMPUTE_BLOCK_BYTES,
    COMPUTE_ROUNDS,
    SKEW_SPAN_NS_MIN,
    SLEEP_NS,
    SLEEPS,
)
from terminal.ports import Value

_BILLION = 1_000_000_000


def _steered_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def _raw_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)


@dataclass(slots=True)
class MeasuringReader:
    """Measures this machine. The clocks and the sleep are given, so that a test needs none."""

    root: Path = Path("/")
    steered_ns: Callable[[], int] = _steered_ns
    """A clock that the network's time steers: its rate is right in the long run."""
    raw_ns: Callable[[], int] = _raw_ns
    """The bare crystal's."""
    sleep: Callable[[float], None] = time.sleep
    _begun: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self._begun = (self.steered_ns(), self.raw_ns())

    def read(self) -> dict[str, Value]:
        """The measures."""
        before = self._heat()
        compute = self._compute()
        heat = before + self._heat()
        return {
            "clock_skew_ppb": self._skew(),
            "temperature_mc": heat or None,
            "timer_jitter_ns": self._jitter(),
            "compute_ns": compute,
        }

    def _skew(self) -> int | None:
        """How much faster the steered clock runs than the crystal, since this program began; None
        while that is too short to tell."""
        steered, raw = self.steered_ns() - self._begun[0], self.raw_ns() - self._begun[1]
        if raw < SKEW_SPAN_NS_MIN:
            return None
        return (steered - raw) * _BILLION // raw

    def _heat(self) -> list[int]:
        found = []
        for path in sorted(self.root.glob("sys/class/thermal/thermal_zone*/temp")):
            try:
                found.append(int(path.read_text("ascii").strip()))
            except (OSError, ValueError):
                continue
        return found

    def _jitter(self) -> list[int]:
        """By how much sleeps take too long: the middle one, and one of twenty."""
        over = []
        for _ in range(SLEEPS):
            begun = self.raw_ns()
            self.sleep(SLEEP_NS / _BILLION)
            over.append(self.raw_ns() - begun - SLEEP_NS)
        over.sort()
        return [over[SLEEPS // 2], over[SLEEPS * 19 // 20]]

    def _compute(self) -> list[int]:
        """How long a hash takes: the middle one, and how far the rounds lie apart."""
        block = bytes(COMPUTE_BLOCK_BYTES)
        took = []
        for _ in range(COMPUTE_ROUNDS):
            begun = self.raw_ns()
            hashlib.sha256(block).digest()
            took.append(self.raw_ns() - begun)
        return [int(median(took)), max(took) - min(took)]
