"""How bad the world is, drawn from the seed."""

import random
from dataclasses import dataclass

CALM, ROUGH, VERY_ROUGH = 0.0, 0.02, 0.08


@dataclass
class Faults:
    """Probabilities per message or step. ``stop`` ends them all, so that the shop can drain."""

    drop: float = 0.0
    """A message between terminal and hub is lost."""
    duplicate: float = 0.0
    delay_ms_max: int = 300
    cut: float = 0.0
    """Sending a message breaks the terminal's connection."""
    line_lost: float = 0.0
    """A batch, or the answer to one that was carried out, is lost."""
    terminal_dies: float = 0.0
    """In one of its turns: between commit and effects, or between two effects."""
    hub_dies: float = 0.0
    backend_dies: float = 0.0
    """Before or after a commit."""
    outage: float = 0.0
    """Per minute: the line between hub and backend is away for a while."""
    busy: float = 0.0
    """Per minute: the backend takes no batch for a while, and says *busy*."""
    clock_ms_max: int = 0
    """How wrong a program's clock may be. Two clocks differ by twice that at most."""
    printer: float = 0.0
    motor: float = 0.0
    """Of a vending machine: it jams, and says so; or it says nothing, whatever fell."""
    reorders: bool = False
    """Messages of one terminal overtake each other."""
    is_over: bool = False

    def stop(self) -> None:
        """From now on nothing goes wrong."""
        self.drop = self.duplicate = self.cut = self.line_lost = 0.0
        self.printer = self.motor = 0.0
        self.terminal_dies = self.hub_dies = self.backend_dies = self.outage = 0.0
        self.busy = 0.0
        self.reorders = False
        self.delay_ms_max = min(self.delay_ms_max, 300)
        self.is_over = True


def draw_faults(dice: random.Random) -> Faults:
    """Every kind of fault is absent, rare or frequent, independently of the others."""

    def level() -> float:
        return dice.choice((CALM, ROUGH, ROUGH, VERY_ROUGH))

    return Faults(
        drop=level(),
        duplicate=level(),
        delay_ms_max=dice.choice((20, 300, 2_000, 7_000)),
        cut=level(),
        line_lost=2 * level(),
        terminal_dies=level() / 4,
        hub_dies=level() / 4,
        backend_dies=level() / 4,
        outage=4 * level(),
        clock_ms_max=dice.choice((0, 10_000, 30_000, 140_000)),
        printer=level(),
        reorders=dice.random() < 0.4,
        motor=2 * level(),
        busy=4 * level(),
    )
