"""How a run stands.

Rule 1: all changes of a run's state stand in ``TRANSITIONS``; nothing else assigns one.
"""

from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.recording.trace import Event
from firmware_sim.reports.report import Case


class RunState(StrEnum):
    """Where a run stands. ``WAITING`` waits for somebody to let the next step happen."""

    RUNNING = "running"
    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"
    BROKEN = "broken"
    STOPPED = "stopped"


class Turn(StrEnum):
    """What moves a run."""

    HELD = "held"
    LET_GO = "let_go"
    HAS_HELD = "has_held"
    HAS_NOT_HELD = "has_not_held"
    BROKE = "broke"
    STOPPED = "stopped"


TRANSITIONS: dict[tuple[RunState, Turn], RunState] = {
    (RunState.RUNNING, Turn.HELD): RunState.WAITING,
    (RunState.RUNNING, Turn.HAS_HELD): RunState.PASSED,
    (RunState.RUNNING, Turn.HAS_NOT_HELD): RunState.FAILED,
    (RunState.RUNNING, Turn.BROKE): RunState.BROKEN,
    (RunState.RUNNING, Turn.STOPPED): RunState.STOPPED,
    (RunState.WAITING, Turn.LET_GO): RunState.RUNNING,
    (RunState.WAITING, Turn.STOPPED): RunState.STOPPED,
}
ENDED = frozenset({RunState.PASSED, RunState.FAILED, RunState.BROKEN, RunState.STOPPED})


class Sort(StrEnum):
    """What runs."""

    SCENARIO = "scenario"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class RunTold:
    """A run at one moment. ``name`` is its scenario's or its trace's, nothing where it has none.
    ``line`` is that of the step that is under way, or did not hold;
    ``steps`` all that will be taken, 0 where that is not known; ``revision`` grows with every
    change."""

    number: int
    sort: Sort
    name: str
    title: str
    title_zh: str
    seed: int
    state: RunState
    revision: int
    is_stepwise: bool
    source: str
    line: int
    steps_done: int
    steps: int
    took_ms: int
    said: str
    said_zh: str
    events: tuple[Event, ...]
    case: Case | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will change."""
        return self.state in ENDED
