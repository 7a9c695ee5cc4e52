"""Refunds through a channel: the merchant gives at once, the channel's word ends them."""

from dataclasses import replace

import pytest

from backend.ledger.limits import LEGS_READ_BACK_FIRST
from backend.ledger.rules import Event, merchant_settled, payout_instructed
from backend.merchants.service import ChangeMerchant
from backend.routing.model import Routing
from tests.support.books import Post
from tests.support.channel_world import ChannelWorld
from tests.support.shop import MERCHANT

pytestmark = pytest.mark.asyncio
PENDING = f"C:MPEND:{MERCHANT}:CNY"


async def paid(world: ChannelWorld, amount_minor: int = 10_000) -> str:
    answer = world.shop.pay(world.card_payer(), amount_minor)
    await world.finish()
    return str(answer["payment_id"])


def refund_state(world: ChannelWorld, refund_id: str) -> dict[str, object]:
    return world.shop.ask("refund.query", {"refund_id": refund_id})


async def test_a_refund_is_processing_and_then_back_on_the_card(world: ChannelWorld) -> None:
    payment_id = await paid(world)
    refund = world.shop.refund(payment_id, 3_000)
    assert refund["state"] == "processing"
    assert world.shop.balance(PENDING) == 9_940 - 3_000 + 18
    assert world.shop.balance("C:REFUND:CNY") == 3_000
    assert world.state(payment_id) == "captured"
    await world.finish()
    assert refund_state(world, refund["refund_id"])["state"] == "succeeded"
    assert world.state(payment_id) == "partially_refunded"
    assert world.charged() == 7_000
    types = [row["message_type"] for row in world.shop.rows("SELECT * FROM outbox_push")]
    assert types == ["payment.result", "refund.result"]
    world.check_quiet()


async def test_the_fee_comes_back_once_whichever_of_several_refunds_is_refused(
    world: ChannelWorld,
) -> None:
    """84 fen cost a fen, 83 cost nothing: it comes back with the fen that makes them 84."""
    payment_id, shop = await paid(world, 84), world.shop
    refused = shop.refund(payment_id, 83)
    shop.clock.at_ms += 1
    shop.refund(payment_id, 1)
    world.card.refuses = 1
    await world.finish()
    assert refund_state(world, refused["refund_id"])["state"] == "failed"
    assert (shop.balance("C:UNSWEPT:CNY"), world.charged()) == (0, 83)
    assert shop.refund(payment_id, 83)["state"] == "processing"
    await world.finish()
    assert (world.state(payment_id), world.charged()) == ("refunded", 0)
    assert (shop.balance("C:UNSWEPT:CNY"), shop.balance(PENDING)) == (0, 0)
    world.check_quiet()


async def test_of_a_refund_that_no_till_asked_for_no_till_is_told(world: ChannelWorld) -> None:
    payment_id, shop = await paid(world), world.shop
    told = shop.rows("SELECT * FROM outbox_push")
    body = {
        "refund_id": shop.id("rfd"), "payment_id": payment_id, "amount_minor": 3_000,
        "currency": "CNY", "till": "operator",
    }  # fmt: skip
    request = shop.request("refund.create", body)
    shop.do(shop.command(replace(request, store="")))
    await world.finish()
    assert world.state(payment_id) == "partially_refunded"
    assert shop.rows("SELECT * FROM outbox_push") == told
    world.check_quiet()


async def test_a_refused_refund_gives_the_merchant_all_back_and_may_be_tried_anew(
    world: ChannelWorld,
) -> None:
    payment_id = await paid(world)
    refund = world.shop.refund(payment_id, 10_000)
    world.card.refuses = 1
    await world.finish()
    failed = refund_state(world, refund["refund_id"])
    assert failed["state"] == "failed"
    assert failed["error"]["code"] == "channel_refund_refused"  # type: ignore[index]
    assert (world.state(payment_id), world.charged()) == ("captured", 10_000)
    assert (world.shop.balance(PENDING), world.shop.balance("C:UNSWEPT:CNY")) == (9_940, 60)
    assert world.shop.refund(payment_id, 10_000)["state"] == "processing"
    await world.finish()
    assert (world.state(payment_id), world.charged()) == ("refunded", 0)
    world.check_quiet()


async def test_without_a_channel_a_refund_is_refused_before_anything_moves(
    world: ChannelWorld,
) -> None:
    payment_id = await paid(world)
    rules = world.shop.rules
    world.shop.rules = replace(rules, routing=Routing())
    refused = world.shop.refund(payment_id, 3_000)
    assert (refused["state"], refused["error"]["code"]) == ("failed", "channel_unavailable")
    assert (world.shop.balance(PENDING), world.shop.balance("C:REFUND:CNY")) == (9_940, 0)
    world.shop.rules = rules
    assert world.shop.refund(payment_id, 10_000)["state"] == "processing"
    await world.finish()
    world.check_quiet()


async def test_refunds_under_way_count_as_given_back(world: ChannelWorld) -> None:
    payment_id = await paid(world)
    assert world.shop.refund(payment_id, 6_000)["state"] == "processing"
    above = world.shop.refund(payment_id, 4_001)
    assert (above["state"], above["error"]["code"]) == ("failed", "refund_exceeds")
    assert world.shop.refund(payment_id, 4_000)["state"] == "processing"
    reversed_now = world.shop.ask("payment.reverse", {"payment_id": payment_id})
    assert reversed_now["error"]["code"] == "payment_state"
    await world.finish()
    assert (world.state(payment_id), world.charged()) == ("refunded", 0)
    world.check_quiet()


async def test_fifty_parts_return_the_whole_fee_and_the_fifty_first_is_one_too_many(
    world: ChannelWorld,
) -> None:
    """Part of them under way at once, one of them refused and given again."""
    payment_id = await paid(world)
    for number in range(49):
        if number == 20:
            world.card.refuses = 1
        assert world.shop.refund(payment_id, 200)["state"] == "processing"
        if number % 5 == 0:
            await world.runner.run_due()
    await world.finish()
    assert world.charged() == 10_000 - 48 * 200
    assert world.shop.refund(payment_id, 200)["state"] == "processing"
    assert world.shop.refund(payment_id, 199)["state"] == "processing"
    beyond = world.shop.refund(payment_id, 1)
    assert beyond["error"]["code"] == "refund_count_exceeded"
    await world.finish()
    [row] = world.shop.rows("SELECT * FROM payment")
    assert (row["refund_count"], row["refunded_minor"], row["refunding_minor"]) == (50, 9_999, 0)
    assert row["fee_returned_minor"] == 60
    assert world.shop.balance("C:UNSWEPT:CNY") == 0
    world.check_quiet()


async def test_a_refund_whose_answer_is_lost_is_found_and_one_that_is_lost_is_sent_again(
    world: ChannelWorld,
) -> None:
    payment_id = await paid(world)
    for mishap in ("silent", "lost"):
        refund = world.shop.refund(payment_id, 1_000)
        world.card.mishaps = [mishap]
        await world.runner.run_due()
        assert refund_state(world, refund["refund_id"])["state"] == "processing"
        await world.wait(seconds=5)
        assert refund_state(world, refund["refund_id"])["state"] == "succeeded"
    assert world.charged() == 8_000
    world.check_quiet()


async def test_a_refund_is_never_given_up_however_long_the_channel_is_silent(
    world: ChannelWorld,
) -> None:
    payment_id = await paid(world)
    refund = world.shop.refund(payment_id, 1_000)
    world.card.mishaps = ["lost"] * 60
    for _ in range(20):
        await world.wait(seconds=60)
    assert refund_state(world, refund["refund_id"])["state"] == "processing"
    world.card.mishaps = []
    await world.finish()
    assert refund_state(world, refund["refund_id"])["state"] == "succeeded"
    world.check_quiet()


async def test_a_repeated_refund_request_gives_back_once(world: ChannelWorld) -> None:
    payment_id = await paid(world)
    body = {
        "refund_id": world.shop.id("rfd"),
        "payment_id": payment_id,
        "amount_minor": 2_500,
        "currency": "CNY",
        "till": "till-1",
    }
    assert world.shop.ask("refund.create", body)["state"] == "processing"
    assert world.shop.ask("refund.create", body)["state"] == "processing"
    await world.finish()
    assert world.shop.ask("refund.create", body)["state"] == "succeeded"
    assert world.charged() == 7_500
    world.check_quiet()


async def test_a_refused_refund_drawn_from_many_sub_accounts_goes_back_to_each(
    world: ChannelWorld,
) -> None:
    """More legs than are read back at first."""
    shop = world.shop
    shop.do(ChangeMerchant(merchant_id=MERCHANT, pending_shards=16))
    payment_id = await paid(world, 50_000)
    own = f"C:MPEND:{shop.rows('SELECT * FROM payment')[0]['pending_owner']}:CNY"
    event = Event(shop.id("pyo"), "CNY", "2026-09-30")
    parts = [(own.split(":")[2], shop.balance(own))]
    shop.do(
        Post(
            merchant_settled(
                event, merchant_id=MERCHANT, amount_minor=parts[0][1], shards_minor=parts
            )
        )
    )
    shop.do(
        Post(
            payout_instructed(
                Event(shop.id("pyo"), "CNY", "2026-09-30"),
                merchant_id=MERCHANT,
                amount_minor=parts[0][1],
            )
        )
    )
    other = shop.add_payer(balance_minor=1_000_000)
    while len(pending := _pending(world)) < 14:
        shop.pay(other, 1_000)
    refund = shop.refund(payment_id, sum(pending.values()))
    assert refund["state"] == "processing"
    legs = shop.rows("SELECT id FROM ledger_transfer WHERE rule = 'channel_refund_started'")
    assert len(legs) > LEGS_READ_BACK_FIRST
    world.card.refuses = 1
    await world.finish()
    assert refund_state(world, refund["refund_id"])["state"] == "failed"
    assert _pending(world) == pending
    world.check_quiet()


def _pending(world: ChannelWorld) -> dict[str, int]:
    rows = world.shop.rows(
        "SELECT owner, credits_posted - debits_posted AS held FROM ledger_account"
        " WHERE code = 'MPEND'"
    )
    return {row["owner"]: row["held"] for row in rows if row["held"]}
