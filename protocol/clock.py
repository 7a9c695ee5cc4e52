"""The ports through which time and randomness enter, whose adapters live in the programs; and what
everybody counts time by."""

from datetime import timedelta, timezone
from typing import Protocol

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
CHINA = timezone(timedelta(hours=8))
"""By which the days of money are told. There is no summer time."""


class Clock(Protocol):
    """Wall-clock time, which may be wrong and may jump."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z."""
        ...


class Entropy(Protocol):
    """Unpredictable bytes."""

    def token_bytes(self, count: int) -> bytes:
        """``count`` bytes fit for nonces and ids."""
        ...
