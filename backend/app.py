"""The two HTTP applications: one for hubs, one for everybody else."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from backend import http_errors
from backend.body_limit import BodyLimit
from backend.bootstrap import Backend
from backend.hub_api.routes import router as hub_router
from backend.limits import JSON_BYTES_MAX
from backend.observability.routes import router as health_router
from protocol.limits import BATCH_BYTES_MAX


def hub_app(backend: Backend) -> ASGIApp:
    """What answers on the mutual-TLS port."""
    app = _application("Tillway hub interface", backend)
    app.include_router(hub_router(backend.hub))
    return BodyLimit(app, bytes_max=BATCH_BYTES_MAX)


def public_application(backend: Backend) -> FastAPI:
    """The public interface, as OpenAPI describes it."""
    app = _application("Tillway backend", backend)
    app.include_router(health_router(backend.metrics, backend.is_ready))
    return app


def public_app(backend: Backend) -> ASGIApp:
    """What answers on the public port."""
    return BodyLimit(public_application(backend), bytes_max=JSON_BYTES_MAX)


def _application(title: str, backend: Backend) -> FastAPI:
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    http_errors.install(app, backend.metrics)
    return app
