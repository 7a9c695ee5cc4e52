"""The plain routes by which whoever runs the test steers an institution. On the loopback only."""

from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from backend.sandbox.institution.house import House
from backend.sandbox.institution.limits import CLOCK_ADVANCE_MS_MAX
from backend.sandbox.institution.signed import deliver_late


class ClockBody(BaseModel):
    """How far to put an institution's own clock forward."""

    model_config = ConfigDict(extra="forbid")

    advance_ms: Annotated[int, Field(ge=0, le=CLOCK_ADVANCE_MS_MAX)]


def add_control(app: FastAPI, house: House) -> None:
    """Mount ``/control/clock``, ``/control/faults``, ``/control/late`` and ``/healthz``."""

    @app.get("/control/clock")
    async def read_clock() -> dict[str, object]:
        return {"now_ms": house.clock.now_ms(), "day": house.clock.today().isoformat()}

    @app.post("/control/clock")
    async def advance_clock(body: ClockBody) -> dict[str, object]:
        house.clock.advance(body.advance_ms)
        await house.time_passes()
        return await read_clock()

    @app.get("/control/faults")
    async def read_faults() -> dict[str, int]:
        return house.faults.as_dict()

    @app.post("/control/faults")
    async def arm_faults(counts: dict[str, int]) -> dict[str, int]:
        house.faults.arm(counts)
        return house.faults.as_dict()

    @app.post("/control/late")
    async def late() -> dict[str, int]:
        return {"delivered": await deliver_late(house)}

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok", "name": house.name}
