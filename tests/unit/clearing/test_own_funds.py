"""Own money that we promised clients: it reaches the reserve before the day is closed, and back."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from backend.ledger import rules
from protocol.money import Money
from tests.support.books import Post
from tests.support.clearing import World, clearing_world
from tests.support.institutions import OWN, RESERVE
from tests.support.shop import MERCHANT

DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
SHOP_ACCOUNT = "6222000000001234"
OWN_DUE, OWN_PAYABLE = "C:OWN_DUE:CNY", "O:OWN_PAYABLE:CNY"


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url) as found:
        yield found


def give_us_money(world: World, amount_minor: int) -> None:
    bank, day = world.near.bank, world.near.world.today()
    bank.move(f"CAPITAL-{world.shop.id('evt')}", "BANK-VAULT", OWN,
               Money(amount_minor, "CNY"), day, "capital")  # fmt: skip


def check_kept(world: World, report: dict[str, Any], amount_minor: int) -> None:
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0), report
    assert report["own_funds_minor"] == amount_minor
    assert world.shop.balance(OWN_DUE) == world.shop.balance(OWN_PAYABLE) == 0
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_a_coupons_money_is_in_the_reserve_before_its_merchant_is_paid(
    migrated_url: str,
) -> None:
    """Nobody else has money there: without ours the bank could not pay the merchant."""
    with clearing_world(migrated_url) as world:
        give_us_money(world, 1_000)
        world.give_coupon(300)
        assert world.shop.balance(OWN_DUE) == world.shop.balance(OWN_PAYABLE) == 300
        world.next_day()
        report = await world.day_end.run(DAY)
        check_kept(world, report, 300)
        assert [payout["state"] for payout in report["payouts"]] == ["confirmed"]
        assert (world.at_bank(SHOP_ACCOUNT), world.at_bank(OWN)) == (300, 700)
        assert world.at_bank(RESERVE) == 0
        assert world.shop.balance("O:PROMO:CNY") == 300
        assert world.shop.balance("O:OWN:CNY") == -300


@pytest.mark.asyncio
async def test_fees_and_own_funds_are_two_movements_of_a_day(world: World) -> None:
    give_us_money(world, 1_000)
    world.sell(await world.payer(), 10_000)
    world.give_coupon(500)
    world.next_day()
    report = await world.day_end.run(DAY)
    check_kept(world, report, 500)
    assert report["swept_minor"] == 60
    assert {move["kind"]: move["amount_minor"] for move in report["own_moves"]} == {
        "own_funds": -500, "fees": 60,
    }  # fmt: skip
    assert world.at_bank(OWN) == 1_000 - 500 + 60
    again = await world.day_end.run(DAY)
    assert again["own_moves"] == report["own_moves"]
    assert world.at_bank(OWN) == 560


@pytest.mark.asyncio
async def test_without_own_money_the_day_stays_open_until_there_is_some(world: World) -> None:
    world.sell(await world.payer(), 10_000)
    world.give_coupon(300)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert (report["state"], report["clients_short_minor"]) == ("open", 300)
    assert [(m["state"], m["reason"]) for m in report["own_moves"] if m["kind"] == "own_funds"] == [
        ("rejected", "AM04")
    ]
    give_us_money(world, 1_000)
    report = await world.day_end.run(DAY)
    check_kept(world, report, 300)
    assert report["clients_short_minor"] == 0


@pytest.mark.asyncio
async def test_own_money_whose_answer_is_lost_is_found_on_the_statement(world: World) -> None:
    give_us_money(world, 1_000)
    world.give_coupon(300)
    world.next_day()
    world.near.silent = 1
    check_kept(world, await world.day_end.run(DAY), 300)


@pytest.mark.asyncio
async def test_own_money_that_the_bank_never_heard_of_is_asked_for_again(world: World) -> None:
    give_us_money(world, 1_000)
    world.sell(await world.payer(), 10_000)
    world.give_coupon(300)
    world.next_day()
    world.near.deaf = 1
    report = await world.day_end.run(DAY)
    check_kept(world, report, 300)
    tries = [move["move_id"] for move in report["own_moves"] if move["kind"] == "own_funds"]
    assert len(tries) == 1
    assert world.at_bank(OWN) == 1_000 - 300 + 60


@pytest.mark.asyncio
@pytest.mark.parametrize("commits", range(8))
async def test_the_power_may_be_cut_while_own_money_moves(world: World, commits: int) -> None:
    give_us_money(world, 1_000)
    world.sell(await world.payer(), 10_000)
    world.give_coupon(300)
    world.next_day()
    world.killed_after = commits
    with pytest.raises(KeyboardInterrupt):
        await world.day_end.run(DAY)
    world.killed_after = None
    check_kept(world, await world.day_end.run(DAY), 300)
    assert world.at_bank(SHOP_ACCOUNT) == 10_000 - 60 + 300
    assert world.at_bank(OWN) == 1_000 - 300 + 60


@pytest.mark.asyncio
async def test_a_coupon_of_the_next_day_does_not_keep_a_day_open(world: World) -> None:
    give_us_money(world, 1_000)
    world.sell(await world.payer(), 10_000)
    world.next_day()
    world.give_coupon(300)
    report = await world.day_end.run(DAY)
    assert (report["state"], report["own_funds_minor"]) == ("closed", 0)
    assert world.shop.balance(OWN_DUE) == 300
    world.next_day()
    check_kept(world, await world.day_end.run(NEXT_DAY), 300)


@pytest.mark.asyncio
async def test_what_a_merchant_owes_us_comes_back_before_it_is_paid(world: World) -> None:
    """Rule 16: we covered 500; the next earnings repay it, and the money leaves the reserve."""
    give_us_money(world, 1_000)
    payer = await world.payer()
    event = rules.Event("dsp_1", "CNY", world.today.isoformat())
    opened = rules.dispute_opened(
        event, merchant_id=MERCHANT, case_id="dsp_1", amount_minor=500, cover_minor=500
    )
    world.shop.do(Post(opened))
    world.next_day()
    check_kept(world, await world.day_end.run(DAY), 500)
    world.sell(payer, 10_000)
    world.next_day()
    report = await world.day_end.run(NEXT_DAY)
    check_kept(world, report, -500)
    assert [payout["amount_minor"] for payout in report["payouts"]] == [9_940 - 500]
    assert world.shop.balance(f"O:MERCH_RECV:{MERCHANT}:CNY") == 0
    assert world.at_bank(OWN) == 1_000 + 60
