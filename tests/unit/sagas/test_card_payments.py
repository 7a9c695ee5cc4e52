"""Paying by card: submitted in one commit, asked of the channel, ended by its word."""

import pytest

from backend.risk.lists.service import SetBlock
from backend.wallet.service import SetPayerStatus
from tests.support.channel_world import ChannelWorld
from tests.support.channels import NearNetsUnion
from tests.support.shop import MERCHANT

pytestmark = pytest.mark.asyncio


def pushed(world: ChannelWorld) -> int:
    return len(world.shop.rows("SELECT seq FROM outbox_push"))


async def test_a_card_payment_is_processing_until_the_channel_says_yes(world: ChannelWorld) -> None:
    paid = world.shop.pay(world.card_payer(), 10_000)
    payment_id = paid["payment_id"]
    assert (paid["state"], paid["payer_masked"]) == ("processing", "李*")
    assert world.charged() == 0
    await world.finish()
    assert world.state(payment_id) == "captured"
    assert world.charged() == 10_000
    assert world.shop.balance("C:CH:NUCC.2026-11-23:CNY") == 10_000
    assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 9_940
    assert world.shop.balance("C:UNSWEPT:CNY") == 60
    assert world.timeline(payment_id) == ["SagaPlanned", "SagaSent", "SagaSucceeded"]
    assert pushed(world) == 1
    world.check_quiet()


async def test_what_the_bank_refuses_is_declined_and_leaves_no_hold(world: ChannelWorld) -> None:
    payer = world.card_payer()
    short = world.shop.pay(payer, 50_001)
    await world.finish()
    world.card.refuses = 1
    refused = world.shop.pay(payer, 100)
    await world.finish()
    for answer, code in ((short, "insufficient_balance"), (refused, "channel_declined")):
        found = world.shop.ask("payment.query", {"payment_id": answer["payment_id"]})
        assert (found["state"], found["error"]["code"]) == ("declined", code)
    assert world.charged() == 0
    world.check_quiet()


async def test_a_lost_answer_is_unknown_and_a_query_finds_it(world: ChannelWorld) -> None:
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    world.card.mishaps = ["silent"]
    await world.runner.run_due()
    assert world.state(payment_id) == "unknown"
    await world.wait()
    assert world.state(payment_id) == "captured"
    assert world.charged() == 500
    assert world.timeline(payment_id)[2:] == ["SagaContactLost", "SagaSucceeded"]
    assert pushed(world) == 2
    world.check_quiet()


async def test_an_order_that_never_arrives_is_reversed_and_refused_when_it_comes_late(
    world: ChannelWorld,
) -> None:
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    world.card.mishaps = ["late"]
    await world.finish()
    assert world.state(payment_id) == "reversed"
    [answer] = world.card.deliver_late()
    assert answer is not None
    assert answer.state == "reversed"
    assert world.charged() == 0
    assert world.timeline(payment_id)[2:] == ["SagaContactLost", "SagaGivenUp", "SagaReversed"]
    world.check_quiet()


async def test_a_payment_is_not_given_up_before_its_channel_was_asked_once(
    world: ChannelWorld,
) -> None:
    """A runner that died for an hour finds the money taken, and keeps it."""
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    world.card.mishaps = ["silent"]
    await world.runner.run_due()
    await world.wait(seconds=3600)
    assert world.state(payment_id) == "captured"
    world.check_quiet()


async def test_what_waited_too_long_to_be_sent_is_declined_and_never_sent(
    world: ChannelWorld,
) -> None:
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    await world.wait(seconds=61)
    found = world.shop.ask("payment.query", {"payment_id": payment_id})
    assert (found["state"], found["error"]["code"]) == ("declined", "channel_unavailable")
    assert world.card.book.order(payment_id) is None
    assert world.timeline(payment_id) == ["SagaPlanned", "SagaNeverSent"]
    world.check_quiet()


async def test_the_settlement_date_is_the_channel_s_and_not_ours(world: ChannelWorld) -> None:
    """The clearing house's next day has begun when it books the payment; the shop's has not."""
    assert isinstance(world.card, NearNetsUnion)
    world.card.clearing.house.faults.arm({"delay_past_cutoff": 1})
    payment_id = world.shop.pay(world.card_payer(), 500)["payment_id"]
    await world.finish()
    assert world.shop.balance("C:CH:NUCC.2026-11-24:CNY") == 500
    assert world.shop.balance("C:CH:NUCC.2026-11-23:CNY") == 0
    [row] = world.shop.rows(f"SELECT business_date FROM payment WHERE payment_id = '{payment_id}'")
    assert row["business_date"] == "2026-11-23"
    world.check_quiet()


async def test_a_repeated_create_and_a_second_runner_charge_once(world: ChannelWorld) -> None:
    payer = world.card_payer()
    body = world.shop.create_body("pay_code", 700, pay_code=world.shop.code(payer))
    request = world.shop.request("payment.create", body)
    for outcome in world.shop.apply(*[world.shop.command(request)] * 3):
        assert outcome.value()[1]["state"] == "processing"
    assert world.shop.ask("payment.create", body)["state"] == "processing"
    assert [await world.runner.run_due(), await world.runner.run_due()] == [1, 0]
    assert world.charged() == 700
    world.check_quiet()


async def test_risk_limits_and_frozen_payers_stop_a_card_as_they_stop_a_balance(
    world: ChannelWorld,
) -> None:
    payer = world.card_payer()
    world.shop.do(SetBlock(payer_id=payer, is_on=True, reason="stolen phone"))
    blocked = world.shop.pay(payer, 100)
    assert blocked["error"]["code"] == "risk_declined"
    assert not world.sagas(blocked["payment_id"])
    world.shop.do(SetPayerStatus(payer_id=payer, is_frozen=True))
    assert world.shop.pay(payer, 100)["error"]["code"] == "payer_frozen"
