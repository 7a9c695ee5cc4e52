"""The hub's status port says in words what it refuses."""

from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from hub.adapters.system import SystemClock
from hub.domain.passages import Passages
from hub.status import build_app


def test_an_address_that_it_does_not_have_is_a_refusal_like_any_other() -> None:
    app = build_app(
        numbers=dict,
        is_ready=lambda: True,
        registry=CollectorRegistry(),
        faults=None,
        passages=Passages(SystemClock()),
    )
    with TestClient(app, base_url="http://127.0.0.1") as http:
        for told in (http.get("/faults/line"), http.post("/healthz")):
            error = told.json()["error"]
            assert (error["code"], error["detail"]) == ("route_unknown", told.request.url.path)
            assert error["zh"]
