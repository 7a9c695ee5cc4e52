"""How the run of a scenario ended: for a person, and as a case of a report."""

from dataclasses import dataclass

from firmware_sim.board import Pictures
from firmware_sim.frames import DAMAGED_ZH
from firmware_sim.recording.trace import Event, Said
from firmware_sim.reports.report import Case, Verdict
from firmware_sim.reports.seen import Seen
from firmware_sim.scenario.form import Scenario


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended. ``line`` is that of the step that did not hold."""

    scenario: Scenario
    seed: int
    has_held: bool
    steps: int
    took_ms: int
    line: int = 0
    reason: str = ""
    reason_zh: str = ""
    last: tuple[Event, ...] = ()
    pictures: Pictures = ()
    seen: tuple[Seen, ...] = ()

    def explain(self) -> str:
        """The failure for a person: line, seed, reason, the last frames."""
        if self.has_held:
            return f"held: {self.steps} steps in {self.took_ms / 1000:.3f} s, seed {self.seed}"
        return "\n".join([f"line {self.line}: {self.reason}", *self._lines()])

    def _lines(self) -> tuple[str, ...]:
        rows = [f"  {event.describe()}" for event in self.last] or ["  nothing"]
        return f"seed {self.seed}; what was said last:", *rows

    def _lines_zh(self) -> tuple[str, ...]:
        rows = [f"  {_described_zh(event)}" for event in self.last] or ["  什么也没有"]
        return f"种子 {self.seed}；最后说的和做的：", *rows

    def case(self, name: str, file: str) -> Case:
        """The run as a case of a report; ``file`` is where its lines are."""
        where, where_zh = f"seed {self.seed}", f"种子 {self.seed}"
        if self.line:
            where = where_zh = f"{file}:{self.line}"
        return Case(
            name, self.scenario.name, Verdict.PASSED if self.has_held else Verdict.FAILED,
            self.reason, where, self.took_ms / 1000, () if self.has_held else self._lines(),
            self.pictures, self.reason_zh, () if self.has_held else self._lines_zh(),
            self.scenario.name_zh, where_zh, seen=self.seen,
        )  # fmt: skip


def _described_zh(event: Event) -> str:
    return event.describe(DAMAGED_ZH) if isinstance(event, Said) else event.describe()
