"""Luck from a seed: ids and waiting times that a run repeats exactly."""

import hashlib
from dataclasses import dataclass


@dataclass(slots=True)
class Draws:
    """A counted stream of draws; the counter is in flash, so no id comes twice."""

    seed: bytes
    count: int = 0

    def below(self, bound: int) -> int:
        """A number from 0 to ``bound - 1``."""
        return int.from_bytes(self._next()[:8], "big") % bound

    def identifier(self) -> str:
        """An id in the form of a UUID, as both versions advise for message ids."""
        digits = self._next()[:16].hex()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _next(self) -> bytes:
        self.count += 1
        return hashlib.sha256(self.seed + self.count.to_bytes(8, "big")).digest()
