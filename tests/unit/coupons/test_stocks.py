"""A merchant's coupon and a card pay together: whatever the channel says, the books are exact."""

import pytest

from backend.coupons.stocks.limits import RETRY_MS
from backend.payments.expiry import end_stocks, expire_coupons
from tests.support.channel_world import ChannelWorld
from tests.support.coupons import own_money, state_of, stocked
from tests.support.disputes import pay_out, settle
from tests.support.shop import MERCHANT
from tests.support.wallet_http import services_of

pytestmark = pytest.mark.asyncio
PENDING, AVAILABLE = f"C:MPEND:{MERCHANT}:CNY", f"C:MAVAIL:{MERCHANT}:CNY"


def with_money(world: ChannelWorld) -> None:
    """The merchant has 3.00 that are settled."""
    world.shop.pay(world.shop.add_payer(balance_minor=302), 302)
    settle(world.shop)
    assert world.shop.balance(AVAILABLE) == 300


async def test_the_stock_pays_when_the_channel_has_and_is_whole_after_a_decline(
    world: ChannelWorld,
) -> None:
    with_money(world)
    payer = world.card_payer()
    stock_id, coupon = stocked(world.shop, payer, 300)
    stock = f"C:STOCK:{stock_id}:CNY"
    world.card.refuses = 1
    world.shop.pay(payer, 10_000)
    await world.finish()
    assert (world.shop.balance(stock), state_of(world.shop, coupon)) == (300, "issued")
    paid = world.shop.pay(payer, 10_000)
    assert world.shop.balance(stock) == 300
    await world.finish()
    assert (world.charged(), world.shop.balance(stock)) == (9_700, 0)
    assert (world.shop.balance(PENDING), own_money(world.shop)) == (10_000 - 60, (0, 0, 0))
    world.shop.ask("payment.reverse", {"payment_id": paid["payment_id"]})
    await world.finish()
    assert (world.shop.balance(stock), world.shop.balance(PENDING)) == (300, 0)
    assert (own_money(world.shop), state_of(world.shop, coupon)) == ((0, 0, 0), "issued")
    world.check_quiet()


async def test_a_refund_that_the_bank_refuses_is_undone_whatever_the_merchant_has_left(
    world: ChannelWorld,
) -> None:
    with_money(world)
    payer = world.card_payer()
    stocked(world.shop, payer, 300)
    paid = world.shop.pay(payer, 1_000)
    await world.finish()
    before = world.shop.balance(PENDING)
    world.card.refuses = 1
    refund = world.shop.refund(paid["payment_id"], 500)
    assert world.shop.balance(PENDING) == before - 350 + 3  # the payer's part, and the fee back
    pay_out(world.shop)
    await world.finish()
    assert world.shop.ask("refund.query", {"refund_id": refund["refund_id"]})["state"] == "failed"
    assert (world.shop.balance(PENDING), own_money(world.shop)) == (before, (0, 0, 0))
    assert world.shop.refund(paid["payment_id"], 1_000)["state"] == "processing"
    await world.finish()
    assert (world.charged(), own_money(world.shop)) == (0, (0, 0, 0))
    assert world.shop.balance(PENDING) == 300
    world.check_quiet()


@pytest.mark.parametrize(("refuses", "left"), [(0, 0), (1, 300)])
async def test_a_stock_waits_for_a_payment_that_is_still_under_way(
    world: ChannelWorld, refuses: int, left: int
) -> None:
    with_money(world)
    world.card.refuses = refuses
    payer, shop = world.card_payer(), world.shop
    stock_id, _ = stocked(shop, payer, 300, life_ms=10)
    shop.pay(payer, 10_000)
    shop.clock.at_ms += 10
    services = services_of(shop)
    await expire_coupons(services)
    assert await end_stocks(services) == 1
    assert shop.balance(f"C:STOCK:{stock_id}:CNY") == 300
    assert shop.rows("SELECT state FROM coupon_stock") == [{"state": "stopped"}]
    assert await end_stocks(services) == 0  # not looked at again at once
    await world.finish()
    assert (shop.balance(f"C:STOCK:{stock_id}:CNY"), shop.balance(AVAILABLE)) == (left, 0)
    shop.clock.at_ms += RETRY_MS
    assert await end_stocks(services) == 1
    assert (shop.balance(f"C:STOCK:{stock_id}:CNY"), shop.balance(AVAILABLE)) == (0, left)
    world.check_quiet()
