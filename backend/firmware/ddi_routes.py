"""``/{store}/controller/v1/{tid}``: where machines with an update program of their own ask, in the
words of hawkBit's Direct Device Integration; Debian's ``swupdate`` is one.

A device proves itself by its token (``Authorization: TargetToken …``) or by its client certificate.
Gateway tokens, by which one machine speaks for all, are not taken.
"""

import hashlib
import hmac
import json
import re
import secrets
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ValidationError

from backend.db.tables import Row
from backend.devices.model import refusal_code
from backend.devices.repository import DeviceRepository
from backend.firmware.ddi import (
    ConfigData,
    Feedback,
    Place,
    cancellation,
    deployment,
    is_cancelled,
    is_open,
    poll_answer,
)
from backend.firmware.ddi_service import HearAttributes, HearFeedback, SetToken
from backend.firmware.desk import FirmwareDesk
from backend.firmware.limits import FEEDBACK_BYTES_MAX, TOKEN_BYTES, TOKEN_CHARS_MAX
from backend.guard import Guard
from backend.hub_api.peer import certificate_of
from backend.payments.services import Services
from backend.rate_limit import RateLimit
from protocol.errors import CallerError, TillwayError
from protocol.tls import peer_of
from protocol.topics import is_name

CREATED, PARTIAL = 201, 206
_BASE = "/{tenant}/controller/v1/{controller}"
_SCHEME = "targettoken "
_RANGE = re.compile(r"bytes=(\d{1,9})-")
_Said = TypeVar("_Said", bound=BaseModel)
_KINDS = frozenset({"terminal", "thing"})


class Asking:
    """Knows who asks."""

    def __init__(self, services: Services, desk: FirmwareDesk, wrong_tries: RateLimit) -> None:
        self.services = services
        self.desk = desk
        self._devices = DeviceRepository(services.reader)
        self._wrong_tries = wrong_tries

    async def __call__(self, request: Request, tenant: str, controller: str) -> Place:
        """The device's place; ``not_authorized`` for anybody else, and no word why."""
        row = await self._row(controller) if is_name(controller) else None
        if not (self._has_token(request, row) or _has_certificate(request, controller)):
            self._wrong_tries.take(request.client.host if request.client else "")
            raise CallerError("not_authorized")
        device = await self.services.run_read(lambda: self._devices.device(controller))
        if device is None or device.store != tenant:
            raise CallerError("not_authorized")
        refused = refusal_code(device.status)
        if refused is not None:
            raise CallerError(refused)
        return Place(str(request.base_url), tenant, controller)

    async def wish(self, place: Place) -> tuple[Row | None, Row | None]:
        """What is wanted of the device, and the archive, if one is wanted."""
        row = await self._row(place.controller)
        if row is None or not row["digest"]:
            return row, None
        artifact = await self.desk.artifact(row["digest"])
        return row, artifact if artifact["kind"] == "swu" else None

    async def _row(self, controller: str) -> Row | None:
        found: Row | None = await self.services.run_read(
            lambda: self.desk.repository.device(controller)
        )
        return found

    def _has_token(self, request: Request, row: Row | None) -> bool:
        said = request.headers.get("authorization", "")
        if row is None or row["token_hash"] is None or len(said) > TOKEN_CHARS_MAX:
            return False
        if not said.lower().startswith(_SCHEME):
            return False
        token = said[len(_SCHEME) :].strip().encode("utf-8", "replace")
        return hmac.compare_digest(hashlib.sha256(token).digest(), row["token_hash"])


def _has_certificate(request: Request, controller: str) -> bool:
    try:
        peer = peer_of(certificate_of(request))
    except TillwayError:
        return False
    return peer.kind in _KINDS and peer.name == controller


def device_router(asking: Asking) -> APIRouter:
    """The devices' routes."""
    routes = APIRouter(tags=["updates"])
    _questions(routes, asking)
    _answers(routes, asking)
    return routes


def _questions(routes: APIRouter, asking: Asking) -> None:
    @routes.get(_BASE)
    async def get_poll(place: Annotated[Place, Depends(asking)]) -> dict[str, Any]:
        return poll_answer(place, *await asking.wish(place))

    @routes.get(_BASE + "/deploymentBase/{action}")
    async def get_deployment(
        place: Annotated[Place, Depends(asking)], action: int
    ) -> dict[str, Any]:
        row, artifact = await asking.wish(place)
        if row is None or artifact is None or row["wanted_version"] != action or not is_open(row):
            raise CallerError("firmware_unknown", f"action {action}")
        return deployment(place, row, artifact)

    @routes.get(_BASE + "/cancelAction/{action}")
    async def get_cancel(place: Annotated[Place, Depends(asking)], action: int) -> dict[str, Any]:
        row, _ = await asking.wish(place)
        if row is None or row["wanted_version"] != action or not is_cancelled(row):
            raise CallerError("firmware_unknown", f"action {action}")
        return cancellation(row)

    @routes.get(_BASE + "/artifacts/{digest}/{filename}")
    async def get_artifact(
        request: Request, place: Annotated[Place, Depends(asking)], digest: str, filename: str
    ) -> StreamingResponse:
        row, artifact = await asking.wish(place)
        if row is None or artifact is None or artifact["digest"] != digest:
            raise CallerError("firmware_unknown", filename[:64])
        return _download(asking.desk, artifact, request.headers.get("range", ""))


def _answers(routes: APIRouter, asking: Asking) -> None:
    submit = asking.services.submit

    async def hear(request: Request, place: Place, action: int) -> Response:
        feedback = await _read(request, Feedback)
        await submit(HearFeedback(tid=place.controller, action=action, feedback=feedback))
        return Response()

    @routes.post(_BASE + "/deploymentBase/{action}/feedback")
    async def post_feedback(
        request: Request, place: Annotated[Place, Depends(asking)], action: int
    ) -> Response:
        return await hear(request, place, action)

    @routes.post(_BASE + "/cancelAction/{action}/feedback")
    async def post_cancel(
        request: Request, place: Annotated[Place, Depends(asking)], action: int
    ) -> Response:
        return await hear(request, place, action)

    @routes.put(_BASE + "/configData")
    async def put_config(request: Request, place: Annotated[Place, Depends(asking)]) -> Response:
        said = await _read(request, ConfigData)
        await submit(HearAttributes(tid=place.controller, store=place.tenant, said=said))
        return Response()


def operator_router(services: Services, operator_only: Guard) -> APIRouter:
    """Tokens for devices."""
    routes = APIRouter(tags=["fleet"], dependencies=[Depends(operator_only)])

    @routes.post("/operator/v1/devices/{tid}/updates/token", status_code=CREATED)
    async def post_token(tid: str) -> dict[str, str]:
        """A new token, shown this once; the one before is good no more."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        digest = hashlib.sha256(token.encode()).digest()
        await services.submit(SetToken(tid=tid, token_hash=digest))
        return {"tid": tid, "token": token}

    return routes


def _download(desk: FirmwareDesk, artifact: Row, wanted: str) -> StreamingResponse:
    """The archive, or what is left of it from a byte on."""
    found = _RANGE.fullmatch(wanted)
    size = artifact["size"]
    offset = int(found.group(1)) if found is not None else 0
    if offset >= size:
        raise CallerError("field_invalid", "range")
    headers = {"content-length": str(size - offset), "accept-ranges": "bytes"}
    if found is not None:
        headers["content-range"] = f"bytes {offset}-{size - 1}/{size}"
    return StreamingResponse(
        desk.stream(artifact, offset),
        status_code=PARTIAL if found is not None else 200,
        headers=headers,
        media_type="application/octet-stream",
    )


async def _read(request: Request, model: type[_Said]) -> _Said:
    body = await request.body()
    if len(body) > FEEDBACK_BYTES_MAX:
        raise CallerError("envelope_too_large")
    try:
        return model.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise CallerError("field_invalid", ".".join(map(str, first["loc"]))) from None
    except ValueError:
        raise CallerError("field_invalid", "no JSON") from None
