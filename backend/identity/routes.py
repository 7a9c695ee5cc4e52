"""``/enroll/v1``: the CA's certificate, joining with a code, renewing keys. CBOR, no account.

The number of tries is bounded per address and for all together; the code's own tries are counted
in the database (:mod:`backend.identity.enrolment`).
"""

from collections.abc import Callable

import structlog
from fastapi import APIRouter, Request, Response

from backend.identity.service import EnrolmentService
from backend.observability.metrics import Metrics
from backend.rate_limit import RateLimit
from protocol.errors import CallerError, TillwayError
from protocol.messages.enrolment import (
    CA_PATH,
    JOIN_PATH,
    REQUEST_BYTES_MAX,
    ROTATE_PATH,
    JoinAnswer,
    JoinRequest,
)

CERTIFICATE_TYPE, CBOR_TYPE = "application/pkix-cert", "application/cbor"
_log = structlog.get_logger()


def router(
    service: EnrolmentService, *, now_ms: Callable[[], int], tries: RateLimit, metrics: Metrics
) -> APIRouter:
    """The public routes of enrolment."""
    routes = APIRouter(tags=["enrolment"])

    @routes.get(CA_PATH)
    async def get_ca() -> Response:
        return Response(service.ca.certificate_der, media_type=CERTIFICATE_TYPE)

    @routes.post(JOIN_PATH)
    async def post_join(request: Request) -> Response:
        body = await _taken(request)
        try:
            answer = await service.join(JoinRequest.from_bytes(body), now_ms=now_ms())
        except TillwayError as error:
            metrics.count_enrolment(error.code)
            raise
        return _said("device_joined", answer)

    @routes.post(ROTATE_PATH)
    async def post_rotate(request: Request) -> Response:
        body = await _taken(request)
        try:
            answer = await service.rotate(body, now_ms=now_ms())
        except TillwayError as error:
            metrics.count_enrolment(error.code)
            raise
        return _said("device_rotated", answer)

    def _said(event: str, answer: JoinAnswer) -> Response:
        metrics.count_enrolment("done")
        _log.info(event, tid=answer.tid, kind=answer.kind, store=answer.store)
        return Response(answer.to_bytes(), media_type=CBOR_TYPE)

    async def _taken(request: Request) -> bytes:
        tries.take(request.client.host if request.client else "")
        body = await request.body()
        if len(body) > REQUEST_BYTES_MAX:
            raise CallerError("envelope_too_large")
        return body

    return routes
