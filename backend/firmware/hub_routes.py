"""``/hub/v1/firmware``: artifacts, in pieces, for a hub that keeps them for its store."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from backend.firmware.desk import FirmwareDesk
from backend.hub_api.peer import hub_of
from protocol.limits import FIRMWARE_BYTES_MAX

CheckHub = Callable[[str], Awaitable[None]]


def hub_router(desk: FirmwareDesk, check_hub: CheckHub) -> APIRouter:
    """``check_hub`` raises for a hub that may not speak."""
    routes = APIRouter(prefix="/hub/v1", tags=["hub"])

    @routes.get("/firmware/{digest}")
    async def get_piece(
        request: Request,
        digest: str,
        offset: Annotated[int, Query(ge=0, le=FIRMWARE_BYTES_MAX)] = 0,
    ) -> Response:
        """Some bytes from an offset on; none at the end."""
        await check_hub(hub_of(request))
        artifact = await desk.artifact(digest)
        return Response(
            await desk.content(artifact["digest"], offset), media_type="application/octet-stream"
        )

    return routes
