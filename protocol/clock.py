"""The ports through which time and randomness enter. Their adapters live in the programs."""

from typing import Protocol


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
