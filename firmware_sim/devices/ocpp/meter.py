"""The energy meter of an outlet: a register that only rises.

Rule 1: energy is counted in watt-milliseconds, whole numbers, so that a run of any length adds up.
Rule 2: the register survives a power cut; what flowed between the last reading before the cut and
the cut itself is not counted, because nobody measured it.
"""

from dataclasses import dataclass

_W_MS_PER_WH = 3_600_000


@dataclass(slots=True)
class Meter:
    """One meter. ``power_w`` is what flows now."""

    power_w: int = 0
    _counted_w_ms: int = 0
    _read_at_ms: int = 0

    @property
    def register_wh(self) -> int:
        """The register as last read."""
        return self._counted_w_ms // _W_MS_PER_WH

    def read(self, now_ms: int) -> int:
        """The register in Wh, at the time."""
        if now_ms > self._read_at_ms:
            self._counted_w_ms += self.power_w * (now_ms - self._read_at_ms)
            self._read_at_ms = now_ms
        return self.register_wh

    def flow(self, power_w: int, now_ms: int) -> None:
        """Let another power flow from now on."""
        self.read(now_ms)
        self.power_w = power_w

    def lose_power(self, now_ms: int) -> None:
        """Power comes back: nothing was counted since the last reading, and nothing flows."""
        self.power_w = 0
        self._read_at_ms = now_ms
