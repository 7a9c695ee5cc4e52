"""How an error looks over HTTP: ``{"error": {code, retry, zh, en}}`` and a status by its code."""

from collections.abc import Awaitable, Callable, Mapping

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from backend.observability.metrics import Metrics
from protocol.errors import CallerError, OperatingError, TillwayError
from transport.refused import field_of

_log = structlog.get_logger()

_STATUS: Mapping[str, int] = {
    "not_authorized": 401,
    "enrol_code_invalid": 403,
    "signature_invalid": 403,
    "identity_mismatch": 403,
    "device_unknown": 403,
    "device_suspended": 403,
    "device_revoked": 403,
    "opening_elsewhere": 421,
    "opening_unknown": 404,
    "opening_used": 409,
    "opening_expired": 409,
    "route_unknown": 404,
    "session_unknown": 404,
    "user_unknown": 404,
    "account_unknown": 404,
    "break_unknown": 404,
    "callback_unknown": 404,
    "certificate_unknown": 404,
    "merchant_unknown": 404,
    "channel_unknown": 404,
    "mandate_not_found": 404,
    "notice_not_found": 404,
    "case_not_found": 404,
    "list_entry_not_found": 404,
    "report_not_found": 404,
    "model_not_found": 404,
    "rules_not_found": 404,
    "dispute_not_found": 404,
    "payer_unknown": 404,
    "payment_not_found": 404,
    "reading_not_found": 404,
    "red_packet_not_found": 404,
    "refund_not_found": 404,
    "store_unknown": 404,
    "device_exists": 409,
    "case_not_assignee": 409,
    "case_same_person": 409,
    "case_state": 409,
    "report_same_person": 409,
    "report_state": 409,
    "model_same_person": 409,
    "model_state": 409,
    "rules_same_person": 409,
    "rules_state": 409,
    "dispute_state": 409,
    "payment_disputed": 409,
    "device_state": 409,
    "idempotency_conflict": 409,
    "red_packet_taken": 409,
    "red_packet_expired": 409,
    "red_packet_own": 409,
    "instrument_taken": 409,
    "key_taken": 409,
    "mandate_inactive": 409,
    "mandate_other_side": 409,
    "notice_state": 409,
    "notices_open": 409,
    "payment_state": 409,
    "envelope_too_large": 413,
    "internal": 500,
    "busy": 503,
    "backend_unreachable": 503,
    "timeout": 504,
    "day_run_stopped": 504,
}
_HEADERS = {
    401: {"www-authenticate": 'Bearer realm="Tillway"'},
    503: {"retry-after": "1"},
}
_LOST = frozenset({404, 405})
_PROGRAMS = ("/wallet/v1/",)
"""Below a face's address, and not its own."""
_PAGES = frozenset({"/"})
_PAGE_CHALLENGE = 'Basic realm="Tillway operator", charset="UTF-8"'
"""Makes a browser ask for the token. Only pages take it that way."""
_EXPLAINED = "/operator/"
"""An operator, who may read the log, is told the detail too."""
_EXPLAINED_CODES = frozenset({"day_run_stopped"})
"""Of what is not the caller's mistake: only somebody who was let in comes so far."""


def status_of(error: TillwayError) -> int:
    """The HTTP status of an error."""
    return _STATUS.get(error.code, 400 if isinstance(error, CallerError) else 503)


def error_response(error: TillwayError) -> JSONResponse:
    """The answer that carries an error."""
    status = status_of(error)
    headers = _HEADERS.get(status)
    return JSONResponse({"error": error.to_wire()}, status_code=status, headers=headers)


def _explained(error: TillwayError, status: int) -> JSONResponse:
    """The answer with what is wrong, except to somebody who has not shown who it is."""
    if status in _HEADERS:
        return error_response(error)
    return JSONResponse({"error": error.to_wire() | {"detail": error.detail}}, status_code=status)


LostPage = Callable[[Request, TillwayError], Awaitable[Response]]
"""A face's page for an address that it does not have."""


class LostPages:
    """What browsers see at addresses that a face does not have, below its own."""

    def __init__(self) -> None:
        self._pages: dict[str, LostPage] = {}

    def add(self, root: str, page: LostPage) -> None:
        """A face's page for all that is below its address."""
        self._pages[f"{root}/"] = page

    def of(self, request: Request) -> LostPage | None:
        """The page for who asked for one; None for programs, and where no face is."""
        if "text/html" not in request.headers.get("accept", ""):
            return None
        path = request.url.path
        if path.startswith(_PROGRAMS):
            return None
        return next((page for root, page in self._pages.items() if path.startswith(root)), None)


def install(app: FastAPI, metrics: Metrics, lost: LostPages | None = None) -> None:
    """Make an application answer every failure in this form, also for what it does not know;
    ``lost``: where a browser gets a page of it."""

    @app.exception_handler(TillwayError)
    async def on_known(request: Request, error: TillwayError) -> JSONResponse:
        metrics.count_error(error.code)
        _log.info("request_refused", path=request.url.path, code=error.code, detail=error.detail)
        answer = error_response(error)
        is_explained = isinstance(error, CallerError) or error.code in _EXPLAINED_CODES
        if request.url.path.startswith(_EXPLAINED) and is_explained:
            answer = _explained(error, answer.status_code)
        if answer.status_code == 401 and request.url.path in _PAGES:
            answer.headers["www-authenticate"] = _PAGE_CHALLENGE
        return answer

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return await on_known(request, CallerError("field_invalid", field_of(request, error)))

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        is_lost = error.status_code in _LOST
        told = CallerError("route_unknown" if is_lost else "field_invalid", request.url.path)
        metrics.count_error(told.code)
        page = lost.of(request) if lost is not None and is_lost else None
        if page is None:
            return JSONResponse({"error": told.to_wire()}, status_code=error.status_code)
        answer = await page(request, CallerError(told.code))
        answer.status_code = error.status_code
        return answer

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        metrics.count_error("internal")
        _log.error("request_bug", path=request.url.path, exc_info=error)
        return error_response(OperatingError("internal"))
