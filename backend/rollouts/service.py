"""The operator's commands about rollouts: plan one, start, pause, resume, abort, take it back.

Rule: the same command again changes nothing and gives the rollout as it stands.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.rollouts.limits import (
    CONTENT_CHARS_MAX,
    DEVICE_WAIT_MS_MAX,
    DEVICE_WAIT_MS_MIN,
    DEVICES_MAX,
    NAME_CHARS_MAX,
    PERSON_CHARS_MAX,
    REASON_CHARS_MAX,
    WAVES_MAX,
)
from backend.rollouts.model import (
    BY_PEOPLE,
    Plan,
    RolloutState,
    RolloutStep,
    TargetState,
    next_edge,
)
from backend.rollouts.steps import move, rollout_reads, settle
from backend.rollouts.tables import ROLLOUT, ROLLOUT_EVENT, TARGET, WAVE
from backend.rollouts.wishes import wish_of
from protocol.errors import CallerError

_IS_DONE = {
    RolloutStep.START: RolloutState.RUNNING,
    RolloutStep.PAUSE: RolloutState.PAUSED,
    RolloutStep.RESUME: RolloutState.RUNNING,
    RolloutStep.ABORT: RolloutState.ABORTED,
    RolloutStep.ROLL_BACK: RolloutState.ROLLING_BACK,
}
"""A rollout that is there already needs nothing done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRollout:
    """Write a rollout down, with its devices in waves. Nothing is offered before it is started."""

    rollout_id: str
    name: str
    kind: str
    content: Mapping[str, Any]
    waves: tuple[tuple[str, ...], ...]
    """The devices of each wave."""
    plan: Plan
    device_wait_ms: int
    by: str
    request: str
    """All that was asked for, in one text: the same id with another one is a conflict, also when
    the same choice would meet other devices by now."""

    def reads(self) -> Iterator[Read]:
        """The rollout, if it is there already."""
        yield ROLLOUT, self.rollout_id

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The rollout's row; ``idempotency_conflict`` for another plan under the same id."""
        self.check()
        found = ws.get(ROLLOUT, self.rollout_id)
        if found is not None:
            if found["wish_hash"] != self._hash():
                raise CallerError("idempotency_conflict", "rollout")
            return found
        self._insert(ws, now_ms)
        found = ws.get(ROLLOUT, self.rollout_id)
        assert found is not None
        return found

    def check(self) -> None:
        """``CallerError`` for a plan that cannot be carried out."""
        self.plan.check()
        wish_of(self.kind).check(self.content)
        devices = [tid for wave in self.waves for tid in wave]
        if not devices:
            raise CallerError("rollout_no_device")
        bounds = {
            "name": 0 < len(self.name) <= NAME_CHARS_MAX,
            "by": 0 < len(self.by) <= PERSON_CHARS_MAX,
            "waves": len(self.waves) <= WAVES_MAX and all(self.waves),
            "devices": len(devices) <= DEVICES_MAX and len(set(devices)) == len(devices),
            "device_wait_s": DEVICE_WAIT_MS_MIN <= self.device_wait_ms <= DEVICE_WAIT_MS_MAX,
            "content": len(self._content()) <= CONTENT_CHARS_MAX,
        }
        wrong = [name for name, is_good in bounds.items() if not is_good]
        if wrong:
            raise CallerError("field_invalid", ", ".join(wrong))

    def _insert(self, ws: WorkingSet, now_ms: int) -> None:
        ws.insert(
            ROLLOUT,
            {
                "rollout_id": self.rollout_id,
                "name": self.name,
                "kind": self.kind,
                "content": self._content(),
                "wish_hash": self._hash(),
                "state": RolloutState.PLANNED.value,
                "wave": 0,
                "wave_count": len(self.waves),
                "success_percent": self.plan.success_percent,
                "error_percent": self.plan.error_percent,
                "rolls_back": int(self.plan.rolls_back),
                "device_wait_ms": self.device_wait_ms,
                "event_count": 1,
                "created_by": self.by,
                "created_at_ms": now_ms,
                "changed_at_ms": now_ms,
            },
        )
        ws.insert(
            ROLLOUT_EVENT,
            {
                "rollout_id": self.rollout_id,
                "number": 1,
                "event": "RolloutPlanned",
                "wave": 0,
                "actor": self.by,
                "reason": "",
                "at_ms": now_ms,
            },
        )
        for number, wave in enumerate(self.waves):
            ws.insert(WAVE, {"rollout_id": self.rollout_id, "wave": number, "size": len(wave)})
            for tid in wave:
                waiting = TargetState.WAITING.value
                place = {"tid": tid, "wave": number, "state": waiting}
                ws.insert(TARGET, {"rollout_id": self.rollout_id, **place})

    def _content(self) -> str:
        return json.dumps(dict(self.content), ensure_ascii=False, sort_keys=True)

    def _hash(self) -> bytes:
        return hashlib.sha256(self.request.encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRollout:
    """Start, pause, resume, abort a rollout, or take it back."""

    rollout_id: str
    step: RolloutStep
    by: str
    reason: str = ""

    def reads(self) -> Iterator[Read]:
        """The rollout and its waves."""
        yield from rollout_reads(self.rollout_id)

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        """The rollout's row afterwards."""
        if self.step not in BY_PEOPLE:
            raise CallerError("field_invalid", "step")
        if not 0 < len(self.by) <= PERSON_CHARS_MAX or len(self.reason) > REASON_CHARS_MAX:
            raise CallerError("field_invalid", "by, reason")
        rollout = ws.get(ROLLOUT, self.rollout_id)
        if rollout is None:
            raise CallerError("rollout_not_found", self.rollout_id)
        if rollout["state"] == _IS_DONE[self.step]:
            return rollout
        next_edge(rollout["state"], self.step)
        move(ws, rollout, self.step, by=self.by, reason=self.reason, now_ms=now_ms)
        return settle(ws, self.rollout_id, now_ms)
