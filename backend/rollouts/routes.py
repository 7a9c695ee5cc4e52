"""``/operator/v1/rollouts``: plan, start, watch, stop and take back."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.guard import Guard
from backend.rollouts.desk import RolloutDesk
from backend.rollouts.model import RolloutStep
from backend.rollouts.schemas import NewRollout, PlannedRollout, StepWanted

CREATED = 201


def operator_router(desk: RolloutDesk, operator_only: Guard) -> APIRouter:
    """The operator's routes."""
    routes = APIRouter(
        prefix="/operator/v1/rollouts", tags=["fleet"], dependencies=[Depends(operator_only)]
    )

    @routes.post("/plan")
    async def post_plan(wanted: PlannedRollout) -> dict[str, Any]:
        """What a rollout would do; nothing is written."""
        return await desk.plan(wanted)

    @routes.post("", status_code=CREATED)
    async def post_rollout(wanted: NewRollout) -> dict[str, Any]:
        """Write a rollout down; it begins when it is started."""
        return await desk.create(wanted)

    @routes.get("")
    async def get_rollouts() -> dict[str, Any]:
        """The latest rollouts."""
        return {"rollouts": await desk.latest()}

    @routes.get("/{rollout_id}")
    async def get_rollout(rollout_id: str) -> dict[str, Any]:
        """One rollout with its waves and history."""
        return await desk.one(rollout_id)

    @routes.get("/{rollout_id}/devices")
    async def get_devices(rollout_id: str) -> dict[str, Any]:
        """Where each of its devices is."""
        return {"devices": await desk.devices(rollout_id)}

    @routes.post("/{rollout_id}/{step}")
    async def post_step(rollout_id: str, step: RolloutStep, wanted: StepWanted) -> dict[str, Any]:
        """``start``, ``pause``, ``resume``, ``abort`` or ``roll_back``."""
        return await desk.move(rollout_id, step, by=wanted.by, reason=wanted.reason)

    return routes
