"""``/hub/v1``: every route speaks CBOR and knows its hub by the client certificate."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend.hub_api.limits import CURSOR_MAX, STATE_BYTES_MAX, STATE_ITEMS_MAX
from backend.hub_api.peer import hub_of
from backend.hub_api.service import HubService
from protocol import cbor
from protocol.errors import CallerError
from protocol.limits import BATCH_BYTES_MAX, IDENTIFIER_CHARS_MAX, PUSH_WAIT_S_MAX
from protocol.messages.base import Name, parse_body

CBOR_TYPE = "application/cbor"


class DeviceState(BaseModel):
    """What a hub knows about one device."""

    model_config = ConfigDict(strict=True, frozen=True)
    tid: Name
    online: bool
    boot_epoch: Annotated[int, Field(ge=0, le=CURSOR_MAX)] = 0


class StateReport(BaseModel):
    """What a hub says about itself and its devices."""

    model_config = ConfigDict(strict=True, frozen=True)
    at_ms: Annotated[int, Field(ge=0, le=CURSOR_MAX)]
    spool_depth: Annotated[int, Field(ge=0, le=CURSOR_MAX)]
    devices: Annotated[list[DeviceState], Field(max_length=STATE_ITEMS_MAX)] = []


def router(service: HubService) -> APIRouter:
    """The hub's routes."""
    routes = APIRouter(prefix="/hub/v1", tags=["hub"])

    @routes.post("/batches")
    async def post_batch(request: Request) -> Response:
        hub = hub_of(request)
        body = await _read(request, BATCH_BYTES_MAX)
        return _cbor(await service.answer_batch(hub, body))

    @routes.get("/pushes")
    async def get_pushes(
        request: Request,
        after: Annotated[int, Query(ge=0, le=CURSOR_MAX)] = 0,
        wait_s: Annotated[int, Query(ge=0, le=PUSH_WAIT_S_MAX)] = PUSH_WAIT_S_MAX,
    ) -> Response:
        return _cbor(await service.pushes(hub_of(request), after, wait_s))

    @routes.get("/devices")
    async def get_devices(
        request: Request,
        store: Annotated[str, Query(min_length=1, max_length=IDENTIFIER_CHARS_MAX)],
    ) -> Response:
        return _cbor(await service.registry(hub_of(request), store))

    @routes.post("/states")
    async def post_states(request: Request) -> Response:
        hub = hub_of(request)
        fields = cbor.decode(await _read(request, STATE_BYTES_MAX), bytes_max=STATE_BYTES_MAX)
        if not isinstance(fields, dict):
            raise CallerError("envelope_malformed")
        report = parse_body(StateReport, fields)
        states = [(state.tid, state.online, state.boot_epoch) for state in report.devices]
        await service.report(hub, report.at_ms, report.spool_depth, states)
        return Response(status_code=204)

    @routes.get("/time")
    async def get_time(request: Request) -> Response:
        hub_of(request)
        return _cbor(cbor.encode({"now_ms": service.now_ms()}))

    return routes


def _cbor(content: bytes) -> Response:
    return Response(content, media_type=CBOR_TYPE)


async def _read(request: Request, bytes_max: int) -> bytes:
    """The body, refused as soon as it grows beyond the bound."""
    taken = bytearray()
    async for chunk in request.stream():
        taken += chunk
        if len(taken) > bytes_max:
            raise CallerError("envelope_too_large")
    return bytes(taken)
