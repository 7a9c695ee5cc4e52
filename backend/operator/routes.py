"""``/operator/v1``: JSON, for the bearer of the operator's token only."""

from typing import Any

from fastapi import APIRouter, Depends

from backend.devices.model import DeviceCommand
from backend.guard import Guard
from backend.operator.schemas import ClockChange, NewCode, NewMerchant, NewStore, StatusChange
from backend.operator.service import OperatorService

CREATED = 201


def router(service: OperatorService, guard: Guard) -> APIRouter:
    """The operator's routes."""
    routes = APIRouter(prefix="/operator/v1", tags=["operator"], dependencies=[Depends(guard)])
    _set_up(routes, service)
    _devices(routes, service)

    @routes.get("/today")
    async def get_today() -> dict[str, Any]:
        return await service.today()

    @routes.get("/ledger/verify")
    async def get_verification() -> dict[str, Any]:
        return await service.verify_ledger()

    @routes.get("/clock")
    async def get_clock() -> dict[str, Any]:
        return service.time()

    @routes.post("/clock")
    async def post_clock(wanted: ClockChange) -> dict[str, Any]:
        return service.advance(wanted.advance_ms)

    return routes


def _set_up(routes: APIRouter, service: OperatorService) -> None:
    @routes.post("/merchants", status_code=CREATED)
    async def post_merchant(wanted: NewMerchant) -> dict[str, Any]:
        return await service.create_merchant(wanted)

    @routes.post("/stores", status_code=CREATED)
    async def post_store(wanted: NewStore) -> dict[str, Any]:
        return await service.create_store(wanted)

    @routes.post("/enrolment-codes", status_code=CREATED)
    async def post_code(wanted: NewCode) -> dict[str, Any]:
        return await service.issue_code(wanted)


def _devices(routes: APIRouter, service: OperatorService) -> None:
    @routes.get("/devices")
    async def get_devices() -> list[dict[str, Any]]:
        return await service.devices()

    @routes.get("/devices/{tid}")
    async def get_device(tid: str) -> dict[str, Any]:
        return await service.device(tid)

    @routes.post("/devices/{tid}/{command}")
    async def post_change(tid: str, command: DeviceCommand, wanted: StatusChange) -> dict[str, Any]:
        return await service.change_device(tid, command, wanted.reason)
