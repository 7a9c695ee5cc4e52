"""Reading rollouts. Only this file of the room sees SQL, and it only reads."""

from collections.abc import Collection

from sqlalchemy import func, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.rollouts.limits import HISTORY_ROWS_MAX, ROLLOUTS_SHOWN_MAX
from backend.rollouts.model import OPEN_STATES, TargetState
from backend.rollouts.tables import Rollout, RolloutEvent, RolloutTarget, RolloutWave

_rollout = Rollout.__table__  # type: ignore[attr-defined]
_wave = RolloutWave.__table__  # type: ignore[attr-defined]
_target = RolloutTarget.__table__  # type: ignore[attr-defined]
_event = RolloutEvent.__table__  # type: ignore[attr-defined]


class RolloutRepository:
    """Answers from committed rows. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def open(self) -> list[Row]:
        """The rollouts in which something is still to be done, the oldest first."""
        query = select(_rollout).where(_rollout.c.state.in_([one.value for one in OPEN_STATES]))
        return self._reader.rows(query.order_by(_rollout.c.created_at_ms, _rollout.c.rollout_id))

    def latest(self) -> list[Row]:
        """The latest rollouts, the newest first."""
        query = select(_rollout).order_by(_rollout.c.created_at_ms.desc(), _rollout.c.rollout_id)
        return self._reader.rows(query.limit(ROLLOUTS_SHOWN_MAX))

    def rollout(self, rollout_id: str) -> Row | None:
        """One rollout."""
        return self._reader.one(select(_rollout).where(_rollout.c.rollout_id == rollout_id))

    def waves(self, rollout_id: str) -> list[Row]:
        """Its waves, in order."""
        query = select(_wave).where(_wave.c.rollout_id == rollout_id)
        return self._reader.rows(query.order_by(_wave.c.wave))

    def history(self, rollout_id: str) -> list[Row]:
        """What happened to it, in order."""
        query = select(_event).where(_event.c.rollout_id == rollout_id)
        return self._reader.rows(query.order_by(_event.c.number).limit(HISTORY_ROWS_MAX))

    def targets(self, rollout_id: str) -> list[Row]:
        """Its devices, by wave and name."""
        query = select(_target).where(_target.c.rollout_id == rollout_id)
        return self._reader.rows(query.order_by(_target.c.wave, _target.c.tid))

    def tids(
        self, rollout_id: str, states: Collection[TargetState], *, wave: int | None = None
    ) -> list[str]:
        """The devices that stand so, of one wave or of all, by name."""
        query = select(_target.c.tid).where(
            _target.c.rollout_id == rollout_id,
            _target.c.state.in_([state.value for state in states]),
        )
        if wave is not None:
            query = query.where(_target.c.wave == wave)
        return [row["tid"] for row in self._reader.rows(query.order_by(_target.c.tid))]

    def reasons(self, rollout_id: str) -> list[Row]:
        """Why devices failed, the most frequent reason first."""
        query = (
            select(_target.c.code, func.count().label("devices"))
            .where(_target.c.rollout_id == rollout_id, _target.c.code != "")
            .group_by(_target.c.code)
        )
        return sorted(self._reader.rows(query), key=lambda row: (-row["devices"], row["code"]))
