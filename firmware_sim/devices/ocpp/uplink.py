"""The charger's way to the central system: its network module, which it tells to dial.

    DOWN --dial--> DIALLING --CONNECT--> UP --NO CARRIER--> DOWN

Rule 1: a dial that fails, or a connection that ends, is tried again after the back-off of OCPP
2.0.1 part 4 §5.3: ``minimum × 2^n`` seconds plus a random part, ``n`` not above ``repeats``; 1.6
names none, so it uses the same. Rule 2: a module that says nothing is told again.
"""

from dataclasses import dataclass
from enum import Enum

from firmware_sim.devices.ocpp.draws import Draws

DIAL_TIMEOUT_MS = 30_000


class Line(Enum):
    """How the connection stands."""

    DOWN = "down"
    DIALLING = "dialling"
    UP = "up"


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before dialling again."""

    minimum_s: int
    random_s: int
    repeats: int

    def wait_ms(self, failures: int, draws: Draws) -> int:
        """The wait after so many failures in a row, at least one."""
        doubled = self.minimum_s << min(max(0, failures - 1), self.repeats)
        return doubled * 1000 + (draws.below(self.random_s * 1000 + 1) if self.random_s else 0)


@dataclass(slots=True)
class Uplink:
    """The connection as the charger sees it."""

    line: Line = Line.DOWN
    failures: int = 0
    lost_at_ms: int | None = None

    @property
    def is_up(self) -> bool:
        """Whether messages can be sent."""
        return self.line is Line.UP

    def connected(self) -> None:
        """The module says ``CONNECT``."""
        self.line, self.failures = Line.UP, 0

    def lost(self, now_ms: int) -> None:
        """The module says ``NO CARRIER``, or nothing for too long."""
        if self.line is Line.UP:
            self.lost_at_ms = now_ms
        self.line = Line.DOWN
        self.failures += 1
