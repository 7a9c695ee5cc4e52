"""A prober that knows our OpenAPI finds no call that ends in a server's error, or unsigned."""

from typing import Any

import pytest
import requests
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as HypothesisPhase
from schemathesis.core.result import Ok

from faces.routes import add_routes
from tests.support.merchant_caller import Caller


def document(caller: Caller) -> dict[str, Any]:
    app = FastAPI()
    add_routes(app, caller.router)
    return app.openapi()


def test_no_call_of_the_document_is_a_servers_error(stranger: Caller) -> None:
    schema = schemathesis.openapi.from_dict(document(stranger))
    statuses: set[int] = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(
            max_examples=6,
            database=None,
            phases=[HypothesisPhase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def probe(case: Any) -> None:
            words = case.as_transport_kwargs(base_url="http://testserver")
            words.pop("cookies", None)
            wanted = requests.Request(
                words["method"],
                words["url"],
                params=words.get("params"),
                json=words.get("json"),
                data=words.get("data"),
            ).prepare()
            body = wanted.body or b""
            raw = body.encode() if isinstance(body, str) else body
            answer = stranger.ask(str(wanted.method), wanted.path_url, raw)
            statuses.add(answer.status_code)
            assert answer.status_code < 500, answer.text
            stranger.shop.clock.at_ms += 10

        probe()
    assert {200, 400, 404} <= statuses


def test_the_document_names_refusals(stranger: Caller) -> None:
    paths = document(stranger)["paths"]
    assert len(paths) >= 13
    for path, methods in paths.items():
        for operation in methods.values():
            assert {"4XX", "5XX"} <= operation["responses"].keys(), path
            assert "422" not in operation["responses"], path


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis.*")
