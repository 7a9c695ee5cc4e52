"""What the operator's routes ask about rollouts, without HTTP."""

import hashlib
import json
from typing import Any

from backend.db.tables import Row
from backend.devices.limits import SELECTED_DEVICES_MAX
from backend.devices.model import DeviceKind, DeviceStatus
from backend.devices.repository import DeviceRepository
from backend.payments.services import Services
from backend.rollouts.model import Plan, RolloutStep, split
from backend.rollouts.repository import RolloutRepository
from backend.rollouts.schemas import NewRollout, PlannedRollout
from backend.rollouts.service import MoveRollout, PlanRollout
from backend.rollouts.wishes import wish_of
from protocol.clock import SECOND_MS
from protocol.errors import CallerError

Waves = tuple[tuple[str, ...], ...]


class RolloutDesk:
    """One per process; owned by the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._run_read = services.run_read
        self._rollouts = RolloutRepository(services.reader)
        self._devices = DeviceRepository(services.reader)

    async def plan(self, wanted: PlannedRollout) -> dict[str, Any]:
        """What it would do: the devices of each wave. Nothing is written."""
        _plan_of(wanted).check()
        wish_of(wanted.kind).check(wanted.content)
        waves = await self._waves(wanted)
        if not waves:
            raise CallerError("rollout_no_device")
        return {
            "devices": sum(map(len, waves)),
            "waves": [{"size": len(wave), "devices": list(wave)} for wave in waves],
        }

    async def create(self, wanted: NewRollout) -> dict[str, Any]:
        """The rollout, planned and not started."""
        asked = wanted.model_dump(exclude={"by"})
        command = PlanRollout(
            rollout_id=wanted.rollout_id,
            name=wanted.name,
            kind=wanted.kind,
            content=wanted.content,
            waves=await self._waves(wanted),
            plan=_plan_of(wanted),
            device_wait_ms=wanted.device_wait_s * SECOND_MS,
            by=wanted.by,
            request=json.dumps(asked, ensure_ascii=False, sort_keys=True),
        )
        await self._services.submit(command)
        return await self.one(wanted.rollout_id)

    async def move(
        self, rollout_id: str, step: RolloutStep, *, by: str, reason: str
    ) -> dict[str, Any]:
        """The rollout after an operator's step."""
        await self._services.submit(
            MoveRollout(rollout_id=rollout_id, step=step, by=by, reason=reason)
        )
        return await self.one(rollout_id)

    async def latest(self) -> list[dict[str, Any]]:
        """The latest rollouts, the newest first."""
        return [_shown(row) for row in await self._run_read(self._rollouts.latest)]

    async def one(self, rollout_id: str) -> dict[str, Any]:
        """A rollout with its waves, why devices failed, and what happened."""
        row = await self._run_read(lambda: self._rollouts.rollout(rollout_id))
        if row is None:
            raise CallerError("rollout_not_found", rollout_id)
        waves = await self._run_read(lambda: self._rollouts.waves(rollout_id))
        return {
            **_shown(row),
            "waves": [_without_id(wave) for wave in waves],
            "reasons": await self._run_read(lambda: self._rollouts.reasons(rollout_id)),
            "history": [
                _without_id(step)
                for step in await self._run_read(lambda: self._rollouts.history(rollout_id))
            ],
        }

    async def devices(self, rollout_id: str) -> list[dict[str, Any]]:
        """The devices of a rollout and where each is."""
        await self.one(rollout_id)
        rows = await self._run_read(lambda: self._rollouts.targets(rollout_id))
        return [_without_id(row) for row in rows]

    async def _waves(self, wanted: PlannedRollout) -> Waves:
        """Devices that may speak, in an order that favours no store, split into waves."""
        selection = wanted.devices.selection()
        rows = await self._run_read(lambda: self._devices.chosen(selection))
        if len(rows) > SELECTED_DEVICES_MAX:
            raise CallerError("field_invalid", f"more than {SELECTED_DEVICES_MAX} devices")
        tids = [
            row["tid"]
            for row in rows
            if row["kind"] != DeviceKind.HUB and row["status"] != DeviceStatus.REVOKED
        ]
        tids.sort(key=lambda tid: hashlib.sha256(f"{wanted.rollout_id}/{tid}".encode()).digest())
        tags = await self._run_read(lambda: self._devices.tags(tids))
        wishes = [wave.wish() for wave in wanted.waves]
        return tuple(tuple(wave) for wave in split(tids, tags, wishes))


def _plan_of(wanted: PlannedRollout) -> Plan:
    return Plan(
        success_percent=wanted.success_percent,
        error_percent=wanted.error_percent,
        rolls_back=wanted.rolls_back,
    )


def _shown(row: Row) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in {"wish_hash", "event_count"}}
    return {**shown, "content": json.loads(row["content"]), "rolls_back": bool(row["rolls_back"])}


def _without_id(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "rollout_id"}
