"""The operator's requests and the log of them, over HTTP with the real guard."""

import hashlib
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.audit import routes as audit_routes
from backend.audit.watch import OperatorActs
from backend.merchants import routes as merchant_routes
from backend.operator.auth import OperatorGuard
from backend.rate_limit import RateLimit
from backend.shop_time import shown_time
from backend.switches import routes as switch_routes
from backend.switches.desk import SwitchDesk
from faces.routes import add_routes
from protocol.errors import TillwayError
from tests.support.shop import MERCHANT, Shop, shop_of_two
from tests.support.wallet_http import OPERATOR, services_of

SWITCH = f"/operator/v1/switches/merchant/{MERCHANT}"


@pytest.fixture
def shop(migrated_url: str) -> Iterator[Shop]:
    with shop_of_two(migrated_url) as shop:
        yield shop


@pytest.fixture
def http(shop: Shop) -> TestClient:
    services = services_of(shop)
    tries = RateLimit(
        now_ms=shop.clock.now_ms, window_ms=60_000, each_max=20, all_max=40, callers_max=10
    )
    guard = OperatorGuard(hashlib.sha256(b"operator").digest(), tries).api
    app = FastAPI()
    add_routes(app, audit_routes.operator_router(services, guard))
    add_routes(app, switch_routes.operator_router(SwitchDesk(services), guard))
    add_routes(app, merchant_routes.operator_router(services, guard))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=400)

    watched = OperatorActs(app, services, kept_elsewhere=("/operator/v1/switches/",))
    return TestClient(watched, client=("192.0.2.9", 4711))


def test_a_switch_is_turned_and_its_line_says_by_whom_and_why(http: TestClient) -> None:
    said = {"reason": "complaints", "by": "wang"}
    stopped = http.post(f"{SWITCH}/stop", json=said, headers=OPERATOR).json()
    assert (stopped["is_stopped"], stopped["actor"]) == (1, "operator:wang")
    [one] = http.get("/operator/v1/switches", headers=OPERATOR).json()["switches"]
    assert (one["subject"], one["reason"]) == (MERCHANT, "complaints")
    assert http.post(f"{SWITCH}/start", json=said, headers=OPERATOR).json()["is_stopped"] == 0
    acts = http.get("/operator/v1/audit?kind=switch", headers=OPERATOR).json()["acts"]
    assert [act["what"] for act in acts] == ["start", "stop"]
    assert {act["origin"] for act in acts} == {"192.0.2.9"}
    assert http.get("/operator/v1/audit", headers=OPERATOR).json()["acts"] == acts
    assert http.get("/operator/v1/audit/verify", headers=OPERATOR).json()["is_whole"]
    assert "complaints" in http.get("/operator/v1/audit/csv?actor=wang", headers=OPERATOR).text


def test_what_the_operator_s_token_asks_for_is_kept_but_not_what_is_refused_or_only_read(
    http: TestClient,
) -> None:
    path = f"/operator/v1/merchants/{MERCHANT}"
    change = {"biometric_above_minor": 5}
    assert http.patch(path, json=change).status_code == 400
    assert http.patch(path, json={"status": "asleep"}, headers=OPERATOR).status_code == 422
    assert http.get(f"/operator/v1/merchants/{MERCHANT}", headers=OPERATOR).status_code == 200
    assert http.get("/operator/v1/audit", headers=OPERATOR).json()["acts"] == []
    assert http.patch(path, json=change, headers=OPERATOR).status_code == 200
    [act] = http.get("/operator/v1/audit", headers=OPERATOR).json()["acts"]
    told = (act["kind"], act["what"], act["actor"], act["subject"], act["after"])
    assert told == ("request", "patch", "operator", path, '{"status":200}')


def test_acts_are_found_by_their_dates(http: TestClient, shop: Shop) -> None:
    http.post(f"{SWITCH}/stop", json={"reason": "complaints"}, headers=OPERATOR)
    today = shown_time(shop.clock.at_ms, "%Y-%m-%d")
    for query, count in ((f"since={today}&until={today}", 1), ("until=2020-01-01", 0)):
        acts = http.get(f"/operator/v1/audit?{query}", headers=OPERATOR).json()["acts"]
        lines = http.get(f"/operator/v1/audit/csv?{query}", headers=OPERATOR).text.splitlines()
        assert (len(acts), len(lines)) == (count, 1 + count)
    error = http.get("/operator/v1/audit?since=yesterday", headers=OPERATOR).json()["error"]
    assert error["code"] == "date_invalid"
