"""``/healthz`` (the process runs), ``/readyz`` (it can take money): for anybody. ``/metrics`` tells
how much a shop sells: for the operator, unless the settings open it."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from backend.observability.metrics import Metrics

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def router(
    metrics: Metrics,
    is_ready: Callable[[], Awaitable[bool]],
    metrics_guard: Callable[[Request], Awaitable[None]] | None,
) -> APIRouter:
    """The routes every program has on its own port. ``metrics_guard`` None: anybody reads them."""
    routes = APIRouter(tags=["health"])
    guards = [] if metrics_guard is None else [Depends(metrics_guard)]

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        if await is_ready():
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not_ready"}, status_code=503)

    @routes.get("/metrics", dependencies=guards)
    async def read_metrics() -> Response:
        return Response(metrics.render(), media_type=METRICS_TYPE)

    return routes
