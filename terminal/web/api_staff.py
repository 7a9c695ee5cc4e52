"""The control API of who works here: everybody sees the names, a supervisor signs for changes."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from terminal.domain.pin import PinStep
from terminal.domain.staff import Staff
from terminal.web.gate import Actor, Gate
from terminal.web.schemas import HireIn, LetGoIn, NewPinIn

Told = dict[str, Any]


def router(gate: Gate) -> APIRouter:
    """Staff of one till."""
    api = APIRouter(prefix="/api")
    acting, counter = Depends(gate.act), gate.counter

    @api.get("/staff", dependencies=[Depends(gate.look_back)])
    async def everybody() -> list[Told]:
        return [_told(each) for each in counter.sign_in.staff]

    @api.get("/staff/acts", dependencies=[Depends(gate.look_back)])
    async def acts() -> list[Told]:
        """What was done about staff, newest first, and who signed."""
        return [asdict(each) for each in counter.staffing.acts()]

    @api.post("/staff")
    async def hire(wanted: HireIn, by: Annotated[Actor, acting]) -> Told:
        signed_by = await gate.approval(by, wanted.approval)
        return _told(
            await counter.staffing.hire(
                name=wanted.name, role=wanted.role, pin=wanted.pin, by_name=signed_by
            )
        )

    @api.post("/staff/{staff_id}/pin")
    async def renew(staff_id: int, wanted: NewPinIn, by: Annotated[Actor, acting]) -> Told:
        """Another PIN. A supervisor who signs for the own one has chosen it; anybody else is asked
        for another at the next sign-in."""
        signed_by = await gate.approval(by, wanted.approval)
        is_own = wanted.approval is not None and wanted.approval.staff_id == staff_id
        step = PinStep.CHOOSE if is_own else PinStep.GIVE
        return _told(
            await counter.staffing.renew_pin(staff_id, pin=wanted.pin, by_name=signed_by, step=step)
        )

    @api.post("/staff/{staff_id}/leave")
    async def leave(staff_id: int, wanted: LetGoIn, by: Annotated[Actor, acting]) -> Told:
        signed_by = await gate.approval(by, wanted.approval)
        return _told(counter.staffing.let_go(staff_id, by_name=signed_by))

    return api


def _told(staff: Staff) -> Told:
    return {
        "staff_id": staff.staff_id,
        "name": staff.name,
        "role": staff.role.value,
        "pin": staff.pin.value,
    }
