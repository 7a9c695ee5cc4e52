"""The life of a rollout. Pure: no clock, no database.

Rule 1: a wave begins only when the one before it has succeeded to the plan's share, so that a bad
        change reaches no more than one wave beyond the failures that the plan forgives.
Rule 2: failures count from the first wave on, also those that come late; the first one beyond a
        wave's share stops the rollout in the very commit that writes it down.
Rule 3: what was stopped, aborted or taken back never goes on; a new try is a new rollout. Taking
        back is possible at any time.
Rule 4: shares are whole percents and compared by products: nothing is divided.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError

_WHOLE_PERCENT = 100


class RolloutState(StrEnum):
    """Where a rollout is."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    """No wave begins and no device is offered the change; what was offered goes on."""
    ROLLING_BACK = "rolling_back"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    """Too many failed, and the plan keeps the change where it is."""
    ROLLED_BACK = "rolled_back"
    ABORTED = "aborted"


class RolloutStep(StrEnum):
    """What can happen to one."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    ROLL_BACK = "roll_back"
    ADVANCE = "advance"
    FINISH = "finish"
    STOP = "stop"
    END_ROLL_BACK = "end_roll_back"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: RolloutState
    event: str


_S, _T = RolloutState, RolloutStep
_ROLLING_BACK = Edge(_S.ROLLING_BACK, "RolloutRollingBack")
_STOPPED = Edge(_S.STOPPED, "RolloutStopped")
_ABORTED = Edge(_S.ABORTED, "RolloutAborted")

TRANSITIONS: dict[tuple[RolloutState, RolloutStep], Edge] = {
    (_S.PLANNED, _T.START): Edge(_S.RUNNING, "RolloutStarted"),
    (_S.PLANNED, _T.ABORT): _ABORTED,
    (_S.RUNNING, _T.PAUSE): Edge(_S.PAUSED, "RolloutPaused"),
    (_S.RUNNING, _T.ADVANCE): Edge(_S.RUNNING, "WaveStarted"),
    (_S.RUNNING, _T.FINISH): Edge(_S.SUCCEEDED, "RolloutSucceeded"),
    (_S.RUNNING, _T.STOP): _STOPPED,
    (_S.RUNNING, _T.ROLL_BACK): _ROLLING_BACK,
    (_S.RUNNING, _T.ABORT): _ABORTED,
    (_S.PAUSED, _T.RESUME): Edge(_S.RUNNING, "RolloutResumed"),
    (_S.PAUSED, _T.STOP): _STOPPED,
    (_S.PAUSED, _T.ROLL_BACK): _ROLLING_BACK,
    (_S.PAUSED, _T.ABORT): _ABORTED,
    (_S.SUCCEEDED, _T.ROLL_BACK): _ROLLING_BACK,
    (_S.STOPPED, _T.ROLL_BACK): _ROLLING_BACK,
    (_S.ABORTED, _T.ROLL_BACK): _ROLLING_BACK,
    (_S.ROLLING_BACK, _T.END_ROLL_BACK): Edge(_S.ROLLED_BACK, "RolloutRolledBack"),
}
BY_PEOPLE = frozenset({_T.START, _T.PAUSE, _T.RESUME, _T.ABORT, _T.ROLL_BACK})
"""What an operator may ask for; the other steps the rollout takes by itself."""
OPEN_STATES = frozenset({_S.RUNNING, _S.PAUSED, _S.ROLLING_BACK})
"""Here something is still to be done."""


class TargetState(StrEnum):
    """Where one device of a rollout is."""

    WAITING = "waiting"
    OFFERED = "offered"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LEFT_OUT = "left_out"
    """It cannot take the change any more: revoked, or somebody wanted something else of it."""
    UNDONE = "undone"


TO_UNDO = frozenset({TargetState.OFFERED, TargetState.SUCCEEDED, TargetState.FAILED})
"""Devices that have been offered the change, and are to get back what they had."""


def next_edge(state: str, step: RolloutStep) -> Edge:
    """The edge of a step; ``rollout_state`` where there is none."""
    edge = TRANSITIONS.get((RolloutState(state), step))
    if edge is None:
        raise CallerError("rollout_state", f"{step} in {state}")
    return edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What decides how a rollout goes on."""

    success_percent: int
    """Of a wave's devices must have succeeded before the next wave begins."""
    error_percent: int
    """Of a wave's devices may fail; one more stops everything."""
    rolls_back: bool = True
    """Whether a stop takes the change back from all that were offered it."""

    def check(self) -> None:
        """``field_invalid`` for shares that contradict each other: a wave with as many failures as
        are forgiven must still be able to succeed."""
        is_bounded = 0 < self.success_percent <= _WHOLE_PERCENT and self.error_percent >= 0
        if not is_bounded or self.success_percent + self.error_percent > _WHOLE_PERCENT:
            raise CallerError("field_invalid", "success_percent and error_percent: 100 together")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """How one wave stands: numbers of devices."""

    size: int
    offered: int = 0
    """That were offered the change, and were wanted nothing else since."""
    succeeded: int = 0
    failed: int = 0
    left_out: int = 0
    undone: int = 0

    @property
    def counted(self) -> int:
        """Devices that can still count for or against the change."""
        return self.size - self.left_out

    @property
    def is_ended(self) -> bool:
        """Whether every device has said all that it will say."""
        return self.succeeded + self.failed >= self.counted

    def has_succeeded(self, plan: Plan) -> bool:
        """Whether so many have succeeded that the next wave may begin."""
        return self.succeeded * _WHOLE_PERCENT >= self.counted * plan.success_percent

    def has_failed(self, plan: Plan) -> bool:
        """Whether one device more has failed than is forgiven."""
        return self.failed * _WHOLE_PERCENT > self.counted * plan.error_percent


def next_step(plan: Plan, waves: Sequence[Wave], current: int) -> RolloutStep | None:
    """What a running rollout does by itself now; None: it waits. ``current`` begins at 0.

    A stop comes before anything else. The rollout has succeeded when every device of every wave
    has ended, and each wave has succeeded to its share.
    """
    if any(wave.has_failed(plan) for wave in waves):
        return RolloutStep.ROLL_BACK if plan.rolls_back else RolloutStep.STOP
    if not waves[current].has_succeeded(plan):
        return None
    if current + 1 < len(waves):
        return RolloutStep.ADVANCE
    return RolloutStep.FINISH if all(wave.is_ended for wave in waves) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveWish:
    """How a wave is chosen: by a tag, or as a share of all devices of the rollout."""

    tag: str = ""
    percent: int = 0


def split(
    devices: Sequence[str], tags: dict[str, list[str]], wishes: Iterable[WaveWish]
) -> list[list[str]]:
    """The devices of each wave, in their order; each device is in one wave, the first that it fits.
    A share is rounded up, so that no wave of one is empty; what is left is the last wave."""
    left = list(devices)
    waves: list[list[str]] = []
    for wish in wishes:
        if wish.tag:
            chosen = [tid for tid in left if wish.tag in tags.get(tid, ())]
        else:
            count = -(-len(devices) * wish.percent // _WHOLE_PERCENT)
            chosen = left[:count]
        taken = set(chosen)
        left = [tid for tid in left if tid not in taken]
        if chosen:
            waves.append(chosen)
    return [*waves, left] if left else waves
