"""Bills over HTTP: the bytes, the hashes beside them, and what is refused."""

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.bills.routes import operator_router
from faces.routes import add_routes
from protocol.errors import TillwayError
from tests.support.bills import ALL, SUCCESS, desk_of, read_bill
from tests.support.clearing import World, clearing_world
from tests.support.migrated import migrated_sqlite
from tests.support.shop import MERCHANT
from tests.support.wallet_http import OPERATOR, operator_only

DAY = date(2026, 11, 24)
PATH = f"/operator/v1/bills/{MERCHANT}/{DAY}"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with clearing_world(migrated_sqlite(tmp_path / "backend.db")) as found:
        yield found


@pytest.fixture
def http(world: World) -> Iterator[TestClient]:
    app = FastAPI()
    add_routes(app, operator_router(desk_of(world), operator_only))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=400)

    with TestClient(app, headers=OPERATOR) as client:
        yield client


async def close_a_day(world: World) -> None:
    payer = await world.payer_since_yesterday()
    world.sell(payer, 10_000)
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"


@pytest.mark.asyncio
async def test_the_bytes_have_the_hashes_that_stand_beside_them(
    world: World, http: TestClient
) -> None:
    await close_a_day(world)
    for paper in ("trade", "fund-flow", "settlement"):
        answer = http.get(f"{PATH}/{paper}")
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["bill-sha1"] == hashlib.sha1(answer.content).hexdigest()
        assert answer.headers["bill-sha256"] == hashlib.sha256(answer.content).hexdigest()
        assert int(answer.headers["content-length"]) == len(answer.content)
    assert read_bill(http.get(f"{PATH}/trade").content).header == ALL
    chosen = http.get(f"{PATH}/trade", params={"bill_type": "SUCCESS"}).content
    assert read_bill(chosen).header == SUCCESS


@pytest.mark.asyncio
async def test_the_settlement_statement_is_a_file_or_json_as_it_is_asked_for(
    world: World, http: TestClient
) -> None:
    await close_a_day(world)
    lines = http.get(f"{PATH}/settlement").content.decode("utf-8-sig").split("\r\n")
    assert lines[0] == "项目 item,编号 reference,日期 date,金额 amount,状态 state,说明 note"
    assert "`净额 net,`,`2026-11-24,`99.40,`,`" in lines
    assert any(
        line.startswith("`出款 payout,`pyo_") and line.endswith("`99.40,`confirmed,`****1234")
        for line in lines
    )
    told = http.get(f"{PATH}/settlement", headers={"accept": "application/json"}).json()
    assert (told["net_minor"], told["settled"][0]["amount_minor"]) == (9_940, 9_940)


def test_what_cannot_be_is_refused_by_name(http: TestClient) -> None:
    assert http.get(f"{PATH}/trade").json()["error"]["code"] == "bill_not_ready"
    nobody = http.get(f"/operator/v1/bills/nobody/{DAY}/trade")
    assert nobody.json()["error"]["code"] == "merchant_unknown"
    assert http.get(f"{PATH}/trade", params={"bill_type": "NONE"}).status_code == 422
    assert http.get("/operator/v1/bills/mch_1001/yesterday/trade").status_code == 422
    refused = http.get(f"{PATH}/trade", headers={"authorization": "Bearer somebody"})
    assert refused.json()["error"]["code"] == "not_authorized"


@pytest.mark.asyncio
async def test_days_are_listed_with_what_came_of_them_a_quarter_at_most(
    world: World, http: TestClient
) -> None:
    await close_a_day(world)
    path = f"/operator/v1/bills/{MERCHANT}"
    (day,) = http.get(path, params={"since": "2026-11-01", "until": "2026-11-30"}).json()["days"]
    assert (day["business_date"], day["state"], day["net_minor"]) == (f"{DAY}", "settled", 9_940)
    assert [(one["amount_minor"], one["account"]) for one in day["payouts"]] == [
        (9_940, "****1234")
    ]
    for since, until in (("2026-11-30", "2026-11-29"), ("2026-01-01", "2026-11-30")):
        refused = http.get(path, params={"since": since, "until": until}).json()
        assert refused["error"]["code"] == "field_invalid"
