"""Routes that are made late answer as those that FastAPI made at once."""

from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.routing import APIRoute, APIRouter
from fastapi.testclient import TestClient
from pydantic import BaseModel

from tests.support import late_routes


class Sum(BaseModel):
    """A body, and an answer."""

    amount_minor: int


class StampedRoute(APIRoute):
    """A route with a handler of its own, as the wallet's pages have."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        serve = super().get_route_handler()

        async def stamped(request: Request) -> Response:
            answer = await serve(request)
            answer.headers["x-stamp"] = self.name
            return answer

        return stamped


def payer(request: Request) -> str:
    if "x-payer" not in request.headers:
        raise HTTPException(401)
    return request.headers["x-payer"]


def made_app() -> FastAPI:
    app, pages = FastAPI(), APIRouter(route_class=StampedRoute)

    @app.post("/sums/{number}", status_code=201)
    def doubled(number: int, body: Sum, who: str = Depends(payer)) -> Sum:
        """What is answered."""
        assert who == "ann"
        return Sum(amount_minor=number * body.amount_minor)

    @pages.get("/pages/{word}", name="page")
    async def page(word: str, length_max: int = 3) -> str:
        return word[:length_max]

    app.include_router(pages, prefix="/in")
    return app


ASKED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/sums/2", {"json": {"amount_minor": 21}, "headers": {"x-payer": "ann"}}),
    ("POST", "/sums/2", {"json": {"amount_minor": 21}}),
    ("POST", "/sums/2", {"json": {"amount_minor": "x"}, "headers": {"x-payer": "ann"}}),
    ("POST", "/sums/x", {"json": {"amount_minor": 1}, "headers": {"x-payer": "ann"}}),
    ("GET", "/sums/2", {}),
    ("HEAD", "/in/pages/word", {}),
    ("GET", "/in/pages/word", {}),
    ("GET", "/in/pages/word", {"params": {"length_max": 2}}),
    ("GET", "/in/pages/word", {"params": {"length_max": "x"}}),
    ("GET", "/pages/word", {}),
)


def answers(app: FastAPI) -> list[tuple[int, str, dict[str, str]]]:
    client = TestClient(app)
    found = [client.request(method, path, **words) for method, path, words in ASKED]
    return [(one.status_code, one.text, dict(one.headers)) for one in found]


def test_a_late_route_answers_as_one_made_at_once() -> None:
    late = made_app()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(APIRoute, "__init__", late_routes._make)
        at_once = made_app()
    expected = answers(at_once)
    assert [status for status, *_ in expected] == [
        201, 401, 422, 422, 405, 405, 200, 200, 422, 404
    ]  # fmt: skip
    assert expected[6][2]["x-stamp"] == "page"
    assert answers(late) == expected
    assert made_app().openapi() == at_once.openapi()


def test_only_what_is_asked_for_is_made() -> None:
    app = made_app()
    route = next(one for one in app.routes if getattr(one, "path", "") == "/sums/{number}")
    assert TestClient(app).get("/in/pages/word").status_code == 200
    assert "dependant" not in vars(route)
    assert TestClient(app).post("/sums/2").status_code == 401
    assert "dependant" in vars(route)


def test_many_threads_may_be_the_first_to_ask() -> None:
    app = made_app()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(TestClient(app).get, "/in/pages/word") for _ in range(16)]
    assert {one.result().text for one in asked} == {'"wor"'}


def test_what_a_route_has_not_is_missing() -> None:
    route = made_app().routes[-1]
    assert not hasattr(route, "nothing_of_this_name")
