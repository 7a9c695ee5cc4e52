"""The kill switches over JSON, for the bearer of the operator's token."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from backend.db.tables import Row
from backend.guard import Guard
from backend.operator.auth import origin_of
from backend.switches.desk import SwitchDesk
from backend.switches.limits import FIND_CHARS_MAX, REASON_CHARS_MAX
from backend.switches.model import StopReason, SwitchKind
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX

_Find = Annotated[str, Query(max_length=FIND_CHARS_MAX)]
ACTOR = "operator"


class Turning(Wanted):
    """Who turns a switch, and why."""

    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)]
    category: Annotated[StopReason, Field(strict=False)] = StopReason.OTHER
    """What the merchant is told of the reason."""
    by: Annotated[str, Field(max_length=IDENTIFIER_CHARS_MAX)] = ""


def operator_router(desk: SwitchDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/switches``: all that were ever used; ``/subjects``: what a switch can be
    of, by a part of its number or name; ``/{kind}/{subject}/stop`` and ``/start``: turn one."""
    routes = APIRouter(
        prefix="/operator/v1/switches", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def switches() -> dict[str, Any]:
        return {"switches": await desk.all()}

    @routes.get("/subjects")
    async def subjects(kind: SwitchKind, find: _Find = "") -> dict[str, Any]:
        return {"subjects": await desk.subjects(kind, find)}

    async def turn(
        request: Request, kind: SwitchKind, subject: str, wanted: Turning, *, is_stopped: bool
    ) -> Row:
        return await desk.turn(
            kind,
            subject,
            is_stopped=is_stopped,
            reason=wanted.reason,
            category=wanted.category,
            actor=f"{ACTOR}:{wanted.by}" if wanted.by else ACTOR,
            origin=origin_of(request),
        )

    @routes.post("/{kind}/{subject}/stop")
    async def stop(request: Request, kind: SwitchKind, subject: str, wanted: Turning) -> Row:
        return await turn(request, kind, subject, wanted, is_stopped=True)

    @routes.post("/{kind}/{subject}/start")
    async def start(request: Request, kind: SwitchKind, subject: str, wanted: Turning) -> Row:
        return await turn(request, kind, subject, wanted, is_stopped=False)

    return routes
