"""``/operator/v1/firmware``: bring firmware, want it of a device, follow the device."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from backend.firmware.desk import FirmwareDesk
from backend.firmware.limits import NAME_CHARS_MAX, PERSON_CHARS_MAX
from backend.guard import Guard
from backend.wanted import Wanted

FIRMWARE = "/operator/v1/firmware"
CREATED = 201
_Digest = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]


class FirmwareWish(Wanted):
    """``PUT /operator/v1/devices/{tid}/firmware``. An empty digest wants nothing more."""

    digest: _Digest
    by: Annotated[str, Field(min_length=1, max_length=PERSON_CHARS_MAX)]


def operator_router(desk: FirmwareDesk, operator_only: Guard) -> APIRouter:
    """The operator's routes."""
    routes = APIRouter(tags=["fleet"], dependencies=[Depends(operator_only)])

    @routes.post(FIRMWARE, status_code=CREATED)
    async def post_firmware(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=NAME_CHARS_MAX)],
        by: Annotated[str, Query(min_length=1, max_length=PERSON_CHARS_MAX)],
        version: Annotated[str, Query(max_length=NAME_CHARS_MAX)] = "",
    ) -> dict[str, Any]:
        """The body is the file itself: a signed MCUboot image, or an archive for ``swupdate``."""
        return await desk.bring(await request.body(), name=name, version=version, by=by)

    @routes.get(FIRMWARE)
    async def get_firmware() -> dict[str, Any]:
        """What was brought."""
        return {"artifacts": await desk.artifacts()}

    @routes.put("/operator/v1/devices/{tid}/firmware")
    async def put_wish(tid: str, wanted: FirmwareWish) -> dict[str, Any]:
        """Want an artifact of a device."""
        return await desk.want(tid, wanted.digest, by=wanted.by)

    @routes.get("/operator/v1/devices/{tid}/firmware")
    async def get_device(tid: str) -> dict[str, Any]:
        """How far a device has come, and its steps."""
        return await desk.device(tid)

    return routes
