"""Money that a channel has not paid yet is nobody's to be paid out of."""

import contextlib
import random
from datetime import date

import pytest

from backend.channels.model import NUCC
from tests.support.channel_world import CARD_TOKEN
from tests.support.clearing import DAY_MS, World
from tests.support.institutions import RESERVE
from tests.support.shop import MERCHANT
from tests.unit.clearing.conftest import nets_union_of, pays_with

pytestmark = pytest.mark.asyncio
DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
PAYOUT_ACCOUNT = "6222000000001234"
HALF_PAST_23_MS = 11 * 3_600_000 + 1_800_000
"""From noon."""


async def sell_by_card(
    world: World, payer: str, amount_minor: int, merchant_id: str = MERCHANT
) -> str:
    shop = world.shop
    body = shop.create_body(
        "pay_code", amount_minor, pay_code=shop.code(payer), merchant_id=merchant_id
    )
    answer = shop.ask("payment.create", body, merchant_id=merchant_id)
    await world.runner.settle(date.max)
    return str(answer["payment_id"])


async def test_what_was_sold_after_the_channel_s_cut_off_is_paid_out_with_its_own_day(
    channel_world: World,
) -> None:
    """100 by card at noon; at 23:30 50 by card, of which 10 go back, and 20 from a balance. What
    is done by card then, the clearing house books after its midnight."""
    world, shop = channel_world, channel_world.shop
    payer, balance = pays_with(world, "card", CARD_TOKEN), shop.add_payer()
    assert await world.fund(balance, 2_000) == "succeeded"
    await sell_by_card(world, payer, 10_000)
    shop.clock.at_ms += HALF_PAST_23_MS
    nets_union_of(world).clearing.house.faults.arm({"delay_past_cutoff": 2})
    late = await sell_by_card(world, payer, 5_000)
    shop.refund(late, 1_000)
    await world.runner.settle(date.max)
    world.sell(balance, 2_000)
    shop.clock.at_ms += DAY_MS - HALF_PAST_23_MS
    for _ in range(2):
        report = await world.day_end.run(DAY)
        assert report["state"] == "closed"
        assert [(p["amount_minor"], p["state"]) for p in report["payouts"]] == [
            (12_000 - 72, "confirmed")
        ]
    standing = await world.standing()
    assert (standing["pending_minor"], standing["unpaid_minor"]) == (4_000 - 24, 4_000 - 24)
    assert (standing["due_minor"], standing["waiting"]) == (0, [])
    world.next_day()
    for _ in range(2):
        report = await world.day_end.run(NEXT_DAY)
        assert (report["state"], report["channels"]["NUCC"]) == ("closed", 4_000)
        assert [p["amount_minor"] for p in report["payouts"]] == [4_000 - 24]
    assert world.at_bank(PAYOUT_ACCOUNT) == 16_000 - 96
    assert (await world.standing())["pending_minor"] == world.at_bank(RESERVE) == 0
    assert shop.verify().is_whole


async def test_a_merchant_paid_within_the_day_gets_its_cards_money_when_the_channel_has_paid(
    channel_world: World,
) -> None:
    world = channel_world
    account = world.add_merchant("mch_d0", "D+0")
    balance = await world.payer_since_yesterday(50_000)
    await sell_by_card(world, pays_with(world, "card", CARD_TOKEN), 10_000, "mch_d0")
    world.sell(balance, 2_000, "mch_d0")
    for _ in range(2):
        await world.day_end.run_within()
        assert world.at_bank(account) == 2_000 - 12
        assert world.at_bank(RESERVE) == 48_000 + 12
    standing = await world.standing("mch_d0")
    assert (standing["due_minor"], standing["unpaid_minor"]) == (0, 10_000 - 60)
    world.next_day()
    assert (await world.day_end.run(NEXT_DAY))["state"] == "closed"
    assert world.at_bank(account) == 12_000 - 72
    assert world.at_bank(RESERVE) == 48_000


async def test_a_channel_that_pays_late_is_waited_for_and_the_day_run_again_pays_the_rest(
    channel_world: World,
) -> None:
    """The bank has not booked the card's settlement when the day's first run asks for it."""
    world = channel_world
    channel = world.channels[NUCC]
    balance = await world.payer_since_yesterday(50_000)
    await sell_by_card(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    world.sell(balance, 2_000)
    world.next_day()
    settle = channel.settle

    async def not_yet(day: date) -> None:
        return None

    channel.settle = not_yet  # type: ignore[method-assign]
    report = await world.day_end.run(NEXT_DAY)
    assert (report["state"], world.at_bank(PAYOUT_ACCOUNT)) == ("open", 2_000 - 12)
    channel.settle = settle  # type: ignore[method-assign]
    for _ in range(2):
        report = await world.day_end.run(NEXT_DAY)
        assert (report["state"], world.at_bank(PAYOUT_ACCOUNT)) == ("closed", 12_000 - 72)
    assert world.shop.verify().is_whole


async def test_no_payout_of_random_days_is_paid_with_money_that_is_not_there(
    channel_world: World,
) -> None:
    """Sales at any hour, by card and balance, to merchants of every cycle; runs die. The bank never
    rejects, and at the end everybody has got everything."""
    world, dice = channel_world, random.Random(20261128)
    merchants = {name: world.add_merchant(name, cycle)
                 for name, cycle in (("m0", "D+0"), ("m1", "D+1"), ("mt", "T+1"))}  # fmt: skip
    world.near.open("CARD-9", 10_000_000)
    world.channels[NUCC].book.bind("tok_deep_pockets", "CARD-9")
    payer = pays_with(world, "card", "tok_deep_pockets")
    balance = await world.payer_since_yesterday(500_000)
    sold: list[str] = []
    for _ in range(4):
        today, noon_ms = world.today, world.shop.clock.at_ms
        for hour in sorted(dice.sample(range(12), 3)):
            world.shop.clock.at_ms = noon_ms + hour * 3_600_000 + 1_800_000
            name, amount_minor = dice.choice(list(merchants)), dice.randrange(100, 9_000)
            if dice.random() < 0.6:
                sold.append(await sell_by_card(world, payer, amount_minor, name))
            else:
                world.sell(balance, amount_minor, name)
            if dice.random() < 0.3:
                await world.day_end.run_within()
        world.shop.clock.at_ms = noon_ms + DAY_MS
        world.killed_after = dice.randrange(1, 12)
        with contextlib.suppress(KeyboardInterrupt):
            await world.day_end.run(today)
        world.killed_after = None
        assert (await world.day_end.run(today))["state"] == "closed"
    for _ in range(2):
        today = world.today
        world.next_day()
        assert (await world.day_end.run(today))["state"] == "closed"
    assert sold
    assert {row["state"] for row in world.shop.rows("SELECT state FROM payout")} == {"confirmed"}
    for name in merchants:
        assert world.shop.balance(f"C:MPEND:{name}:CNY") == 0
        assert world.shop.balance(f"C:MAVAIL:{name}:CNY") == 0
    assert world.shop.verify().is_whole
