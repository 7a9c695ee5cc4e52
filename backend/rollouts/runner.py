"""The task that moves rollouts on. It keeps nothing that the database does not: a start goes on
where the last one ended, and several backends do no harm to each other.
"""

from collections.abc import Sequence

import structlog

from backend.db.ports import RunRead, Submit
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.firmware.tables import FIRMWARE_EVENT
from backend.pause import Pause
from backend.rollouts.limits import STEP_DEVICES_MAX, STEPS_PER_TURN_MAX, SWEEP_S
from backend.rollouts.model import TO_UNDO, RolloutState, TargetState
from backend.rollouts.repository import RolloutRepository
from backend.rollouts.steps import LookAtTargets, OfferTargets, UndoTargets
from backend.rollouts.tables import ROLLOUT_EVENT
from backend.twins.tables import TWIN_EVENT
from protocol.errors import OperatingError

_log = structlog.get_logger()


class RolloutRunner:
    """One per process; owned by the event loop, but for ``concerns``."""

    def __init__(self, *, submit: Submit, run_read: RunRead, repository: RolloutRepository) -> None:
        self._submit = submit
        self._run_read = run_read
        self._repository = repository
        self._pause = Pause()

    @staticmethod
    def concerns(ws: WorkingSet) -> bool:
        """Whether a commit may let a rollout go on."""
        return any(ws.inserted(one) for one in (TWIN_EVENT, FIRMWARE_EVENT, ROLLOUT_EVENT))

    def wake(self) -> None:
        """Look at once. Call it on the loop."""
        self._pause.wake()

    async def run(self) -> None:
        """Move on until cancelled."""
        while True:
            try:
                await self.run_due()
            except OperatingError as error:
                _log.warning("rollouts_paused", code=error.code)
            await self._pause.sleep(SWEEP_S)

    async def run_due(self) -> None:
        """Everything that can be done now."""
        rows: list[Row] = await self._run_read(self._repository.open)
        for row in rows:
            for _ in range(STEPS_PER_TURN_MAX):
                if not await self._turn(row["rollout_id"]):
                    break

    async def _turn(self, rollout_id: str) -> int:
        """Look at and offer to, or take back from, all that are due; how many changed."""
        rollout = await self._run_read(lambda: self._repository.rollout(rollout_id))
        match RolloutState(rollout["state"]):
            case RolloutState.ROLLING_BACK:
                return await self._do(UndoTargets, rollout, tuple(TO_UNDO))
            case RolloutState.RUNNING:
                looked = await self._do(LookAtTargets, rollout, (TargetState.OFFERED,))
                wave = rollout["wave"]
                return looked + await self._do(
                    OfferTargets, rollout, (TargetState.WAITING,), wave=wave
                )
            case RolloutState.PAUSED:
                return await self._do(LookAtTargets, rollout, (TargetState.OFFERED,))
        return 0

    async def _do(
        self,
        step: type[LookAtTargets | OfferTargets | UndoTargets],
        rollout: Row,
        states: Sequence[TargetState],
        *,
        wave: int | None = None,
    ) -> int:
        rollout_id = rollout["rollout_id"]
        tids = await self._run_read(lambda: self._repository.tids(rollout_id, states, wave=wave))
        changed = 0
        for start in range(0, len(tids), STEP_DEVICES_MAX):
            some = tuple(tids[start : start + STEP_DEVICES_MAX])
            changed += await self._submit(
                step(rollout_id=rollout_id, tids=some, kind=rollout["kind"])
            )
        return changed
