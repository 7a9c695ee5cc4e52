"""Money leaves the reserve for filed accounts only."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from backend.db import migrate
from backend.db.engine import open_engine
from backend.db.migrate import upgrade
from backend.destinations import routes
from backend.destinations.model import DestinationKind
from backend.destinations.service import FileDestination, WithdrawDestination
from backend.merchants import routes as merchant_routes
from backend.merchants.service import ChangePayoutAccount
from faces.routes import add_routes
from protocol.errors import CallerError, TillwayError
from tests.support.clearing import World, clearing_world
from tests.support.institutions import OWN
from tests.support.shop import MERCHANT
from tests.support.wallet_http import OPERATOR, operator_only, services_of

DAY = date(2026, 11, 23)
BLOB = "CAST('x' AS {blob})"
MERCHANTS, OWNS = DestinationKind.MERCHANT, DestinationKind.OWN


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        yield found


async def day_of(world: World) -> dict[str, Any]:
    payer = world.shop.add_payer()
    assert await world.fund(payer, 50_000) == "succeeded"
    world.shop.pay(payer, 10_000)
    world.next_day()
    return await world.day_end.run(world.today.replace(day=world.today.day - 1))


def filed(world: World, kind: str) -> list[dict[str, Any]]:
    return [dict(row) for row in world.shop.rows(
        f"SELECT * FROM destination WHERE kind = '{kind}'")]  # fmt: skip


def withdraw(world: World, kind: DestinationKind = MERCHANTS, holder: str = MERCHANT) -> None:
    world.shop.do(WithdrawDestination(kind=kind, holder_id=holder, actor="operator"))


@pytest.mark.asyncio
async def test_a_merchants_account_is_filed_when_it_is_created_and_paid_to(world: World) -> None:
    assert [(row["holder_id"], row["account_no"]) for row in filed(world, "merchant")] == [
        (MERCHANT, "6222000000001234")
    ]
    report = await day_of(world)
    assert (report["state"], report["not_allowed"]) == ("closed", [])
    assert [payout["state"] for payout in report["payouts"]] == ["confirmed"]


@pytest.mark.asyncio
async def test_a_withdrawn_account_is_paid_nothing_and_the_money_stays_the_merchants(
    world: World,
) -> None:
    withdraw(world)
    report = await day_of(world)
    assert (report["state"], report["payouts"]) == ("closed", [])
    assert report["not_allowed"] == [MERCHANT]
    assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 9_940
    world.shop.do(
        ChangePayoutAccount(
            merchant_id=MERCHANT, payout_bank="Another", payout_account_name="晨光商贸有限公司",
            payout_account_no="6222000000001234",
        )
    )  # fmt: skip
    again = await world.day_end.run(DAY)
    assert [payout["state"] for payout in again["payouts"]] == ["confirmed"]
    assert (again["not_allowed"], world.at_bank("6222000000001234")) == ([], 9_940)
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_another_account_of_a_merchant_is_filed_with_the_change_and_both_are_remembered(
    world: World,
) -> None:
    world.near.open("NEW")
    change = ChangePayoutAccount(
        merchant_id=MERCHANT, payout_bank="b", payout_account_name="n", payout_account_no="NEW"
    )
    world.shop.do(change)
    world.shop.do(change)
    await day_of(world)
    assert (world.at_bank("NEW"), world.at_bank("6222000000001234")) == (9_940, 0)
    history = world.shop.rows("SELECT number, event, account_no FROM destination_filing"
                              " WHERE kind = 'merchant' ORDER BY number")  # fmt: skip
    assert [tuple(dict(row).values()) for row in history] == [
        (1, "destination_filed", "6222000000001234"), (2, "destination_filed", "NEW"),
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_our_own_account_is_filed_by_its_first_use_and_another_only_by_an_operator(
    world: World,
) -> None:
    assert filed(world, "own") == []
    await day_of(world)
    assert [row["account_no"] for row in filed(world, "own")] == [OWN]
    world.shop.do(
        FileDestination(
            kind=OWNS, holder_id="own", account_no="OTHER", account_name="Us", actor="operator"
        )
    )
    with pytest.raises(CallerError, match="destination_not_allowed"):
        await day_of(world)
    assert world.shop.balance("C:UNSWEPT:CNY") == 60
    world.shop.do(
        FileDestination(
            kind=OWNS, holder_id="own", account_no=OWN, account_name="Us", actor="operator"
        )
    )
    assert (await world.day_end.run(date(2026, 11, 24)))["state"] == "closed"
    assert world.shop.balance("C:UNSWEPT:CNY") == 0


def test_what_is_filed_has_a_form_and_a_merchants_goes_with_the_merchant(world: World) -> None:
    for number, name in (("", "n"), ("x" * 35, "n"), ("x", ""), ("x", "n" * 81)):
        with pytest.raises(CallerError, match="field_invalid"):
            world.shop.do(
                FileDestination(
                    kind=OWNS, holder_id="own", account_no=number, account_name=name, actor="o"
                )
            )
    with pytest.raises(CallerError, match="field_invalid"):
        world.shop.do(
            FileDestination(
                kind=MERCHANTS, holder_id=MERCHANT, account_no="x", account_name="n", actor="o"
            )
        )
    with pytest.raises(CallerError, match="destination_not_allowed"):
        withdraw(world, OWNS, "own")


def test_an_operator_sees_files_and_withdraws_over_http(world: World) -> None:
    app = FastAPI()
    services = services_of(world.shop)
    add_routes(app, routes.operator_router(services, operator_only))
    add_routes(app, merchant_routes.operator_router(services, operator_only))

    @app.exception_handler(TillwayError)
    async def on_refusal(_: Request, error: TillwayError) -> JSONResponse:
        return JSONResponse({"error": error.to_wire()}, status_code=400)

    with TestClient(app, headers=OPERATOR) as http:
        account = {"payout_bank": "b", "payout_account_name": "n", "payout_account_no": "12345678"}
        path = f"/operator/v1/merchants/{MERCHANT}/payout-account"
        assert http.put(path, json=account).status_code == 200
        seen = http.get(f"/operator/v1/destinations/merchant/{MERCHANT}").json()
        assert (seen["account_no"], len(seen["history"])) == ("****5678", 2)
        assert http.post(f"/operator/v1/destinations/merchant/{MERCHANT}/withdraw").json()[
            "withdrawn_at_ms"
        ]
        body = {"account_no": "6225000000001111", "account_name": "Ann"}
        filed_now = http.put("/operator/v1/destinations/customer/usr_1", json=body).json()
        assert filed_now["account_no"] == "****1111"
        missing = http.get("/operator/v1/destinations/customer/nobody").json()
        assert missing["error"]["code"] == "destination_not_allowed"
        stranger = http.get(
            "/operator/v1/destinations/own/own", headers={"authorization": "Bearer somebody"}
        ).json()
        assert stranger["error"]["code"] == "not_authorized"


def test_merchants_of_before_are_filed_by_the_migration(database_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    engine = open_engine(database_url)
    blob = BLOB.format(blob="BLOB" if engine.dialect.name == "sqlite" else "BYTEA")
    with engine.begin() as connection:
        config = Config()
        scripts = Path(migrate.__file__).parent / "migrations"
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        command.upgrade(config, "payments_0002")
        command.upgrade(config, "instruments_0001")
        connection.exec_driver_sql(
            "INSERT INTO payer (payer_id, name, status, route, key_suite, key_public, pin_salt,"
            " pin_hash, pin_tries, pin_locked_until_ms, created_at_ms)"
            f" VALUES ('usr_1', '李雷', 'active', 1, 'ES256', {blob}, {blob}, {blob}, 0, 0, 3)"
        )
        for kind in ("card", "fund"):
            connection.exec_driver_sql(
                "INSERT INTO instrument VALUES"
                f" ('ins_{kind}', 'usr_1', '{kind}', 'b', '1234', 't_{kind}', 'active', 7, 7)"
            )
        connection.exec_driver_sql(
            "INSERT INTO merchant VALUES ('m', 'M', 'active', 'CNY', NULL, 'D+1', 0, 'b', 'n',"
            " 'a', 1, 5, 5)"
        )
    upgrade(database_url)
    with engine.connect() as connection:
        query = "SELECT * FROM destination ORDER BY kind"
        found = connection.exec_driver_sql(query).fetchall()
        assert [tuple(row) for row in found] == [
            ("customer", "ins_card", "ins_card", "李雷", 7, None, 1),
            ("merchant", "m", "a", "n", 5, None, 1),
        ]
        noted = connection.exec_driver_sql("SELECT event, actor FROM destination_filing").fetchall()
        assert [tuple(row) for row in noted] == [("destination_filed", "migration")] * 2
    engine.dispose()
