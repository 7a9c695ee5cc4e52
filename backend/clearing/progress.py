"""How far a run is, for whoever watches it. It decides nothing."""

from dataclasses import dataclass

STEPS = (
    "words", "channels", "bring in", "settle", "own money", "pay out", "reconcile", "sweep",
    "evening",
)  # fmt: skip
"""The steps of a run, in their order."""


@dataclass(slots=True)
class Progress:
    """How far the present run is, or where the last one ended if none runs."""

    day: str = ""
    step: str = ""
    done: int = 0
    count: int = 0
    """Of how many things of this step; 0 where it has no count."""
    is_running: bool = False

    def begin(self, step: str) -> None:
        """The next step has begun."""
        assert step in STEPS
        self.step, self.done, self.count = step, 0, 0

    def counted(self, done: int, count: int) -> None:
        """Note how many things of a step are done."""
        self.done, self.count = done, count

    def to_map(self) -> dict[str, str | int | bool]:
        """The progress as JSON."""
        number = STEPS.index(self.step) + 1 if self.step else 0
        return {
            "day": self.day,
            "step": self.step,
            "step_number": number,
            "steps": len(STEPS),
            "done": self.done,
            "count": self.count,
            "is_running": self.is_running,
        }
