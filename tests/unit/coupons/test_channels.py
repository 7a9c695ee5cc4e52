"""A coupon and a card (or fund) pay together: the channel is asked for the payer's part only."""

import pytest

from tests.support.channel_world import ChannelWorld
from tests.support.coupons import DAY_MS, choose, events_of, own_money, state_of
from tests.support.shop import MERCHANT

pytestmark = pytest.mark.asyncio
PENDING = f"C:MPEND:{MERCHANT}:CNY"


@pytest.mark.parametrize("kind", ["card", "fund"])
async def test_the_channel_is_asked_for_what_the_coupon_does_not_pay(
    world: ChannelWorld, kind: str
) -> None:
    payer = world.card_payer() if kind == "card" else world.fund_payer()
    coupon = choose(world.shop, payer, 300)
    paid = world.shop.pay(payer, 10_000)
    assert (paid["state"], state_of(world.shop, coupon)) == ("processing", "used")
    await world.finish()
    after = world.shop.ask("payment.query", {"payment_id": paid["payment_id"]})
    assert (after["state"], after["coupon_minor"]) == ("captured", 300)
    assert world.charged("CARD-1" if kind == "card" else "FUND-1") == 9_700
    assert world.shop.balance(PENDING) == 10_000 - 60
    assert own_money(world.shop) == (300, 300, 300)
    world.check_quiet()


async def test_a_declined_payment_gives_the_coupon_back(world: ChannelWorld) -> None:
    payer = world.card_payer()
    coupon = choose(world.shop, payer, 300)
    world.card.refuses = 1
    declined = world.shop.pay(payer, 10_000)
    await world.finish()
    assert world.state(declined["payment_id"]) == "declined"
    assert own_money(world.shop) == (0, 0, 0)
    assert world.shop.pay(payer, 10_000)["state"] == "processing"
    assert events_of(world.shop, coupon) == ["Issued", "Used", "Returned", "Used"]
    await world.finish()
    assert world.charged() == 9_700
    world.check_quiet()


async def test_a_decline_after_its_time_is_over_lets_it_expire(world: ChannelWorld) -> None:
    payer = world.card_payer()
    coupon = choose(world.shop, payer, 300, valid_until_ms=world.shop.clock.at_ms + 10)
    world.card.refuses = 1
    world.shop.pay(payer, 10_000)
    await world.wait()
    assert events_of(world.shop, coupon) == ["Issued", "Used", "Returned", "Expired"]
    world.check_quiet()


@pytest.mark.parametrize("is_sent", [False, True])
async def test_giving_up_under_way_returns_it_at_once_and_once(
    world: ChannelWorld, is_sent: bool
) -> None:
    payer = world.card_payer()
    coupon = choose(world.shop, payer, 300, valid_until_ms=world.shop.clock.at_ms + 30 * DAY_MS)
    paid = world.shop.pay(payer, 10_000)
    if is_sent:
        world.card.mishaps = ["silent"]
        await world.runner.run_due()
    world.shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    assert state_of(world.shop, coupon) == "issued"
    await world.finish()
    assert events_of(world.shop, coupon) == ["Issued", "Used", "Returned"]
    assert (world.charged(), own_money(world.shop)) == (0, (0, 0, 0))
    world.check_quiet()


async def test_undoing_a_captured_card_payment_undoes_the_coupon_s_legs(
    world: ChannelWorld,
) -> None:
    payer = world.card_payer()
    coupon = choose(world.shop, payer, 300)
    paid = world.shop.pay(payer, 10_000)
    await world.finish()
    world.shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    await world.finish()
    assert (world.charged(), world.shop.balance(PENDING)) == (0, 0)
    assert own_money(world.shop) == (0, 0, 0)
    assert state_of(world.shop, coupon) == "issued"
    world.check_quiet()


async def test_a_coupon_that_pays_all_asks_no_channel(world: ChannelWorld) -> None:
    payer = world.card_payer()
    choose(world.shop, payer, 1_000)
    paid = world.shop.pay(payer, 1_000)
    assert (paid["state"], paid["coupon_minor"]) == ("captured", 1_000)
    assert world.sagas(paid["payment_id"]) == {}
    assert world.shop.rows("SELECT funding FROM payment") == [{"funding": "balance"}]
    refunded = world.shop.refund(paid["payment_id"], 1_000)
    assert (refunded["state"], own_money(world.shop)) == ("succeeded", (0, 0, 0))
    world.check_quiet()


async def test_a_refund_through_the_channel_is_the_payer_s_part_only(world: ChannelWorld) -> None:
    payer = world.card_payer()
    coupon = choose(world.shop, payer, 2_500)
    paid = world.shop.pay(payer, 10_000)
    await world.finish()
    refund = world.shop.refund(paid["payment_id"], 4_000)
    assert world.shop.balance("C:REFUND:CNY") == 3_000
    await world.finish()
    assert world.charged() == 7_500 - 3_000
    assert own_money(world.shop) == (1_500, 1_500, 1_500)
    assert world.shop.ask("refund.query", {"refund_id": refund["refund_id"]})["state"] == (
        "succeeded"
    )
    world.shop.refund(paid["payment_id"], 6_000)
    await world.finish()
    assert (world.charged(), own_money(world.shop)) == (0, (0, 0, 0))
    assert world.shop.balance("C:UNSWEPT:CNY") == world.shop.balance(PENDING) == 0
    assert state_of(world.shop, coupon) == "used"  # a refund does not bring it back
    world.check_quiet()


async def test_refused_refunds_and_a_part_too_small_for_the_payer_keep_the_sums_exact(
    world: ChannelWorld,
) -> None:
    """The payer paid 1 of 1,000: only the part that reaches the half of it is the channel's."""
    payer = world.card_payer()
    choose(world.shop, payer, 999)
    payment_id = world.shop.pay(payer, 1_000)["payment_id"]
    await world.finish()
    assert world.shop.refund(payment_id, 499)["state"] == "succeeded"  # all of it the coupon's
    world.card.refuses = 1
    assert world.shop.refund(payment_id, 1)["state"] == "processing"
    assert world.shop.refund(payment_id, 100)["state"] == "succeeded"
    await world.finish()
    [row] = world.shop.rows("SELECT * FROM payment")
    assert (row["refunded_minor"], row["refunding_minor"]) == (599, 0)
    assert row["coupon_returned_minor"] == 599
    assert world.charged() == 1
    assert world.shop.refund(payment_id, 401)["state"] == "processing"
    await world.finish()
    assert (world.charged(), own_money(world.shop)) == (0, (0, 0, 0))
    world.check_quiet()
