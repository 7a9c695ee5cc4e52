"""Paying from a money-market fund: redeemed, advanced by its bank the same day, repaid on T+1."""

from dataclasses import replace

import pytest

from backend.channels.model import FUND
from protocol.money import Money
from tests.support.channel_world import ChannelWorld
from tests.support.shop import MERCHANT

pytestmark = pytest.mark.asyncio
DUE = "C:CH:ADVBANK.2026-11-23:CNY"


async def test_the_bank_advances_and_the_fund_s_debt_to_it_is_memo_only(
    world: ChannelWorld,
) -> None:
    paid = world.shop.pay(world.fund_payer(), 10_000)
    assert paid["state"] == "processing"
    await world.finish()
    assert world.state(paid["payment_id"]) == "captured"
    assert world.charged("FUND-1") == 10_000
    assert world.shop.balance(DUE) == 10_000
    assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 9_940
    assert world.shop.balance("M:FUND_OWED:ADVBANK.2026-11-23:CNY") == 10_000
    world.check_quiet()


async def test_the_fund_is_refunded_and_reversed_as_a_card_is(world: ChannelWorld) -> None:
    payer = world.fund_payer()
    first, second = (world.shop.pay(payer, 10_000)["payment_id"] for _ in range(2))
    await world.finish()
    assert world.shop.refund(first, 4_000)["state"] == "processing"
    world.shop.ask("payment.reverse", {"payment_id": second})
    await world.finish()
    assert world.charged("FUND-1") == 6_000
    assert world.shop.balance(DUE) == 6_000
    world.check_quiet()


async def test_with_the_switch_on_we_advance_from_own_money_instead_of_the_bank(
    world: ChannelWorld,
) -> None:
    payer = world.fund_payer()
    world.shop.rules = replace(world.shop.rules, has_own_advance=True)
    first, second, third = (world.shop.pay(payer, 10_000)["payment_id"] for _ in range(3))
    await world.finish()
    assert world.charged("FUND-1") == 30_000
    assert world.shop.balance(DUE) == world.shop.balance("M:FUND_OWED:ADVBANK.2026-11-23:CNY") == 0
    for account in ("C:OWN_DUE:CNY", "O:OWN_PAYABLE:CNY", "O:ADVANCE:CNY"):
        assert world.shop.balance(account) == 30_000
    assert world.shop.refund(first, 4_000)["state"] == "processing"
    world.shop.ask("payment.reverse", {"payment_id": second})
    await world.finish()
    world.channels[FUND].close_early(world.channels[FUND].day())
    world.shop.ask("payment.reverse", {"payment_id": third})
    await world.runner.run_due()
    assert world.shop.balance("C:LONG:CNY") == 10_000
    await world.finish()
    assert world.charged("FUND-1") == 6_000
    for account in ("C:OWN_DUE:CNY", "O:OWN_PAYABLE:CNY", "O:ADVANCE:CNY"):
        assert world.shop.balance(account) == 6_000
    world.check_quiet()


async def test_the_fund_redeems_no_more_than_its_daily_limit(world: ChannelWorld) -> None:
    """10,000 yuan an investor and day; the next day there is as much again."""
    world.bank.move(
        "GIFT", "BANK-VAULT", "FUND-1", Money(2_000_000, "CNY"), world.fund.day(), "units"
    )
    payer = world.fund_payer()
    for _ in range(10):
        world.shop.pay(payer, 100_000)
        await world.finish()
        world.shop.clock.at_ms += 61_000  # below the risk rules' velocity
    assert world.charged("FUND-1") + 2_000_000 == 1_000_000
    above = world.shop.pay(payer, 1)["payment_id"]
    await world.finish()
    found = world.shop.ask("payment.query", {"payment_id": above})
    assert (found["state"], found["error"]["code"]) == ("declined", "payer_limit_day")
    world.shop.clock.at_ms += 86_400_000
    assert world.shop.pay(payer, 1)["state"] == "processing"
    await world.finish()
    assert world.charged("FUND-1") + 2_000_000 == 1_000_001
