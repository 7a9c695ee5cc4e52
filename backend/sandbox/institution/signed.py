"""Signed requests to an institution: checked, carried out once or as its faults say, answered.

Rule 1: nothing happens before the peer's signature held (`backend/channels/signed_http.py`).
Rule 2: a fault strikes before, at or after the act, as it would on a real line.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from functools import partial

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from backend.channels import signed_http
from backend.sandbox.institution.house import Answer, House
from backend.sandbox.institution.limits import BODY_BYTES_MAX, LATE_REQUESTS_MAX, SLOW_ANSWER_S
from protocol.errors import CallerError, OperatingError, TillwayError

_log = structlog.get_logger()
Act = Callable[[bytes], Answer | Awaitable[Answer]]


async def answer_signed(house: House, request: Request, act: Act) -> Response:
    """Check the peer's signature, act, sign the answer; strike the faults that are due."""
    if house.faults.strikes("be_down"):
        return Response(status_code=503)
    body = await read_body(request)
    signature = signed_http.check_request(
        house.peers, request.headers, method=request.method, path=request.url.path, body=body
    )
    answer = await strike(house, partial(act, body), is_writing=request.method == "POST")
    if answer is None:
        return Response(status_code=504)
    status, content, media_type = answer
    headers = signed_http.response_headers(
        house.key, status=status, request_signature=signature, body=content
    )
    if house.faults.strikes("bad_signature"):
        headers[signed_http.SIGNATURE_HEADER] = "AAAA"
    return Response(content, status, headers, media_type)


async def strike(
    house: House, act: Callable[[], Answer | Awaitable[Answer]], *, is_writing: bool
) -> Answer | None:
    """Carry out a request as the faults of its line say; None: the caller gets no answer.

    For institutions with a line of another kind, too: whatever checks and signs stands around it.
    """
    if is_writing and house.faults.strikes("arrive_late"):
        if len(house.late) >= LATE_REQUESTS_MAX:
            raise OperatingError("busy", "late requests")
        house.late.append(act)
        return None
    answer = await _done(act)
    if house.faults.strikes("duplicate"):
        answer = await _done(act)
    if house.faults.strikes("be_slow"):
        await asyncio.sleep(SLOW_ANSWER_S)
    if house.faults.strikes("drop_answer_after_commit"):
        _log.info("fault_struck", fault="drop_answer_after_commit", institution=house.name)
        return None
    return answer


async def deliver_late(house: House) -> int:
    """Let the requests that were kept on the way arrive; their answers reach nobody."""
    kept, house.late = house.late, []
    for act in kept:
        await _done(act)
    return len(kept)


async def read_body(request: Request) -> bytes:
    """A request's body, refused above the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise CallerError("file_rejected", "too large")
    return bytes(body)


def new_app(title: str) -> FastAPI:
    """An HTTP face whose refusals carry our error's wire form."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.exception_handler(TillwayError)(_refuse)
    app.exception_handler(RequestValidationError)(_refuse_field)
    return app


async def _done(act: Callable[[], Answer | Awaitable[Answer]]) -> Answer:
    answer = act()
    return await answer if inspect.isawaitable(answer) else answer


async def _refuse(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, TillwayError)
    if isinstance(error, OperatingError):
        status = 503
    else:
        status = 401 if error.code == "signature_invalid" else 400
    return JSONResponse(error.to_wire() | {"detail": error.detail}, status)


async def _refuse_field(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    field = ".".join(str(part) for part in error.errors()[0]["loc"])
    return await _refuse(request, CallerError("field_invalid", field))
