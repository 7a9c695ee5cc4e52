"""What happened to a payment: told to an operator by HTTP and on the command line."""

import pytest
from typer.testing import CliRunner

from backend.refunds.model import TRANSITIONS as REFUND_TRANSITIONS
from backend.refunds.model import RefundState, RefundStep
from backend.refunds.model import next_state as next_refund
from backend.sagas.cli import app
from backend.sagas.model import TRANSITIONS as SAGA_TRANSITIONS
from backend.sagas.model import SagaState, SagaStep
from backend.sagas.model import next_state as next_saga
from protocol.errors import CallerError
from tests.support.channel_world import CARD_TOKEN, ChannelWorld
from tests.support.wallet_http import OPERATOR, client_of


@pytest.mark.asyncio
async def test_an_operator_sees_what_is_open_and_how_it_went(world: ChannelWorld) -> None:
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    world.card.mishaps = ["silent"]
    await world.runner.run_due()
    with client_of(world.shop) as http:
        [saga] = http.get("/operator/v1/sagas", headers=OPERATOR).json()["sagas"]
        assert (saga["saga_id"], saga["state"], saga["tries"]) == (payment_id, "unknown", 1)
        await world.finish()
        assert http.get("/operator/v1/sagas", headers=OPERATOR).json() == {"sagas": []}
        answer = http.get(f"/operator/v1/sagas/{payment_id}", headers=OPERATOR)
        [told] = answer.json()["sagas"]
        assert [step["event"] for step in told["timeline"]][-1] == "SagaSucceeded"
        assert CARD_TOKEN not in answer.text
        assert http.get("/operator/v1/sagas").status_code == 401


@pytest.mark.asyncio
async def test_the_command_line_lists_and_explains(world: ChannelWorld) -> None:
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    world.card.mishaps = ["silent"]
    await world.runner.run_due()
    options = ["--database", world.shop.url]
    listed = CliRunner().invoke(app, ["list", *options], env={"COLUMNS": "20"})
    assert payment_id in listed.output
    assert "unknown" in listed.output
    shown = CliRunner().invoke(app, ["show", *options, payment_id])
    assert shown.exit_code == 0
    assert "SagaContactLost" in shown.output
    assert "the answer was lost" in shown.output
    assert CliRunner().invoke(app, ["show", *options, "pay_of_nobody"]).exit_code == 1
    await world.finish()


@pytest.mark.parametrize("state", SagaState)
@pytest.mark.parametrize("step", SagaStep)
def test_every_pair_of_a_conversation_is_an_edge_or_an_error(
    state: SagaState, step: SagaStep
) -> None:
    if (state, step) in SAGA_TRANSITIONS:
        assert next_saga(state, step).event
    else:
        with pytest.raises(CallerError) as caught:
            next_saga(state, step)
        assert caught.value.code == "payment_state"


@pytest.mark.parametrize("state", RefundState)
@pytest.mark.parametrize("step", RefundStep)
def test_every_pair_of_a_refund_is_an_edge_or_an_error(
    state: RefundState, step: RefundStep
) -> None:
    if (state, step) in REFUND_TRANSITIONS:
        assert next_refund(state, step) in RefundState
    else:
        with pytest.raises(CallerError) as caught:
            next_refund(state, step)
        assert caught.value.code == "payment_state"
