"""The day's end: money in, merchants settled and paid, books compared, fees swept; and again."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from backend.channels.facts import CostTerms
from backend.channels.model import NUCC
from backend.clearing import model as clearing_model
from backend.db import reading
from backend.reconciliation import sides
from backend.reconciliation.repository import ReconciliationRepository
from backend.topups import model as topup_model
from protocol.errors import CallerError, OperatingError
from protocol.money import Money
from tests.support.clearing import World, clearing_world, day_end_of
from tests.support.institutions import OWN, RESERVE
from tests.support.shop import MERCHANT

DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
COMMITS = 19
PAYOUT_ACCOUNT = "6222000000001234"


@pytest.fixture
def world(migrated_url: str) -> Iterator[World]:
    with clearing_world(migrated_url) as found:
        yield found


async def sell(world: World) -> str:
    """A day of one payer: 500 yuan topped up, 100 + 50 paid, 20 given back."""
    payer = world.shop.add_payer()
    assert await world.fund(payer, 50_000) == "succeeded"
    paid = world.shop.pay(payer, 10_000)
    world.shop.pay(payer, 5_000)
    world.shop.refund(paid["payment_id"], 2_000)
    return payer


def check_closed(world: World, report: dict[str, Any]) -> None:
    """15000 − 2000 − fee 90 + fee back 12 = 12922 to the merchant, 78 to us, 37000 stay."""
    assert report["state"] == "closed"
    assert report["reconciliation"]["breaks"] == 0
    assert [payout["state"] for payout in report["payouts"]] == ["confirmed"]
    assert world.near.bank.balance(PAYOUT_ACCOUNT) == Money(12_922, "CNY")
    assert world.near.bank.balance(OWN) == Money(78, "CNY")
    assert world.near.bank.balance(RESERVE) == Money(37_000, "CNY")
    assert world.shop.balance("C:RESERVE:CNY") == 37_000
    assert world.shop.balance("C:UNSWEPT:CNY") == world.shop.balance("O:DUE_CLIENT:CNY") == 0
    assert world.shop.balance("O:OWN:CNY") == 78
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_a_day_is_settled_paid_out_reconciled_and_swept(world: World) -> None:
    await sell(world)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert report["channels"] == {"NUCC": 50_000, "CUP": 0, "ADVBANK": 0, "FUND": 0}
    assert report["swept_minor"] == 78
    check_closed(world, report)


@pytest.mark.asyncio
async def test_a_day_larger_than_a_page_is_read_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty payments and their orders, read by threes, with an answer limit that one read of them
    all would break: nothing is missing, and what is wrong in the last of them is found."""
    monkeypatch.setattr(reading, "READ_PAGE_ROWS", 3)
    monkeypatch.setattr(reading, "READ_ROWS_MAX", 5)
    for _ in range(4):
        payer = world.shop.add_payer()
        assert await world.fund(payer, 5_000) == "succeeded"
        paid = [world.shop.pay(payer, 100) for _ in range(5)]
    world.shop.ask("payment.reverse", {"payment_id": paid[2]["payment_id"]})
    world.next_day()
    report = await world.day_end.run(DAY)
    assert report["reconciliation"]["breaks"] == 0
    books = ReconciliationRepository(world.shop.reader)
    day = DAY.isoformat()
    orders = [one async for some in books.payment_orders(day) for one in some]
    assert len(orders) == 19
    legs = books.posted("balance_paid", account_prefixes=("C:CUST:",), day=day)
    undone = {event async for event in books.reversed_since(day)}
    posted = [one async for some in legs for one in some if one.reference not in undone]
    assert (posted, len(undone)) == (orders, 1)


@pytest.mark.asyncio
async def test_a_day_too_large_to_compare_is_an_error_and_not_a_part_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ_PAGE_ROWS", 1)
    monkeypatch.setattr(sides, "EVENTS_PER_DAY_MAX", 1)
    await sell(world)
    await sell(world)
    world.next_day()
    with pytest.raises(OperatingError, match="answer_too_large"):
        await world.day_end.run(DAY)


@pytest.mark.asyncio
async def test_every_merchant_is_settled_and_paid_also_beyond_a_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "READ_PAGE_ROWS", 2)
    monkeypatch.setattr(reading, "READ_ROWS_MAX", 4)
    payer = world.shop.add_payer()
    assert await world.fund(payer, 50_000) == "succeeded"
    for number in range(7):
        merchant = f"m{number}"
        world.shop.add_merchant(merchant)
        code = world.shop.code(payer)
        body = world.shop.create_body("pay_code", 1_000, pay_code=code, merchant_id=merchant)
        world.shop.ask("payment.create", body, merchant_id=merchant)
    world.next_day()
    report = await world.day_end.run(DAY)
    assert report["merchants_settled"] == 7
    assert len({payout["merchant_id"] for payout in report["payouts"]}) == 7


@pytest.mark.asyncio
async def test_running_a_closed_day_again_moves_nothing(world: World) -> None:
    await sell(world)
    world.next_day()
    first = await world.day_end.run(DAY)
    before = world.shop.verify().transfers
    again = await world.day_end.run(DAY)
    assert world.shop.verify().transfers == before
    assert again["payouts"] == first["payouts"]
    check_closed(world, again)


@pytest.mark.asyncio
async def test_a_day_that_is_not_over_is_not_closed(world: World) -> None:
    with pytest.raises(CallerError) as caught:
        await world.day_end.run(DAY)
    assert caught.value.code == "day_not_closed"


@pytest.mark.asyncio
async def test_an_empty_day_closes_too(world: World) -> None:
    world.next_day()
    report = await world.day_end.run(DAY)
    assert (report["state"], report["payouts"], report["swept_minor"]) == ("closed", [], 0)


@pytest.mark.asyncio
async def test_a_day_has_as_many_commits_as_the_power_is_cut_after(world: World) -> None:
    await sell_at_a_price(world)
    world.killed_after = COMMITS
    check_closed(world, await world.day_end.run(DAY))
    assert world.killed_after == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("commits", range(COMMITS))
async def test_the_power_may_be_cut_after_any_commit_and_the_day_ends_the_same(
    world: World, commits: int
) -> None:
    await sell_at_a_price(world)
    world.killed_after = commits
    with pytest.raises(KeyboardInterrupt):
        await world.day_end.run(DAY)
    world.killed_after = None
    check_closed(world, await world.day_end.run(DAY))
    check_evening(world)


async def sell_at_a_price(world: World) -> None:
    """The channel takes a fen and a half for the one top-up."""
    world.prices = {"NUCC": CostTerms(item_micro=15_000)}
    world.day_end = day_end_of(world)
    await sell(world)
    world.next_day()


def check_evening(world: World) -> None:
    """One window settled and one open each, one cost, one day's interest, one passed test."""
    rows = world.shop.rows
    states = [row["state"] for row in rows("SELECT state FROM clearing_window ORDER BY state")]
    assert states == ["open"] * 4 + ["settled"] * 4
    assert [(row["items"], row["whole_minor"]) for row in rows("SELECT * FROM channel_cost")] == [
        (1, 1)
    ]
    assert [row["carried_micro"] for row in rows("SELECT * FROM channel_carry")] == [5_000]
    assert world.shop.balance("O:CHANNEL_COST:CNY") == 1
    assert len(rows("SELECT * FROM reserve_interest")) == 1
    assert [row["passed"] for row in rows("SELECT * FROM reserve_test")] == [1]


@pytest.mark.asyncio
async def test_a_payout_whose_answer_is_lost_is_found_on_the_statement(world: World) -> None:
    await sell(world)
    world.next_day()
    world.near.silent = 1
    check_closed(world, await world.day_end.run(DAY))


@pytest.mark.asyncio
async def test_a_payout_that_never_reached_the_bank_is_unknown_until_the_next_run(
    world: World,
) -> None:
    await sell(world)
    world.next_day()
    world.near.deaf = 1
    report = await world.day_end.run(DAY)
    assert [payout["state"] for payout in report["payouts"]] == ["unknown"]
    assert report["state"] == "open"
    check_closed(world, await world.day_end.run(DAY))


@pytest.mark.asyncio
@pytest.mark.parametrize("commits", [0, 2, 3])
async def test_a_run_that_dies_overnight_is_finished_the_next_day(
    world: World, commits: int
) -> None:
    """The bank booked on D+1 what we find on D+2: it is posted under the bank's own day."""
    await sell(world)
    world.next_day()
    world.killed_after = commits
    with pytest.raises(KeyboardInterrupt):
        await world.day_end.run(DAY)
    world.killed_after = None
    world.next_day()
    check_closed(world, await world.day_end.run(DAY))
    later = await world.day_end.run(NEXT_DAY)
    assert (later["state"], later["reconciliation"]["breaks"]) == ("closed", 0)


@pytest.mark.asyncio
async def test_a_sweep_leaves_the_fees_of_later_days_where_they_are(world: World) -> None:
    """A refund of today may want today's fee back; it is not gone with yesterday's."""
    payer = await sell(world)
    world.next_day()
    late = world.shop.pay(payer, 30_000)
    report = await world.day_end.run(DAY)
    assert report["swept_minor"] == 78
    world.shop.refund(late["payment_id"], 30_000)
    world.next_day()
    later = await world.day_end.run(NEXT_DAY)
    assert (later["state"], later["swept_minor"]) == ("closed", 0)
    assert world.near.bank.balance(RESERVE).amount_minor == world.shop.payer_balance(payer)


@pytest.mark.asyncio
async def test_fees_given_back_after_their_sweep_come_back_from_our_own_money(
    world: World,
) -> None:
    payer = world.shop.add_payer()
    await world.fund(payer, 50_000)
    first = world.shop.pay(payer, 10_000)
    world.next_day()
    world.near.world.faults.arm({"reject_payout": 1})
    assert (await world.day_end.run(DAY))["swept_minor"] == 60
    world.shop.refund(first["payment_id"], 9_000)
    world.next_day()
    report = await world.day_end.run(NEXT_DAY)
    assert report["swept_minor"] == -54
    assert report["clients_short_minor"] == 0
    assert world.near.bank.balance(OWN) == Money(6, "CNY")
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_days_are_closed_in_their_order(world: World) -> None:
    payer = await sell(world)
    world.next_day()
    world.shop.pay(payer, 3_000)
    world.next_day()
    with pytest.raises(CallerError) as caught:
        await world.day_end.run(NEXT_DAY)
    assert (caught.value.code, DAY.isoformat() in caught.value.detail) == ("day_not_closed", True)
    assert (await world.day_end.run(DAY))["state"] == "closed"
    assert (await world.day_end.run(NEXT_DAY))["state"] == "closed"


@pytest.mark.asyncio
async def test_a_rejected_payout_goes_back_to_the_merchant_and_out_the_next_day(
    world: World,
) -> None:
    await sell(world)
    world.next_day()
    world.near.world.faults.arm({"reject_payout": 1})
    report = await world.day_end.run(DAY)
    assert [(p["state"], p["reason"]) for p in report["payouts"]] == [("rejected", "AC01")]
    assert world.shop.balance(f"C:MAVAIL:{MERCHANT}:CNY") == 12_922
    world.next_day()
    later = await world.day_end.run(date(2026, 11, 24))
    assert [payout["amount_minor"] for payout in later["payouts"]] == [12_922]
    assert world.near.bank.balance(PAYOUT_ACCOUNT) == Money(12_922, "CNY")
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_a_refund_out_of_two_accounts_is_one_order_to_the_books(world: World) -> None:
    payer = world.shop.add_payer()
    await world.fund(payer, 50_000)
    paid = world.shop.pay(payer, 10_000)
    world.next_day()
    world.near.world.faults.arm({"reject_payout": 1})
    await world.day_end.run(DAY)
    world.shop.pay(payer, 1_000)
    assert world.shop.refund(paid["payment_id"], 10_000)["state"] == "succeeded"
    assert world.shop.rows("SELECT source FROM refund") == [{"source": "MPEND+MAVAIL"}]
    world.next_day()
    report = await world.day_end.run(NEXT_DAY)
    assert (report["state"], report["reconciliation"]["breaks"]) == ("closed", 0)
    assert world.near.bank.balance(PAYOUT_ACCOUNT) == Money(994, "CNY")
    assert world.shop.verify().is_whole


@pytest.mark.asyncio
async def test_a_top_up_without_an_answer_is_unknown_and_then_found_out(world: World) -> None:
    payer = world.shop.add_payer()
    world.channels[NUCC].mishaps = ["silent"]
    assert await world.fund(payer, 700) == "unknown"
    assert world.shop.payer_balance(payer) == 0
    world.shop.clock.at_ms += 2_000
    assert await world.runner.settle(DAY) == 0
    assert world.shop.payer_balance(payer) == 700
    assert await world.fund(payer, 10, account="NOBODY") == "failed"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        ("amount_off_by_one", ["AMOUNT", "FUNDS"]),
        ("row_missing", ["FUNDS", "SHORT_MISSING_CHANNEL"]),
        ("row_twice", ["DUPLICATE", "FUNDS"]),
    ],
)
async def test_a_wrong_file_is_named_and_holds_back_the_fees(
    world: World, fault: str, kinds: list[str]
) -> None:
    await sell(world)
    world.next_day()
    world.near.world.faults.arm({fault: 1})
    report = await world.day_end.run(DAY)
    assert report["reconciliation"]["kinds"] == kinds
    assert (report["swept_minor"], report["state"]) == (0, "open")
    check_closed(world, await world.day_end.run(DAY))


@pytest.mark.parametrize("machine", [clearing_model, topup_model])
def test_every_pair_of_state_and_outcome_is_an_edge_or_an_error(machine: Any) -> None:
    states = {state for state, _ in machine.TRANSITIONS}
    states |= set(machine.TRANSITIONS.values())
    for state in states:
        for outcome in machine.Outcome:
            if (state, outcome) in machine.TRANSITIONS:
                assert machine.next_state(state, outcome) in states
            else:
                with pytest.raises(CallerError) as caught:
                    machine.next_state(state, outcome)
                assert caught.value.code == "payment_state"
