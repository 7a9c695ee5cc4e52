"""A day on which payers take money out: the channel's net tells the reserve, and the day closes."""

from datetime import date

import pytest

from backend.channels.model import CUP, NUCC
from backend.withdrawals.service import OrderWithdrawal
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import World
from tests.support.institutions import RESERVE
from tests.support.shop import MERCHANT
from tests.unit.clearing.conftest import pay, pays_with

pytestmark = pytest.mark.asyncio
DAY = date(2026, 11, 23)


async def withdraw(world: World, payer_id: str, minor: int) -> None:
    [row] = world.shop.rows(f"SELECT instrument_id FROM instrument WHERE payer_id = '{payer_id}'")
    order = OrderWithdrawal(
        withdrawal_id=world.shop.id("wdr"),
        payer_id=payer_id,
        instrument_id=row["instrument_id"],
        amount=Money(minor, "CNY"),
        rules=world.shop.rules,
    )
    world.shop.do(order)
    await world.runner.settle(date.max)


async def test_what_went_out_is_netted_with_what_came_in(channel_world: World) -> None:
    world = channel_world
    payer = pays_with(world, "card", CARD_TOKEN)
    assert await world.fund(payer, 9_000) == "succeeded"
    await withdraw(world, payer, 2_500)
    assert world.shop.balance("C:RESERVE:CNY") == 0
    world.next_day()
    report = await world.day_end.run(DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert report["channels"][NUCC] == 6_500
    assert world.at_bank(RESERVE) == world.shop.balance("C:RESERVE:CNY") == 6_500
    assert world.shop.payer_balance(payer) == 6_500
    assert world.shop.verify().is_whole


async def test_a_day_on_which_more_went_out_than_came_in_pulls_from_the_reserve(
    channel_world: World,
) -> None:
    world = channel_world
    payer = pays_with(world, "card", CARD_TOKEN)
    assert await world.fund(payer, 9_000) == "succeeded"
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"
    await withdraw(world, payer, 4_000)
    world.next_day()
    report = await world.day_end.run(date(2026, 11, 24))
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert report["channels"][NUCC] == -4_000
    assert world.at_bank(RESERVE) == world.shop.balance("C:RESERVE:CNY") == 5_000
    assert world.shop.verify().is_whole


async def test_a_payment_that_went_on_to_the_other_channel_is_settled_by_that_one(
    channel_world: World,
) -> None:
    world = channel_world
    world.channels[CUP].book.bind(CARD_TOKEN, "CARD-1")
    payer = world.shop.add_payer()
    world.shop.add_instrument(payer, "card", token=CARD_TOKEN, channels=(NUCC, CUP))
    world.channels[NUCC].mishaps = ["unsent"]
    await pay(world, payer, 10_000)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert (report["channels"][NUCC], report["channels"][CUP]) == (0, 10_000)
    assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 0
    assert world.shop.verify().is_whole
