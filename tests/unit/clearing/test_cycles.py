"""Merchants with D+0, D+1 and T+1 beside each other, over the National Day holiday of 2026."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from backend.clearing import steps
from backend.clearing.calendar import Calendar, YearTable
from backend.ledger.rules import Event, pending_gathered
from backend.merchants.service import ChangeMerchant
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.books import Post
from tests.support.clearing import World, clearing_world, day_end_of
from tests.support.institutions import OWN, RESERVE
from tests.support.shop import MERCHANT

EVE, BACK = date(2026, 9, 30), date(2026, 10, 8)
HOLIDAY = [EVE + timedelta(days=number) for number in range((BACK - EVE).days)]
NET = 994  # of 1,000 at 60 bp
CYCLES = {"same": "D+0", "next": "D+1", "work": "T+1"}


@pytest.fixture
def world(lite_url: str) -> Iterator[World]:
    with clearing_world(lite_url, first_day=EVE) as found:
        yield found


def change_cycle(world: World, merchant_id: str, cycle: str) -> None:
    command = ChangeMerchant(
        merchant_id=merchant_id,
        settlement_cycle=cycle,
        business_date=world.shop.rules.business_date,
    )
    world.shop.do(command)


async def close(world: World, day: date) -> dict[str, Any]:
    report = await world.day_end.run(day)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0), report
    return report


@pytest.mark.asyncio
async def test_over_the_holiday_each_merchant_is_paid_when_its_cycle_says(
    migrated_url: str,
) -> None:
    with clearing_world(migrated_url, first_day=EVE - timedelta(days=1)) as world:
        accounts = {name: world.add_merchant(name, cycle) for name, cycle in CYCLES.items()}
        payer = await world.payer_since_yesterday()
        for number, day in enumerate(HOLIDAY, 1):
            for merchant in CYCLES:
                world.sell(payer, 1_000, merchant)
            await world.day_end.run_within()
            assert world.at_bank(accounts["same"]) == NET * number
            world.next_day()
            await close(world, day)
            assert world.at_bank(accounts["next"]) == NET * number
            is_back = world.today == BACK
            assert world.at_bank(accounts["work"]) == (NET * len(HOLIDAY) if is_back else 0)
        payouts = world.shop.rows("SELECT merchant_id, count(*) AS n FROM payout GROUP BY 1")
        assert {row["merchant_id"]: row["n"] for row in payouts} == {
            "same": 8, "next": 8, "work": 1,
        }  # fmt: skip
        assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_the_standing_says_when_each_business_date_settles(world: World) -> None:
    world.add_merchant("slow", "T+1")
    payer = await world.payer()
    world.sell(payer, 1_000, "slow")
    world.next_day()
    world.sell(payer, 2_000, "slow")
    await close(world, EVE)
    seen = await world.standing("slow")
    assert (seen["pending_minor"], seen["due_minor"], seen["available_minor"]) == (2_982, 0, 0)
    assert seen["waiting"] == [
        {"business_date": "2026-09-30", "earned_minor": 994, "cycle": "T+1",
         "settles_on": "2026-10-08"},
        {"business_date": "2026-10-01", "earned_minor": 1_988, "cycle": "T+1",
         "settles_on": "2026-10-08"},
    ]  # fmt: skip
    world.go_to(BACK)
    for day in HOLIDAY[1:]:
        await world.day_end.run(day)
    seen = await world.standing("slow")
    assert (seen["pending_minor"], seen["waiting"]) == (0, [])
    assert (seen["available_minor"], seen["in_payout_minor"]) == (0, 0)
    assert world.at_bank("BANK-slow") == 2_982
    with pytest.raises(CallerError, match="merchant_unknown"):
        await world.standing("nobody")


@pytest.mark.asyncio
async def test_days_left_out_over_the_holiday_are_closed_late_in_their_order(
    world: World,
) -> None:
    slow, quick = world.add_merchant("slow", "T+1"), world.add_merchant("quick", "D+1")
    payer = await world.payer()
    for _ in HOLIDAY:
        world.sell(payer, 1_000, "slow")
        world.sell(payer, 1_000, "quick")
        world.next_day()
    with pytest.raises(CallerError, match="2026-09-30 must be closed first"):
        await world.day_end.run(HOLIDAY[-1])
    for number, day in enumerate(HOLIDAY, 1):
        await close(world, day)
        assert world.at_bank(slow) == world.at_bank(quick) == NET * number
    again = await close(world, HOLIDAY[-1])
    assert again["merchants_settled"] == 0
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
@pytest.mark.parametrize("commits", range(0, 12, 2))
async def test_a_run_after_the_holiday_may_be_killed_after_any_commit(
    world: World, commits: int
) -> None:
    slow, quick = world.add_merchant("slow", "T+1"), world.add_merchant("quick", "D+1")
    payer = await world.payer()
    world.sell(payer, 1_000, "slow")
    world.next_day()
    await close(world, EVE)
    world.go_to(HOLIDAY[-1])
    world.sell(payer, 1_000, "slow")
    world.sell(payer, 1_000, "quick")
    world.next_day()
    world.killed_after = commits
    with pytest.raises(KeyboardInterrupt):
        await world.day_end.run(HOLIDAY[-1])
    world.killed_after = None
    await close(world, HOLIDAY[-1])
    assert (world.at_bank(slow), world.at_bank(quick)) == (2 * NET, NET)
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_another_cycle_begins_with_the_next_business_date(world: World) -> None:
    account = world.add_merchant("m", "T+1")
    payer = await world.payer()
    world.sell(payer, 1_000, "m")
    change_cycle(world, "m", "D+1")
    world.sell(payer, 1_000, "m")  # today is still T+1
    world.next_day()
    world.sell(payer, 500, "m")
    await close(world, EVE)
    assert world.at_bank(account) == 0
    world.next_day()
    await close(world, HOLIDAY[1])
    assert world.at_bank(account) == 497
    change_cycle(world, "m", "T+1")
    world.go_to(BACK)
    await close(world, HOLIDAY[-1])
    assert world.at_bank(account) == 2 * NET + 497
    history = world.shop.rows("SELECT cycle, first_date FROM settlement_cycle"
                              " WHERE merchant_id = 'm' ORDER BY version")  # fmt: skip
    assert [tuple(row.values()) for row in history] == [
        ("T+1", ""), ("D+1", "2026-10-01"), ("T+1", "2026-10-03"),
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_a_refund_in_the_holiday_comes_out_of_what_waits(world: World) -> None:
    account = world.add_merchant("m", "T+1")
    payer = await world.payer()
    first = world.sell(payer, 1_000, "m")
    world.next_day()
    await close(world, EVE)
    world.shop.refund(first, 600, merchant_id="m")
    world.go_to(BACK)
    world.sell(payer, 300, "m")
    await close(world, HOLIDAY[1])
    await close(world, HOLIDAY[-1])
    assert world.at_bank(account) == 400 - 2
    world.next_day()
    await close(world, BACK)
    assert world.at_bank(account) == 400 - 2 + 298
    assert (await world.standing("m"))["pending_minor"] == 0


@pytest.mark.asyncio
async def test_beyond_the_calendar_the_day_closes_and_t_plus_one_waits_for_its_table(
    lite_url: str,
) -> None:
    last = date(2026, 12, 31)
    new_year = YearTable(frozenset({date(2027, 1, 1)}), frozenset())
    with clearing_world(lite_url, first_day=last) as world:
        slow, quick = world.add_merchant("slow", "T+1"), world.add_merchant("quick", "D+1")
        payer = await world.payer()
        world.sell(payer, 1_000, "slow")
        world.sell(payer, 1_000, "quick")
        world.go_to(date(2027, 1, 4))
        report = await close(world, last)
        assert report["unscheduled"] == ["slow"]
        assert (world.at_bank(slow), world.at_bank(quick)) == (0, NET)
        assert (await world.standing("slow"))["waiting"][0]["settles_on"] is None
        world.calendar = Calendar({2027: new_year})
        world.day_end = day_end_of(world)
        report = await close(world, last)
        assert report["unscheduled"] == []
        assert (world.at_bank(slow), world.at_bank(quick)) == (NET, NET)


@pytest.mark.asyncio
async def test_within_the_day_only_d_plus_zero_is_paid_and_only_what_is_new(
    world: World,
) -> None:
    quick = world.add_merchant("quick", "D+0")
    world.go_to(EVE - timedelta(days=1))
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000)  # the first merchant's, D+1
    assert (await world.day_end.run_within())["merchants_settled"] == 0
    world.sell(payer, 1_000, "quick")
    report = await world.day_end.run_within()
    assert [payout["amount_minor"] for payout in report["payouts"]] == [NET]
    assert [payout["state"] for payout in report["payouts"]] == ["confirmed"]
    assert (await world.day_end.run_within())["merchants_settled"] == 0
    world.sell(payer, 2_000, "quick")
    world.killed_after = 1  # settled, and the bank not told
    with pytest.raises(KeyboardInterrupt):
        await world.day_end.run_within()
    world.killed_after = None
    await world.day_end.run_within()
    assert world.at_bank(quick) == 3 * NET
    world.sell(payer, 1_000, "quick")
    world.next_day()
    with pytest.raises(CallerError, match="2026-09-30 must be closed first"):
        await world.day_end.run_within()
    report = await close(world, EVE)
    assert world.at_bank(quick) == 4 * NET
    assert world.at_bank("6222000000001234") == NET
    assert sorted(p["amount_minor"] for p in report["payouts"]) == [NET, NET, NET, 2 * NET]
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_within_the_day_a_reserve_without_money_pays_nothing_until_the_day_is_closed(
    world: World,
) -> None:
    """What payers brought today reaches the reserve tomorrow: the bank refuses, nothing is lost."""
    quick = world.add_merchant("quick", "D+0")
    world.sell(await world.payer(), 1_000, "quick")
    report = await world.day_end.run_within()
    assert [(p["state"], p["reason"]) for p in report["payouts"]] == [("rejected", "AM04")]
    assert (await world.standing("quick"))["available_minor"] == NET
    world.next_day()
    await close(world, EVE)
    assert world.at_bank(quick) == NET


@pytest.mark.asyncio
async def test_a_merchant_whom_its_bank_refuses_all_day_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "FURTHER_SETTLEMENTS_PER_DAY_MAX", 2)
    world.shop.add_merchant("dead", settlement_cycle="D+0", payout_account_no="NOWHERE")
    quick = world.add_merchant("quick", "D+0")
    world.go_to(EVE - timedelta(days=1))
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000, "dead")
    for _ in range(4):
        await world.day_end.run_within()
    world.sell(payer, 1_000, "quick")
    await world.day_end.run_within()
    assert world.at_bank(quick) == NET
    world.next_day()
    for _ in range(2):
        await close(world, EVE)
    assert (await world.standing("dead"))["available_minor"] == NET
    refused = world.shop.rows("SELECT * FROM payout WHERE merchant_id = 'dead'")
    assert [row["state"] for row in refused] == ["rejected"] * 3


@pytest.mark.asyncio
async def test_what_the_bank_booked_within_the_day_is_compared_when_the_day_is_closed(
    world: World,
) -> None:
    """Two movements that are not ours and leave the balance as it was, after the day's last run."""
    world.go_to(EVE - timedelta(days=1))
    payer = await world.payer_since_yesterday()
    world.sell(payer, 1_000)
    five = Money(5, "CNY")
    world.near.bank.move("ODD-1", RESERVE, OWN, five, world.today, "not ours")
    world.near.bank.move("ODD-2", OWN, RESERVE, five, world.today, "not ours")
    world.next_day()
    report = await world.day_end.run(EVE)
    assert report["reconciliation"]["kinds"] == ["LONG_MISSING_ORDER"]
    assert (report["reconciliation"]["breaks"], report["state"]) == (2, "open")


@pytest.mark.asyncio
async def test_days_without_money_close_for_every_cycle(world: World) -> None:
    for name, cycle in CYCLES.items():
        world.add_merchant(name, cycle)
    payer = await world.payer()
    for name in CYCLES:
        paid = world.sell(payer, 1_000, name)
        world.shop.refund(paid, 1_000, merchant_id=name)
    for day in HOLIDAY:
        world.next_day()
        assert (await close(world, day))["payouts"] == []
    settled = world.shop.rows("SELECT DISTINCT amount_minor FROM settlement")
    assert [row["amount_minor"] for row in settled] == [0]
    assert (await world.standing(MERCHANT))["pending_minor"] == 0


@pytest.mark.asyncio
async def test_a_hot_merchants_sub_accounts_are_summed_at_settlement(migrated_url: str) -> None:
    """Eight, then two, then none again: what lies in any of them is settled, once."""
    with clearing_world(migrated_url, first_day=EVE) as world:
        hot = world.add_merchant("hot", "T+1")
        payer = await world.payer()
        for shards in (1, 8, 2, 1):
            world.shop.do(ChangeMerchant(merchant_id="hot", pending_shards=shards))
            for _ in range(5):
                world.sell(payer, 1_000, "hot")
        assert len(pending_accounts(world)) > 3
        assert (await world.standing("hot"))["pending_minor"] == 20 * NET
        world.go_to(BACK)
        world.sell(payer, 1_000, "hot")
        await close(world, EVE)
        assert world.at_bank(hot) == 20 * NET
        assert sum(pending_accounts(world).values()) == NET
        assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_what_sub_accounts_lend_each_other_is_not_earned(world: World) -> None:
    world.add_merchant("hot", "T+1")
    payer = await world.payer()
    world.shop.do(ChangeMerchant(merchant_id="hot", pending_shards=4))
    for _ in range(8):
        world.sell(payer, 1_000, "hot")
    before = await world.standing("hot")
    (own, _), *others = [one for one in pending_accounts(world).items() if one[1]]
    event = Event(world.shop.id("pay"), "CNY", EVE.isoformat())
    world.shop.do(Post(pending_gathered(event, merchant_id=own, parts_minor=others)))
    assert await world.standing("hot") == before


def pending_accounts(world: World) -> dict[str, int]:
    rows = world.shop.rows("SELECT owner, credits_posted - debits_posted AS held"
                           " FROM ledger_account WHERE code = 'MPEND'")  # fmt: skip
    return {row["owner"]: row["held"] for row in rows}


@pytest.mark.asyncio
async def test_a_rejected_payout_of_a_merchant_that_waits_for_a_working_day_is_tried_every_run(
    lite_url: str,
) -> None:
    """Of 29 September, due on the 30th; the next working day is 8 October. The shop's account opens
    on 1 October."""
    with clearing_world(lite_url, first_day=date(2026, 9, 28)) as world:
        world.shop.add_merchant("mt", settlement_cycle="T+1", payout_account_no="BANK-mt")
        payer = await world.payer_since_yesterday()
        world.sell(payer, 10_000, "mt")
        for day, state, at_bank in ((29, "rejected", 0), (30, "confirmed", 9_940)):
            world.next_day()
            report = await world.day_end.run(date(2026, 9, day))
            assert [payout["state"] for payout in report["payouts"]] == [state]
            world.near.open("BANK-mt")
            assert world.at_bank("BANK-mt") == at_bank
        again = await world.day_end.run(date(2026, 9, 30))
        assert (again["state"], again["payouts"]) == ("closed", report["payouts"])
        assert world.shop.balance("C:MAVAIL:mt:CNY") == 0
        assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_a_rejected_payout_is_tried_again_with_the_same_day_s_next_run(
    lite_url: str,
) -> None:
    with clearing_world(lite_url, first_day=date(2026, 11, 23)) as world:
        payer = await world.payer_since_yesterday()
        world.sell(payer, 10_000)
        world.next_day()
        world.near.world.faults.arm({"reject_payout": 1})
        states = []
        for _ in range(3):
            report = await world.day_end.run(date(2026, 11, 24))
            assert report["state"] == "closed"
            states.append(sorted(payout["state"] for payout in report["payouts"]))
        assert states == [["rejected"], ["confirmed", "rejected"], ["confirmed", "rejected"]]
        assert world.at_bank("6222000000001234") == 9_940
