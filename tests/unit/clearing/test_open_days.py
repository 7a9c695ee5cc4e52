"""A day on which anything moved is closed before a later one, and nothing is moved twice."""

from collections.abc import Awaitable, Callable
from datetime import date

import pytest

from backend.channels.model import NUCC
from backend.disputes.model import DisputeCommand
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import World
from tests.support.disputes import decide, dispute
from tests.support.institutions import OWN
from tests.unit.clearing.conftest import nets_union_of, pay, pays_with

pytestmark = pytest.mark.asyncio
DAY, NEXT_DAY, THIRD_DAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)


async def top_up(world: World) -> None:
    await world.payer(5_000)


async def refund_to_a_balance(world: World) -> None:
    row = world.shop.rows("SELECT payment_id FROM payment WHERE funding = 'balance'")[0]
    world.shop.refund(row["payment_id"], 500)


async def refund_to_a_card(world: World) -> None:
    row = world.shop.rows("SELECT payment_id FROM payment WHERE funding = 'card'")[0]
    world.shop.refund(row["payment_id"], 500)
    await world.runner.settle(date.max)


async def lose_a_dispute(world: World) -> None:
    row = world.shop.rows("SELECT payment_id FROM payment WHERE funding = 'card'")[0]
    case, amount = dispute(world.shop, row["payment_id"], 500), Money(500, "CNY")
    book = world.channels[NUCC].book
    book.charge_back(str(case["dispute_id"]), row["payment_id"], amount, day=NEXT_DAY)
    decide(world.shop, case, DisputeCommand.LOSE, NEXT_DAY.isoformat())


def give_us_money(world: World) -> None:
    world.near.bank.move("CAPITAL", "BANK-VAULT", OWN, Money(9_000, "CNY"), DAY, "capital")


async def check_must_be_closed(world: World, day: date, later: date) -> None:
    with pytest.raises(CallerError, match="day_not_closed") as caught:
        await world.day_end.run(later)
    assert day.isoformat() in caught.value.detail


@pytest.mark.parametrize("happens", [top_up, refund_to_a_balance, refund_to_a_card, lose_a_dispute])
async def test_a_day_without_a_payment_must_be_closed_when_anything_moved_on_it(
    channel_world: World, happens: Callable[[World], Awaitable[None]]
) -> None:
    world = channel_world
    give_us_money(world)
    world.sell(await world.payer(5_000), 1_000)
    await pay(world, pays_with(world, "card", CARD_TOKEN), 1_000)
    world.next_day()
    world.near.world.faults.arm({"reject_payout": 1})
    assert (await world.day_end.run(DAY))["state"] == "closed"
    await happens(world)
    world.next_day()
    world.next_day()
    await check_must_be_closed(world, NEXT_DAY, THIRD_DAY)
    for day in (NEXT_DAY, THIRD_DAY):
        assert (await world.day_end.run(day))["state"] == "closed"


async def test_own_money_on_its_way_is_not_sent_again_with_a_later_day(
    channel_world: World,
) -> None:
    """A coupon on a day without payments; the bank hears of its move a day late."""
    world = channel_world
    give_us_money(world)
    world.give_coupon(300)
    world.next_day()
    world.near.deaf = 9
    assert (await world.day_end.run(DAY))["state"] == "open"
    world.next_day()
    await check_must_be_closed(world, DAY, NEXT_DAY)
    world.near.deaf = 0
    for day in (DAY, NEXT_DAY):
        assert (await world.day_end.run(day))["state"] == "closed"
    assert world.at_bank(OWN) == 9_000 - 300
    assert world.shop.balance("C:OWN_DUE:CNY") == 0


async def test_fees_on_their_way_back_are_not_sent_again_with_an_earlier_day_s_run(
    channel_world: World,
) -> None:
    world = channel_world
    paid = world.sell(await world.payer(50_000), 10_000)
    world.next_day()
    world.near.world.faults.arm({"reject_payout": 1})
    assert (await world.day_end.run(DAY))["swept_minor"] == 60
    world.shop.refund(paid, 9_000)
    world.next_day()
    world.near.deaf = 9
    assert (await world.day_end.run(NEXT_DAY))["state"] == "open"
    await world.day_end.run(DAY)
    world.near.deaf = 0
    for day, swept_minor in ((DAY, 60), (NEXT_DAY, -54)):
        report = await world.day_end.run(day)
        assert (report["state"], report["swept_minor"]) == ("closed", swept_minor)
    moves = world.shop.rows("SELECT business_date, amount_minor FROM own_move ORDER BY 1, number")
    assert [row["amount_minor"] for row in moves] == [60, -54]
    assert world.at_bank(OWN) == 6


async def test_the_report_shows_what_a_channel_paid_for_nobody_and_will_not_take_back(
    channel_world: World,
) -> None:
    world = channel_world
    world.shop.clock.at_ms += 10 * 3_600_000 + 1_800_000  # 22:30
    payment_id = await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    world.shop.clock.at_ms += 4_200_000
    card = nets_union_of(world)
    card.close_early(DAY)
    card.clearing.house.faults.arm({"delay_past_cutoff": 2})
    card.refuses = 1
    world.shop.ask("payment.reverse", {"payment_id": payment_id})
    await world.runner.settle(date.max)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert report["long_minor"] == world.shop.balance("C:LONG:CNY") == 10_000
