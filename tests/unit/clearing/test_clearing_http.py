"""What operators ask of settlements over HTTP: standings, runs within the day, changes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from unittest.mock import Mock

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.routing import Match

from backend.bills import routes as bill_routes
from backend.clearing import absent
from backend.clearing import routes as clearing_routes
from backend.clearing.evening_repository import EveningRepository
from backend.clearing.recall import PayoutDesk
from backend.clearing.repository import ClearingRepository
from backend.clearing.reserve_desk import ReserveDesk
from backend.clearing.reserve_test import open_reserve_test
from backend.merchants import routes as merchant_routes
from faces.routes import add_routes
from protocol.errors import TillwayError
from protocol.signed_note import NoteKey
from tests.support.clearing import World, clearing_world
from tests.support.institutions import RESERVE
from tests.support.shop import MERCHANT
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
        self.payouts = PayoutDesk(
            submit=self.world.submit, payouts=self.repository.payouts, bank=self.world.near
        )
        self.reserve = ReserveDesk(
            repository=EveningRepository(self.world.shop.reader),
            bank=self.world.near,
            reserve_account=RESERVE,
        )


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url, first_day=date(2026, 9, 30)) as found:
        yield found


@pytest.fixture
def http(world: World) -> Iterator[TestClient]:
    app = FastAPI()
    add_routes(app, clearing_routes.operator_router(Parts(world), operator_only))
    add_routes(app, merchant_routes.operator_router(services_of(world.shop), operator_only))

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
    assert http.patch(path, json={"category_code": "5411"}).json()["category_code"] == "5411"
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


@pytest.mark.asyncio
async def test_the_reserve_its_test_and_the_windows_of_a_day_are_shown(
    world: World, http: TestClient
) -> None:
    world.add_merchant("shop", "D+1")
    world.sell(await world.payer(50_000), 10_000, "shop")
    assert http.get("/operator/v1/clearing/progress").json()["step_number"] == 0
    missing = http.get("/operator/v1/clearing/2026-09-30/reserve-test").json()
    assert missing["error"]["code"] == "day_not_closed"
    days = {"today": "2026-09-30", "earliest_open_day": None}
    assert http.get("/operator/v1/clearing").json() == days
    for earliest in ("2026-09-30", None):  # nothing moved on the day after
        yesterday = world.today
        world.next_day()
        days = {"today": f"{world.today}", "earliest_open_day": earliest}
        assert http.get("/operator/v1/clearing").json() == days
        run = http.post(f"/operator/v1/clearing/{yesterday}/run").json()
        assert run["state"] == "closed"
    progress = http.get("/operator/v1/clearing/progress").json()
    assert (progress["step"], progress["step_number"], progress["is_running"]) == (
        "evening", 9, False,
    )  # fmt: skip
    windows = http.get("/operator/v1/clearing/2026-09-30/windows").json()["windows"]
    assert {one["state"] for one in windows} == {"settled"}
    test = http.get("/operator/v1/clearing/2026-09-30/reserve-test").json()
    assert test["passed"]
    assert open_reserve_test(test["note"], NoteKey.from_text(test["key"])).day == "2026-09-30"
    first = http.get("/operator/v1/clearing/2026-09-30/reserve-report").text
    assert first.startswith("\ufeff项目 item,类别 kind,收入 in,支出 out,余额 balance\r\n")
    assert lines(first) == [
        "opening,,,,0.00", "closing,,,,0.00",
        "liability,CUST,,,400.00", "liability,MAVAIL,,,0.00", "liability,MPEND,,,99.40",
        "liability,PAYOUT,,,0.00", "liability,合计 total,,,499.40",
        "in_transit,,,,500.00", "short,,,,0.00", "test,passed,,,",
    ]  # fmt: skip
    second = http.get("/operator/v1/clearing/2026-10-01/reserve-report").text
    assert lines(second) == [
        "opening,,,,0.00", "movement,channel_settled,500.00,0.00,",
        "movement,fees_swept,0.00,0.60,", "movement,payout_confirmed,0.00,99.40,",
        "closing,,,,400.00",
        "liability,CUST,,,400.00", "liability,MAVAIL,,,0.00", "liability,MPEND,,,0.00",
        "liability,PAYOUT,,,0.00", "liability,合计 total,,,400.00",
        "in_transit,,,,0.00", "short,,,,0.00", "test,passed,,,",
    ]  # fmt: skip


def lines(report: str) -> list[str]:
    return report.split("\r\n")[1:-1]


@pytest.mark.asyncio
async def test_a_payout_is_shown_recalled_and_released(http: TestClient, world: World) -> None:
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000)
    yesterday = world.today
    world.next_day()
    (payout,) = (await world.day_end.run(yesterday))["payouts"]
    path = f"/operator/v1/payouts/{payout['payout_id']}"
    listed = f"/operator/v1/merchants/{MERCHANT}/payouts"
    [row] = http.get(listed).json()["payouts"]
    assert http.get(path).json() == {
        **{name: row[name] for name in row if name != "instructed_at_ms"}, "recall": None,
    }  # fmt: skip
    behind = f"{listed}?after={row['instructed_at_ms']}~{row['payout_id']}"
    assert http.get(behind).json() == {"payouts": [], "after": None}
    assert http.get(f"{listed}?after=x").json()["error"]["code"] == "field_invalid"
    assert http.get(path).json()["recall"] is None
    assert http.post(f"{path}/release").json()["error"]["code"] == "payment_state"
    assert http.post(f"{path}/recall", json={"reason": "WHIM"}).status_code == 422
    recalled = http.post(f"{path}/recall", json={"reason": "DUPL"}).json()
    assert (recalled["recall"]["state"], recalled["state"]) == ("accepted", "confirmed")
    yesterday = world.today
    world.next_day()
    await world.day_end.run(yesterday)
    standing = http.get(f"/operator/v1/merchants/{MERCHANT}/settlement").json()
    assert [row["payout_id"] for row in standing["returned"]] == [payout["payout_id"]]
    assert http.post(f"{path}/release").json()["state"] == "released"
    assert http.get("/operator/v1/payouts/pyo_none").json()["error"]["code"] == "payment_not_found"


def test_a_backend_without_clearing_has_an_answer_at_each_of_its_addresses() -> None:
    refusing = absent.operator_router(Mock())
    for router in (clearing_routes.operator_router, bill_routes.operator_router):
        for real in router(Mock(), Mock()).routes:
            assert isinstance(real, APIRoute)
            scope = {
                "type": "http",
                "path": re.sub(r"\{\w+\}", "x7", real.path),
                "method": min(real.methods or ()),
            }
            assert any(route.matches(scope)[0] is Match.FULL for route in refusing.routes), scope
