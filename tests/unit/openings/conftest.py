"""The faces of a development stack on a shop's database: with opening links."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from backend.console import routes as console_routes
from backend.console.desk import PeopleDesk
from backend.console.operations_desk import OperationsDesk
from backend.http_errors import status_of
from backend.notify.repository import CallbackRepository
from backend.openings.model import Openings
from backend.openings.routes import operator_router, wallet_router
from backend.rate_limit import RateLimit
from backend.wallet_page.routes import router as wallet_pages
from faces.routes import add_routes
from protocol.errors import TillwayError
from tests.support.console_world import merchants_of, operator_of
from tests.support.shop import Shop, bugs_in
from tests.support.wallet_http import operator_only, services_of

ORIGIN = "https://127.0.0.1:8443"


@pytest.fixture
def shop(migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr("backend.console.model.SCRYPT_LOG2_N", 4)  # slow enough for no test's sake
    shop = Shop(migrated_url)
    shop.add_merchant()
    with capture_logs() as logs:
        yield shop
    shop.close()
    assert not bugs_in(logs)


@pytest.fixture
def app(shop: Shop) -> FastAPI:
    services = services_of(shop)
    openings = Openings(shop.clock.now_ms, services.entropy)
    tries = RateLimit(
        now_ms=shop.clock.now_ms, window_ms=60_000, each_max=20, all_max=40, callers_max=10
    )
    operations = OperationsDesk(
        services, operator_of(shop, services), CallbackRepository(shop.reader), lambda: None
    )
    app = FastAPI()
    add_routes(app, operator_router(openings, operator_only))
    add_routes(app, wallet_router(openings, services))
    add_routes(app, wallet_pages(services, openings=openings))
    add_routes(
        app,
        console_routes.router(
            services, PeopleDesk(services), operations, tries, merchants_of(shop, services),
            openings,
        )
    )  # fmt: skip

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=status_of(error))

    return app


@pytest.fixture
def http(app: FastAPI) -> Iterator[TestClient]:
    """A browser on the machine itself."""
    client = TestClient(app, base_url=ORIGIN, client=("127.0.0.1", 50_000), follow_redirects=False)
    with client:
        yield client
