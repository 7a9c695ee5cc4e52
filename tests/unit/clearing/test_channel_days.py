"""Days with card and fund payments in them close without a break, whatever the channels do."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from backend.channels.model import ADVANCING_BANK, FUND, NUCC
from backend.clearing.reserve import NoteFundRepaid
from protocol.money import Money
from tests.support.channel_world import CARD_TOKEN, FUND_TOKEN
from tests.support.channels import Mishap, NearFund
from tests.support.clearing import World, clearing_world
from tests.support.institutions import OWN, RESERVE
from tests.support.shop import MERCHANT
from tests.unit.clearing.conftest import nets_union_of, pay, pays_with

pytestmark = pytest.mark.asyncio
DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
PAYOUT_ACCOUNT = "6222000000001234"


@pytest.fixture
def world(channel_world: World) -> World:
    return channel_world


async def sell(world: World) -> None:
    """100 yuan by card of which 30 go back, 50 by fund, 20 from a balance."""
    balance = world.shop.add_payer()
    assert await world.fund(balance, 5_000) == "succeeded"
    world.shop.pay(balance, 2_000)
    by_card = await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    await pay(world, pays_with(world, "fund", FUND_TOKEN), 5_000)
    world.shop.refund(by_card, 3_000)
    await world.runner.settle(date.max)


def check_closed(world: World, report: dict[str, Any]) -> None:
    """17000 sold − 3000 back − fees 84 to the merchant; 3000 of the balance stay."""
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert world.at_bank(PAYOUT_ACCOUNT) == 14_000 - 84
    assert world.at_bank(OWN) == world.shop.balance("O:OWN:CNY") == 84
    assert world.at_bank(RESERVE) == world.shop.balance("C:RESERVE:CNY") == 3_000
    assert world.shop.balance(f"C:MPEND:{MERCHANT}:CNY") == 0
    assert world.shop.verify().is_whole


async def test_a_day_of_every_funding_closes_with_nothing_left_over(world: World) -> None:
    await sell(world)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert report["channels"] == {"NUCC": 12_000, "CUP": 0, "ADVBANK": 5_000, "FUND": 0}
    check_closed(world, report)
    check_closed(world, await world.day_end.run(DAY))


async def test_the_advancing_bank_pays_on_the_day_itself_and_is_repaid_on_the_next(
    world: World,
) -> None:
    await pay(world, pays_with(world, "fund", FUND_TOKEN), 5_000)
    owed = "M:FUND_OWED:ADVBANK.2026-11-23:CNY"
    assert world.shop.balance(owed) == 5_000
    world.next_day()
    await world.day_end.run(DAY)
    booked = world.near.bank.statement(RESERVE, day=DAY, at_ms=0).entries
    assert [(entry.reference, entry.amount.amount_minor) for entry in booked] == [
        ("STL-ADVBANK-20261123", 5_000)
    ]
    assert world.shop.balance(owed) == 0
    assert world.at_bank("ADVANCING-BANK") == 0


async def test_what_we_advance_for_a_fund_comes_in_from_own_money_and_is_repaid_the_next_day(
    world: World,
) -> None:
    """50 yuan paid by the fund, 20 back the next day; the reserve never lacks them."""
    world.channels[FUND].book.bind(FUND_TOKEN, "FUND-1")
    world.near.bank.move("CAPITAL", "BANK-VAULT", OWN, Money(9_000, "CNY"), DAY, "capital")
    world.shop.rules = replace(world.shop.rules, has_own_advance=True)
    payment_id = await pay(world, pays_with(world, "fund", FUND_TOKEN), 5_000)
    assert world.shop.balance("C:OWN_DUE:CNY") == world.shop.balance("O:ADVANCE:CNY") == 5_000
    assert world.shop.balance("C:CH:FUND.2026-11-23:CNY") == 0
    world.next_day()
    report = await world.day_end.run(DAY)
    assert (report["state"], report["own_funds_minor"]) == ("closed", 5_000)
    assert world.shop.balance("O:ADVANCE:CNY") == world.shop.balance("C:OWN_DUE:CNY") == 0
    assert world.at_bank(OWN) == 9_000 + 30
    assert world.at_bank(PAYOUT_ACCOUNT) == 4_970
    balance = await world.payer(50_000)
    world.sell(balance, 20_000)
    world.shop.refund(payment_id, 2_000)
    await world.runner.settle(date.max)
    assert world.shop.balance("O:ADVANCE:CNY") == -2_000
    world.next_day()
    report = await world.day_end.run(NEXT_DAY)
    assert (report["state"], report["own_funds_minor"]) == ("closed", -2_000)
    assert world.shop.balance("O:ADVANCE:CNY") == world.shop.balance("C:OWN_DUE:CNY") == 0
    assert world.at_bank("FUND-1") == 100_000 - 3_000
    assert world.at_bank(OWN) == world.shop.balance("O:OWN:CNY") + 9_000
    assert world.shop.verify().is_whole


async def test_a_fund_s_debt_over_a_holiday_waits_for_the_next_working_day(
    migrated_url: str,
) -> None:
    """Friday's is repaid on Monday, though Friday is closed on Saturday."""
    friday = date(2026, 11, 20)
    with clearing_world(migrated_url, first_day=friday) as world:
        world.near.open("FUND-1", 100_000)
        world.channels[ADVANCING_BANK].book.bind(FUND_TOKEN, "FUND-1")
        await pay(world, pays_with(world, "fund", FUND_TOKEN), 5_000)
        owed = "M:FUND_OWED:ADVBANK.2026-11-20:CNY"
        for day, left in ((20, 5_000), (21, 5_000), (22, 0)):
            world.next_day()
            report = await world.day_end.run(date(2026, 11, day))
            assert report["state"] == "closed"
            assert world.shop.balance(owed) == left


async def test_a_fund_payment_captured_after_its_day_was_noted_as_repaid_is_noted_too(
    world: World,
) -> None:
    """Sent at 23:59:57 without an answer; the day's first run begins before one comes."""
    shop, fund = world.shop, world.channels[ADVANCING_BANK]
    assert isinstance(fund, NearFund)
    assert fund.company is not None
    fund.company.cut_off_hour = 24
    await pay(world, pays_with(world, "fund", FUND_TOKEN), 5_000)
    payer = pays_with(world, "fund", FUND_TOKEN)
    shop.clock.at_ms += 12 * 3_600_000 - 3_000
    fund.mishaps = ["silent", "lost"]
    late = shop.pay(payer, 1_000)["payment_id"]
    await world.runner.run_due()
    shop.clock.at_ms += 2_000
    await world.runner.run_due()
    shop.clock.at_ms += 1_500
    first = await world.day_end.run(DAY)
    assert (first["state"], first["sagas_open"]) == ("open", 1)
    fund.mishaps = []
    owed = "M:FUND_OWED:ADVBANK.2026-11-23:CNY"
    shop.clock.at_ms += 5_000
    for _ in range(2):
        report = await world.day_end.run(DAY)
        assert (report["state"], shop.balance(owed)) == ("closed", 0)
    assert shop.ask("payment.query", {"payment_id": late})["state"] == "captured"
    assert shop.verify().is_whole


async def test_a_fund_s_debt_that_grows_after_it_was_repaid_is_repaid_by_as_much(
    world: World,
) -> None:
    note = NoteFundRepaid(
        channel_id=ADVANCING_BANK,
        settlement_date=DAY.isoformat(),
        currency="CNY",
        business_date=NEXT_DAY.isoformat(),
    )
    for amount_minor in (5_000, 1_000):
        await pay(world, pays_with(world, "fund", FUND_TOKEN), amount_minor)
        assert world.shop.do(note) == amount_minor
        assert world.shop.do(note) == world.shop.balance("M:FUND_OWED:ADVBANK.2026-11-23:CNY") == 0


async def test_what_comes_after_the_channel_s_cut_off_is_settled_with_its_next_day(
    world: World,
) -> None:
    nets_union_of(world).clearing.house.faults.arm({"delay_past_cutoff": 1})
    await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    world.next_day()
    first = await world.day_end.run(DAY)
    assert (first["state"], first["channels"]["NUCC"]) == ("closed", 0)
    assert world.shop.balance("C:CH:NUCC.2026-11-24:CNY") == 10_000
    world.next_day()
    second = await world.day_end.run(NEXT_DAY)
    assert (second["state"], second["channels"]["NUCC"]) == ("closed", 10_000)
    assert world.shop.balance("C:CH:NUCC.2026-11-24:CNY") == 0


async def test_a_day_on_which_more_went_back_than_came_is_paid_out_of_the_reserve(
    world: World,
) -> None:
    payment_id = await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    balance = await world.payer(50_000)
    world.next_day()
    assert (await world.day_end.run(DAY))["state"] == "closed"
    world.sell(balance, 20_000)
    world.shop.refund(payment_id, 6_000)
    await world.runner.settle(date.max)
    world.next_day()
    report = await world.day_end.run(NEXT_DAY)
    assert (report["state"], report["channels"]["NUCC"]) == ("closed", -6_000)
    assert world.near.bank.balance("CARD-1") == Money(96_000, "CNY")


async def test_a_settled_payment_that_is_given_back_closes_on_both_days(world: World) -> None:
    """The till undoes what the channel has closed and settled; the channel gives it back on its
    next day."""
    world.shop.clock.at_ms += 10 * 3_600_000 + 1_800_000  # 22:30
    payment_id = await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    world.shop.clock.at_ms += 4_200_000
    world.channels[NUCC].close_early(DAY)
    nets_union_of(world).clearing.house.faults.arm({"delay_past_cutoff": 2})
    world.shop.ask("payment.reverse", {"payment_id": payment_id})
    await world.runner.settle(date.max)
    for day, net in ((DAY, 10_000), (NEXT_DAY, -10_000)):
        world.next_day()
        report = await world.day_end.run(day)
        assert (report["state"], report["channels"]["NUCC"]) == ("closed", net)
    assert world.shop.balance("C:LONG:CNY") == world.at_bank(RESERVE) == 0
    assert world.at_bank("CARD-1") == 100_000


async def test_a_day_stays_open_while_a_channel_owes_a_word(world: World) -> None:
    payer = pays_with(world, "card", CARD_TOKEN)
    await sell(world)
    world.shop.pay(payer, 700)
    lost: list[Mishap | None] = ["lost"] * 9
    world.channels[NUCC].mishaps = ["silent", *lost]
    await world.runner.settle(date.max)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert (report["state"], report["sagas_open"]) == ("open", 1)
    assert report["reconciliation"]["kinds"] == ["LONG_STATUS"]
    world.channels[NUCC].mishaps = []
    world.shop.clock.at_ms += 60_000
    report = await world.day_end.run(DAY)
    assert (report["state"], report["sagas_open"]) == ("closed", 0)


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("amount_off_by_one", ["AMOUNT", "FUNDS"]),
        ("row_missing", ["FUNDS", "SHORT_MISSING_CHANNEL"]),
        ("row_twice", ["DUPLICATE", "FUNDS"]),
    ],
)
async def test_a_card_file_that_is_wrong_is_named_and_holds_back_the_fees(
    world: World, fault: str, kinds: list[str]
) -> None:
    await pay(world, pays_with(world, "card", CARD_TOKEN), 10_000)
    world.next_day()
    world.near.world.faults.arm({fault: 1})
    report = await world.day_end.run(DAY)
    assert report["reconciliation"]["kinds"] == kinds
    assert (report["swept_minor"], report["state"]) == (0, "open")
    assert (await world.day_end.run(DAY))["state"] == "closed"
