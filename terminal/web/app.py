"""The terminal's web application: control API, till page, customer page, health and metrics."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from faces import policy
from faces.assets import Assets
from faces.routes import add_routes
from faces.stream import Places
from protocol.errors import CallerError, TillwayError
from terminal.agent import Agent
from terminal.counter.diagnostics import Diagnostics
from terminal.counter.station import Counter
from terminal.limits import EVENT_STREAMS_MAX, REQUEST_BODY_BYTES_MAX
from terminal.metrics import AgentCollector
from terminal.shell import Shell
from terminal.web import api, api_cards, api_counter, api_staff, pages
from terminal.web.access import Access
from terminal.web.gate import Gate
from transport.refused import field_of, refuse_in_words

_STATUS = {
    "payment_not_found": 404,
    "refund_not_found": 404,
    "payment_state": 409,
    "cash_not_found": 404,
    "card_sale_not_found": 404,
    "idempotency_conflict": 409,
    "shift_needed": 409,
    "shift_state": 409,
    "staff_sign_in": 401,
    "staff_pin_wrong": 403,
    "staff_pin_given": 403,
    "staff_locked": 403,
    "staff_supervisor": 403,
    "staff_spool": 409,
    "staff_last": 409,
    "busy": 503,
    "journal_unwritable": 503,
}


def build_app(counter: Counter, diagnostics: Diagnostics, access: Access) -> FastAPI:
    """The application of one running terminal."""
    app = FastAPI(title="Tillway terminal", docs_url=None, redoc_url=None, openapi_url=None)
    places = Places(EVENT_STREAMS_MAX)
    assets = Assets("till", "terminal.web")
    assets.mount(app)
    gate = Gate(access, counter)
    add_routes(app, api.router(gate, places))
    add_routes(app, api_cards.router(gate))
    add_routes(app, api_staff.router(gate))
    add_routes(app, api_counter.router(gate, diagnostics))
    add_routes(app, pages.router(gate, places=places, assets=assets))
    app.add_exception_handler(TillwayError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    refuse_in_words(app)
    app.middleware("http")(_guard)
    _operations(app, counter.real.shell, counter.real.agent)
    return app


def _operations(app: FastAPI, shell: Shell, agent: Agent) -> None:
    registry = CollectorRegistry()
    registry.register(AgentCollector(agent))

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/readyz")
    async def readyz() -> Response:
        status = 200 if shell.screen.is_link_up else 503
        told: dict[str, object] = {"link": shell.screen.is_link_up}
        if shell.screen.link_trouble is not None:
            told["code"] = shell.screen.link_trouble.code
        return JSONResponse(told, status_code=status)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    length = request.headers.get("content-length", "0")
    chunked = "transfer-encoding" in request.headers
    if chunked or not length.isdecimal() or int(length) > REQUEST_BODY_BYTES_MAX:
        return JSONResponse({"error": CallerError("field_invalid").to_wire()}, status_code=413)
    response = await call_next(request)
    policy.protect(response)
    return response


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, TillwayError)
    wire = {**error.to_wire(), "detail": error.detail}
    return JSONResponse({"error": wire}, status_code=_STATUS.get(error.code, 400))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    field = field_of(request, error)
    code = "amount_invalid" if field.endswith("amount_minor") else "field_invalid"
    wire = {**CallerError(code).to_wire(), "detail": field}
    return JSONResponse({"error": wire}, status_code=400)
