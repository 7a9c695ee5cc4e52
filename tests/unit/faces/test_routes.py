"""An application serves the routes of its parts as they are."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.routing import Match
from starlette.types import Scope

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


SEGMENTS = ("a", "b", "{x}", "{n:int}", "a{y}", "{rest:path}")
PATHS = st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(dict.fromkeys(parts))
)
ROUTES = st.lists(st.tuples(PATHS, st.sampled_from(["GET", "POST"])), min_size=1, max_size=8)
ASKED = st.lists(st.sampled_from(["a", "b", "ab", "7", "", "a\n"]), max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)


def _table(routes: list[tuple[str, str]]) -> APIRouter:
    router = APIRouter()
    for number, (path, method) in enumerate(routes):
        router.add_api_route(path, _answering(number), methods=[method])
    return router


def _answering(number: int) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def answer(request: Request) -> JSONResponse:
        return JSONResponse([number, request.path_params])

    return answer


@given(ROUTES, st.lists(st.tuples(ASKED, st.sampled_from(["GET", "POST", "HEAD"])), max_size=5))
@example([("/{rest:path}", "GET")], [("////a", "GET"), ("//", "HEAD")])
@settings(max_examples=40)
def test_property_a_path_is_answered_as_if_every_route_were_asked_in_turn(
    routes: list[tuple[str, str]], asked: list[tuple[str, str]]
) -> None:
    in_turn, indexed = FastAPI(), FastAPI()
    in_turn.router.routes.extend(_table(routes).routes)
    add_routes(indexed, _table(routes))
    with TestClient(in_turn) as slow, TestClient(indexed) as quick:
        for path, method in asked:
            whole = f"http://testserver{quote(path)}"
            answers = [one.request(method, whole, follow_redirects=False) for one in (slow, quick)]
            first, second = ((one.status_code, one.content, one.headers) for one in answers)
            assert first == second


def test_a_route_is_found_without_asking_those_for_other_paths() -> None:
    app, asked = FastAPI(), []

    class Asked(APIRoute):
        def matches(self, scope: Scope) -> tuple[Match, Scope]:
            asked.append(self.path)
            return super().matches(scope)

    routes = APIRouter(route_class=Asked)
    paths = [*(f"/things/{number}" for number in range(100)), "/shops/{shop}/tills/{till}"]
    for path in paths:
        routes.add_api_route(path, _answering(0))
    add_routes(app, routes)
    with TestClient(app) as http:
        assert http.get("/shops/1/tills/2").json() == [0, {"shop": "1", "till": "2"}]
        assert http.get("/things/99").status_code == 200
    assert asked == ["/shops/{shop}/tills/{till}", "/things/99"]


def test_a_route_that_an_application_adds_after_its_parts_is_found_too() -> None:
    app = FastAPI()
    add_routes(app, _router("/open"))
    with TestClient(app) as http:
        assert http.get("/v1/late").status_code == 404
        app.add_api_route("/v1/late", _answering(7))
        assert http.get("/v1/late").json() == [7, {}]
