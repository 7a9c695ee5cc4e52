"""What operators ask of settlements over HTTP: standings, runs within the day, changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.clearing import routes as clearing_routes
from backend.clearing.repository import ClearingRepository
from backend.merchants import routes as merchant_routes
from protocol.errors import TillwayError
from tests.support.clearing import World, clearing_world
from tests.support.wallet_http import OPERATOR, operator_only, services_of


@dataclass
class Parts:
    """``ClearingParts`` on a test's world."""

    world: World

    def __post_init__(self) -> None:
        self.day_end = self.world.day_end
        self.repository = ClearingRepository(self.world.shop.reader)
        self.topups = self.world.topups
        self.calendar = self.world.calendar


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url, first_day=date(2026, 9, 30)) as found:
        yield found


@pytest.fixture
def http(world: World) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(clearing_routes.operator_router(Parts(world), operator_only))
    app.include_router(merchant_routes.operator_router(services_of(world.shop), operator_only))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=400)

    with TestClient(app, headers=OPERATOR) as client:
        yield client


@pytest.mark.asyncio
async def test_a_merchants_standing_is_shown_to_the_operator_only(
    world: World, http: TestClient
) -> None:
    world.add_merchant("slow", "T+1")
    world.sell(await world.payer(), 1_000, "slow")
    path = "/operator/v1/merchants/slow/settlement"
    seen = http.get(path).json()
    assert (seen["pending_minor"], seen["available_minor"], seen["in_payout_minor"]) == (994, 0, 0)
    assert [one["settles_on"] for one in seen["waiting"]] == ["2026-10-08"]
    refused = http.get(path, headers={"authorization": "Bearer somebody"})
    assert refused.json()["error"]["code"] == "not_authorized"
    missing = http.get("/operator/v1/merchants/nobody/settlement")
    assert missing.json()["error"]["code"] == "merchant_unknown"


@pytest.mark.asyncio
async def test_an_operator_changes_cycle_and_sub_accounts_and_sees_the_history(
    world: World, http: TestClient
) -> None:
    path = "/operator/v1/merchants/mch_1001"
    changed = http.patch(path, json={"settlement_cycle": "T+1", "pending_shards": 4}).json()
    assert (changed["settlement_cycle"], changed["pending_shards"]) == ("T+1", 4)
    cycles = http.get(path).json()["settlement_cycles"]
    assert [(one["cycle"], one["first_date"]) for one in cycles] == [
        ("T+1", "2026-10-01"), ("D+1", ""),
    ]  # fmt: skip
    refused = http.patch(path, json={"settlement_cycle": "D+11"})
    assert refused.json()["error"]["code"] == "settlement_cycle_unsupported"
    plan = {"rate_bps": 500, "valid_from_ms": world.shop.clock.at_ms}
    assert http.post(f"{path}/fee-plans", json=plan).json()["error"]["code"] == (
        "fee_rate_out_of_range"
    )


@pytest.mark.asyncio
async def test_a_run_within_the_day_is_asked_for_over_http(world: World, http: TestClient) -> None:
    quick = world.add_merchant("quick", "D+0")
    world.go_to(date(2026, 9, 29))
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000, "quick")
    report = http.post("/operator/v1/clearing/within-day/run").json()
    assert (report["day"], report["merchants_settled"]) == ("2026-09-30", 1)
    assert world.at_bank(quick) == 994
