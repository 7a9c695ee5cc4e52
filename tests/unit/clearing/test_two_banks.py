"""Days closed over a reserve bank and commercial banks: payouts, returns, recalls, own money."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from backend.channels.our_banks import OurBanks
from backend.clearing.recall import PayoutDesk
from backend.clearing.repository import ClearingRepository
from tests.support.banks import OWN, AtOwnBank, BankWorld, bank_world
from tests.support.clearing import World, clearing_world, day_end_of
from tests.support.holiday import PaidBySettlements
from tests.support.iso20022 import cny

pytestmark = pytest.mark.asyncio
SHOP_ACCOUNT, OWN_OPENING = "6222000000001234", 500_000


@dataclass
class Days:
    """Our clearing between its banks."""

    world: World
    banks: BankWorld
    desk: PayoutDesk

    async def close(self) -> dict[str, Any]:
        """Close the day that has just ended; nothing is unexplained."""
        yesterday = self.world.today
        self.world.next_day()
        await self.banks.time_passes()
        report = await self.world.day_end.run(yesterday)
        assert report["reconciliation"]["breaks"] == 0, report["reconciliation"]
        return report

    async def sold(self, amount_minor: int = 1_000) -> dict[str, Any]:
        """A sale of a day that then closes; the report."""
        payer = await self.world.payer()
        self.world.sell(payer, amount_minor)
        return await self.close()

    def at_shop(self) -> int:
        return self.banks.a.books.balance(SHOP_ACCOUNT).amount_minor

    def at_own(self) -> int:
        return self.banks.a.books.balance(OWN).amount_minor


@pytest.fixture
def days(lite_url: str) -> Iterator[Days]:
    with clearing_world(lite_url) as world, bank_world(clock=world.shop.clock) as banks:
        banks.a.open(SHOP_ACCOUNT, "Shop", cny(0))
        reserve = PaidBySettlements(banks, world)
        bank = OurBanks(reserve=reserve, own=AtOwnBank(banks), own_account=OWN)
        world.day_end = day_end_of(world, bank)
        payouts = ClearingRepository(world.shop.reader).payouts
        yield Days(world, banks, PayoutDesk(submit=world.submit, payouts=payouts, bank=bank))


async def test_a_payout_and_the_fees_leave_the_reserve_over_it(days: Days) -> None:
    report = await days.sold()
    assert (report["state"], report["payouts"][0]["state"]) == ("closed", "confirmed")
    assert (days.at_shop(), days.at_own()) == (994, OWN_OPENING + 6)


async def test_payout_return_and_second_payout(days: Days) -> None:
    days.banks.a.house.faults.arm({"return_later": 1})
    first = (await days.sold())["payouts"][0]["payout_id"]
    assert days.at_shop() == 0
    report = await days.close()
    assert [row["payout_id"] for row in report["returned"]] == [first]
    assert (await days.close())["payouts"] == []
    await days.desk.release(first)
    (second,) = (await days.close())["payouts"]
    assert (second["state"], second["amount_minor"], days.at_shop()) == ("confirmed", 994, 994)


async def test_a_recalled_payout_comes_back_over_both_banks(days: Days) -> None:
    payout_id = (await days.sold())["payouts"][0]["payout_id"]
    shown = await days.desk.recall(payout_id, "DUPL")
    assert shown["recall"]["state"] == "accepted"
    assert [row["payout_id"] for row in (await days.close())["returned"]] == [payout_id]
    assert days.at_shop() == 0


async def test_a_bank_that_refuses_leaves_the_money_with_the_merchant(days: Days) -> None:
    days.banks.a.mark(SHOP_ACCOUNT, "AC06")
    report = await days.sold()
    assert [(row["state"], row["reason"]) for row in report["payouts"]] == [("rejected", "AC06")]
    days.banks.a.mark(SHOP_ACCOUNT, "")
    assert [row["state"] for row in (await days.close())["payouts"]] == ["confirmed"]
    assert days.at_shop() == 994


async def test_a_silent_bank_keeps_the_day_open_until_it_has_answered(days: Days) -> None:
    payer = await days.world.payer()
    days.world.sell(payer, 1_000)
    day = days.world.today
    days.banks.near.silent = 1
    report = await days.close()
    assert (report["state"], report["payouts"][0]["state"]) == ("open", "unknown")
    report = await days.world.day_end.run(day)
    assert (report["state"], report["payouts"][0]["state"]) == ("closed", "confirmed")
    assert days.at_shop() == 994


async def test_promised_own_money_comes_from_our_bank_into_the_reserve(days: Days) -> None:
    days.world.give_coupon(700)
    report = await days.close()
    assert (report["state"], report["own_funds_minor"]) == ("closed", 700)
    assert days.at_own() == OWN_OPENING - 700
