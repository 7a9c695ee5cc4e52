"""The commands by which a rollout goes on by itself. The runner names devices; each command looks
again at every row inside its transaction, so one that comes late or twice does no harm.

Rule: what a device said, the wave's numbers and the step that follows from them are one commit.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.rollouts.limits import WAVES_MAX
from backend.rollouts.model import (
    TO_UNDO,
    Plan,
    RolloutState,
    RolloutStep,
    TargetState,
    Wave,
    next_edge,
    next_step,
)
from backend.rollouts.tables import ROLLOUT, ROLLOUT_EVENT, TARGET, WAVE
from backend.rollouts.wishes import Said, Word, wish_of
from protocol.errors import CallerError

ITSELF = "rollout"
"""The actor of a step that a rollout takes by itself."""
_NUMBERS = tuple(field.name for field in fields(Wave))
_MOVING = frozenset({RolloutState.RUNNING, RolloutState.PAUSED})


def rollout_reads(rollout_id: str) -> Iterator[Read]:
    """A rollout and all waves that it may have."""
    yield ROLLOUT, rollout_id
    for wave in range(WAVES_MAX):
        yield WAVE, (rollout_id, wave)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """What the commands below share: a rollout, and some of its devices."""

    rollout_id: str
    tids: tuple[str, ...]
    kind: str

    def reads(self) -> Iterator[Read]:
        """The rollout, its waves, the devices' places in it and what is wanted of them."""
        yield from rollout_reads(self.rollout_id)
        wish = wish_of(self.kind)
        for tid in self.tids:
            yield TARGET, (self.rollout_id, tid)
            yield from wish.read(tid)

    def _targets(self, ws: WorkingSet) -> Iterator[Row]:
        for tid in self.tids:
            target = ws.get(TARGET, (self.rollout_id, tid))
            if target is not None:
                yield target

    def _rollout(self, ws: WorkingSet) -> Row:
        rollout = ws.get(ROLLOUT, self.rollout_id)
        if rollout is None:
            raise CallerError("rollout_not_found", self.rollout_id)
        return rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTargets(_Step):
    """Offer the change to devices of the wave that is under way."""

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        """How many were offered it."""
        rollout = self._rollout(ws)
        offered = 0
        for target in self._targets(ws):
            is_due = target["state"] == TargetState.WAITING and target["wave"] == rollout["wave"]
            if rollout["state"] == RolloutState.RUNNING and is_due:
                offered += self._offer(ws, rollout, target, now_ms)
        settle(ws, self.rollout_id, now_ms)
        return offered

    def _offer(self, ws: WorkingSet, rollout: Row, target: Row, now_ms: int) -> int:
        tid, content = target["tid"], json.loads(rollout["content"])
        try:
            made = wish_of(self.kind).offer(ws, tid, content, by=self.rollout_id, now_ms=now_ms)
        except CallerError as error:
            _leave_out(ws, target, now_ms, code=error.code, detail=error.detail)
            return 0
        ws.update(
            TARGET, (self.rollout_id, tid), state=TargetState.OFFERED.value,
            version=made.version, before=made.before, offered_at_ms=now_ms,
        )  # fmt: skip
        _count(ws, target, offered=1)
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtTargets(_Step):
    """Write down what devices have said to the change, and go on by it."""

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        """How many have ended now."""
        rollout = self._rollout(ws)
        if rollout["state"] not in _MOVING:
            return 0
        ended = sum(
            self._look(ws, rollout, target, now_ms)
            for target in self._targets(ws)
            if target["state"] == TargetState.OFFERED
        )
        settle(ws, self.rollout_id, now_ms)
        return ended

    def _look(self, ws: WorkingSet, rollout: Row, target: Row, now_ms: int) -> bool:
        said = wish_of(self.kind).said(ws, target["tid"], target["version"])
        is_late = now_ms - target["offered_at_ms"] > rollout["device_wait_ms"]
        if said.word is Word.NOTHING_YET and is_late:
            said = Said(Word.FAILED, "rollout_no_answer")
        match said.word:
            case Word.NOTHING_YET:
                return False
            case Word.OVERTAKEN:
                _count(ws, target, offered=-1)
                _leave_out(ws, target, now_ms, code="", detail="something else is wanted of it")
            case Word.SUCCEEDED:
                _end(ws, target, TargetState.SUCCEEDED, said, now_ms)
                _count(ws, target, succeeded=1)
            case Word.FAILED:
                _end(ws, target, TargetState.FAILED, said, now_ms)
                _count(ws, target, failed=1)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoTargets(_Step):
    """Give devices back what was wanted of them before."""

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        """How many got it back. What somebody has wanted of a device since stays wanted."""
        rollout, wish = self._rollout(ws), wish_of(self.kind)
        if rollout["state"] != RolloutState.ROLLING_BACK:
            return 0
        undone = 0
        for target in self._targets(ws):
            if target["state"] not in TO_UNDO:
                continue
            tid = target["tid"]
            if not _take_back(
                lambda tid=tid, before=target["before"]: wish.undo(  # type: ignore[misc]  # bound now
                    ws, tid, before, by=self.rollout_id, now_ms=now_ms
                ),
                is_overtaken=wish.said(ws, tid, target["version"]).word is Word.OVERTAKEN,
            ):
                _count(ws, target, offered=-1)
                _leave_out(ws, target, now_ms, code="", detail="nothing was taken back")
                continue
            ws.update(TARGET, (self.rollout_id, tid), state=TargetState.UNDONE.value)
            _count(ws, target, undone=1)
            undone += 1
        settle(ws, self.rollout_id, now_ms)
        return undone


def _take_back(undo: Callable[[], None], *, is_overtaken: bool) -> bool:
    """Whether the device gets back what it had: not one that is revoked by now, or was wanted
    something else."""
    if is_overtaken:
        return False
    try:
        undo()
    except CallerError:
        return False
    return True


def settle(ws: WorkingSet, rollout_id: str, now_ms: int) -> Row:
    """Take every step that follows from the numbers as they stand; the rollout's row then."""
    for _ in range(WAVES_MAX + 1):
        rollout = ws.get(ROLLOUT, rollout_id)
        assert rollout is not None
        step = _step_due(ws, rollout)
        if step is None:
            return rollout
        move(ws, rollout, step, by=ITSELF, reason="", now_ms=now_ms)
    raise AssertionError("a rollout takes no more steps than it has waves")


def _step_due(ws: WorkingSet, rollout: Row) -> RolloutStep | None:
    waves = waves_of(ws, rollout)
    if rollout["state"] == RolloutState.ROLLING_BACK:
        is_over = all(wave.undone >= wave.offered for wave in waves)
        return RolloutStep.END_ROLL_BACK if is_over else None
    if rollout["state"] not in _MOVING:
        return None
    step = next_step(plan_of(rollout), waves, rollout["wave"])
    is_stop = step in {RolloutStep.STOP, RolloutStep.ROLL_BACK}
    return step if is_stop or rollout["state"] == RolloutState.RUNNING else None


def move(
    ws: WorkingSet, rollout: Row, step: RolloutStep, *, by: str, reason: str, now_ms: int
) -> Row:
    """Take one step, and write it down; the rollout's row then."""
    edge = next_edge(rollout["state"], step)
    wave = rollout["wave"] + (step is RolloutStep.ADVANCE)
    number = rollout["event_count"] + 1
    ws.insert(
        ROLLOUT_EVENT,
        {
            "rollout_id": rollout["rollout_id"],
            "number": number,
            "event": edge.event,
            "wave": wave,
            "actor": by,
            "reason": reason,
            "at_ms": now_ms,
        },
    )
    return ws.update(
        ROLLOUT, rollout["rollout_id"], state=edge.state.value, wave=wave, event_count=number,
        changed_at_ms=now_ms,
    )  # fmt: skip


def plan_of(rollout: Row) -> Plan:
    """What decides how a rollout goes on."""
    return Plan(
        success_percent=rollout["success_percent"],
        error_percent=rollout["error_percent"],
        rolls_back=bool(rollout["rolls_back"]),
    )


def waves_of(ws: WorkingSet, rollout: Row) -> list[Wave]:
    """How the waves stand."""
    rows = [ws.get(WAVE, (rollout["rollout_id"], one)) for one in range(rollout["wave_count"])]
    return [Wave(**{name: row[name] for name in _NUMBERS}) for row in rows if row is not None]


def _count(ws: WorkingSet, target: Row, **amounts: int) -> None:
    key = (target["rollout_id"], target["wave"])
    row = ws.get(WAVE, key)
    assert row is not None, "a target without its wave"
    ws.update(WAVE, key, **{name: row[name] + amount for name, amount in amounts.items()})


def _end(ws: WorkingSet, target: Row, state: TargetState, said: Said, now_ms: int) -> None:
    ws.update(
        TARGET, (target["rollout_id"], target["tid"]), state=state.value, code=said.code,
        detail=said.detail, ended_at_ms=now_ms,
    )  # fmt: skip


def _leave_out(ws: WorkingSet, target: Row, now_ms: int, *, code: str, detail: str) -> None:
    said = Said(Word.OVERTAKEN, code, detail)
    _end(ws, target, TargetState.LEFT_OUT, said, now_ms)
    was = TargetState(target["state"])
    gone = {TargetState.SUCCEEDED: "succeeded", TargetState.FAILED: "failed"}.get(was)
    _count(ws, target, left_out=1, **({gone: -1} if gone else {}))
