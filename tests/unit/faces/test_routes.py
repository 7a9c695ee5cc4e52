"""An application serves the routes of its parts as they are."""

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from faces.routes import add_routes


def _refuse() -> None:
    raise HTTPException(403)


def _router(path: str, *, guarded: bool = False) -> APIRouter:
    routes = APIRouter(prefix="/v1", dependencies=[Depends(_refuse)] if guarded else [])

    @routes.get(path)
    async def answer() -> str:
        return path

    return routes


def test_each_route_keeps_the_prefix_and_the_guard_of_its_router() -> None:
    app = FastAPI()
    add_routes(app, _router("/open"))
    add_routes(app, _router("/closed", guarded=True))
    with TestClient(app) as http:
        assert http.get("/v1/open").json() == "/open"
        assert http.get("/v1/closed").status_code == 403
        assert http.post("/v1/open").status_code == 405
        assert http.get("/open").status_code == 404
    assert list(app.openapi()["paths"]) == ["/v1/open", "/v1/closed"]


def test_a_router_s_route_is_served_itself_so_its_endpoint_is_analysed_once() -> None:
    app, router = FastAPI(), _router("/open")
    add_routes(app, router)
    assert app.router.routes[-1] is router.routes[0]


def test_an_application_with_a_guard_of_its_own_is_refused_for_it_would_be_passed_by() -> None:
    with pytest.raises(AssertionError, match="go without it"):
        add_routes(FastAPI(dependencies=[Depends(_refuse)]), _router("/open"))
