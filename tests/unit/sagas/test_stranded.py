"""Money that is nobody's here and that its channel will not take back: seen, and brought to an end
by an operator."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs
from typer.testing import CliRunner

from backend.refunds.limits import GIVE_BACK_TRIES_MAX
from backend.sagas.cli import app
from backend.sagas.repository import SagaRepository
from tests.support.channel_world import CARD_TOKEN, ChannelWorld
from tests.support.wallet_http import OPERATOR, client_of

pytestmark = pytest.mark.asyncio
LONG = "C:LONG:CNY"


async def stranded(world: ChannelWorld) -> str:
    """A payment that the till has undone, the channel has settled and will not give back."""
    payment_id = str(world.shop.pay(world.card_payer(), 500)["payment_id"])
    await world.finish()
    world.settle_card()
    assert world.shop.ask("payment.reverse", {"payment_id": payment_id})["state"] == "reversed"
    await world.runner.run_due()
    world.card.refuses = 1
    await world.finish()
    return payment_id


def decide(http: TestClient, saga_id: str, decision: str) -> Any:
    path = f"/operator/v1/sagas/{saga_id}/{decision}"
    return http.post(path, json={"by": "li.lei"}, headers=OPERATOR).json()


def told_by(world: ChannelWorld, saga_id: str) -> str:
    last = SagaRepository(world.shop.reader).timeline(saga_id)[-1]
    return str(json.loads(last["detail"])["by"])


async def test_it_is_logged_as_an_error_and_stays_in_the_list(world: ChannelWorld) -> None:
    with capture_logs() as logs:
        payment_id = await stranded(world)
    back = f"{payment_id}.back"
    [log] = [log for log in logs if log["event"] == "saga_stranded"]
    assert (log["saga_id"], log["log_level"]) == (back, "error")
    assert (world.charged(), world.shop.balance(LONG)) == (500, 500)
    assert world.sagas(payment_id) == {payment_id: "settled", back: "stranded"}
    listed = CliRunner().invoke(app, ["list", "--database", world.shop.url], env={"COLUMNS": "20"})
    assert back in listed.output
    with client_of(world.shop) as http:
        [saga] = http.get("/operator/v1/sagas", headers=OPERATOR).json()["sagas"]
    assert (saga["saga_id"], saga["state"]) == (back, "stranded")
    assert world.shop.verify().is_whole


async def test_it_is_tried_anew_with_another_id_until_the_channel_takes_it(
    world: ChannelWorld,
) -> None:
    payment_id = await stranded(world)
    with client_of(world.shop) as http:
        first = decide(http, f"{payment_id}.back", "try-anew")["saga"]
        assert decide(http, f"{payment_id}.back", "try-anew")["saga"] == first
        assert CARD_TOKEN not in str(first)
        world.card.refuses = 1
        await world.finish()
        assert decide(http, f"{payment_id}.back2", "try-anew")["saga"]["state"] == "planned"
        await world.finish()
        assert http.get("/operator/v1/sagas", headers=OPERATOR).json() == {"sagas": []}
    assert world.sagas(payment_id) == {
        payment_id: "settled",
        f"{payment_id}.back": "tried_anew",
        f"{payment_id}.back2": "tried_anew",
        f"{payment_id}.back3": "succeeded",
    }
    assert told_by(world, f"{payment_id}.back") == "operator:li.lei"
    assert world.charged() == 0
    world.check_quiet()


async def test_it_is_assigned_to_the_payer_once(world: ChannelWorld) -> None:
    payment_id = await stranded(world)
    [row] = world.shop.rows("SELECT payer_id FROM payment")
    back = f"{payment_id}.back"
    with client_of(world.shop) as http:
        for _ in range(2):
            assert decide(http, back, "assign-to-payer")["saga"]["state"] == "assigned"
        assert decide(http, back, "try-anew")["error"]["code"] == "payment_state"
        assert http.get("/operator/v1/sagas", headers=OPERATOR).json() == {"sagas": []}
    assert world.shop.payer_balance(row["payer_id"]) == 500
    assert (world.shop.balance(LONG), told_by(world, back)) == (0, "operator:li.lei")
    world.check_quiet()


async def test_only_stranded_money_is_decided_about_and_by_somebody(world: ChannelWorld) -> None:
    payment_id = await stranded(world)
    back = f"{payment_id}.back"
    with client_of(world.shop) as http:
        assert decide(http, payment_id, "try-anew")["error"]["code"] == "payment_not_found"
        assert decide(http, payment_id, "assign-to-payer")["error"]["code"] == "payment_not_found"
        path = f"/operator/v1/sagas/{back}/try-anew"
        assert http.post(path, json={"by": ""}, headers=OPERATOR).status_code == 422
        assert http.post(path, json={"by": "li.lei"}).status_code == 401
        decide(http, back, "try-anew")
        assert decide(http, back, "assign-to-payer")["error"]["code"] == "payment_state"
        assert decide(http, f"{back}2", "assign-to-payer")["error"]["code"] == "payment_state"
    await world.finish()
    world.check_quiet()


async def test_it_is_not_tried_for_ever(world: ChannelWorld) -> None:
    payment_id = await stranded(world)
    with client_of(world.shop) as http:
        for number in range(1, GIVE_BACK_TRIES_MAX):
            saga_id = f"{payment_id}.back{number if number > 1 else ''}"
            assert "saga" in decide(http, saga_id, "try-anew")
            world.card.refuses = 1
            await world.finish()
        last = f"{payment_id}.back{GIVE_BACK_TRIES_MAX}"
        assert decide(http, last, "try-anew")["error"]["code"] == "payment_state"
        assert decide(http, last, "assign-to-payer")["saga"]["state"] == "assigned"
    world.check_quiet()
