"""The flows over JSON, for the bearer of the operator's token."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.guard import Guard
from backend.observability.flow_desk import FlowDesk
from backend.observability.limits import FLOW_MINUTES_KEPT

_Minutes = Annotated[int, Query(ge=1, le=FLOW_MINUTES_KEPT)]


def operator_router(desk: FlowDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/flows?minutes=60``: how often, well and fast all backend processes answer."""
    routes = APIRouter(
        prefix="/operator/v1/flows", tags=["operator"], dependencies=[Depends(operator_only)]
    )

    @routes.get("")
    async def flows(minutes: _Minutes = 60) -> dict[str, Any]:
        shown = [asdict(one) for one in await desk.figures(minutes=minutes, parts=1)]
        for one in shown:
            del one["counts"], one["failures"]
        return {"minutes": minutes, "flows": shown}

    return routes
