"""The reserve bank's queue: cover, order, closing, and three ways out when a debtor is short."""

from datetime import UTC, date, datetime

import pytest

from backend.channels import iso20022
from backend.channels.iso20022 import Leg
from backend.sandbox.institution.settling import SettlementOrder
from backend.sandbox.reserve_bank.interest import last_due
from backend.sandbox.reserve_bank.window import Window
from protocol.errors import CallerError
from tests.support.banks import LIQUIDITY, RESERVE, BankWorld, bank_world
from tests.support.iso20022 import cny

HOUR_MS = 3_600_000
SETTLED, WAITING = ("ACSC", ""), ("PDNG", "")


def pull(reference: str, amount_minor: int, debtor: str = RESERVE) -> Leg:
    return Leg(reference, debtor, "SETTLE-CUP", cny(amount_minor))


def word(world: BankWorld, message_id: str) -> str:
    return world.reserve.rtgs.word(message_id).state


def test_what_lacks_cover_waits_in_order_and_goes_when_money_comes(world: BankWorld) -> None:
    assert world.tell("M1", pull("STL-CUP-20260920", 100_001)) == WAITING
    assert world.tell("M2", pull("STL-CUP-20260921", 10)) == WAITING
    assert world.tell("M1", pull("STL-CUP-20260920", 100_001)) == WAITING
    assert world.reserve.rtgs.waiting() == ["M1", "M2"]
    world.fund(11, "STL-NUCC-20260923")
    assert (word(world, "M1"), word(world, "M2")) == ("settled", "settled")
    assert [name for name, _ in world.entries()][-2:] == ["STL-CUP-20260920", "STL-CUP-20260921"]
    assert world.at_reserve() == 0


def test_another_debtor_does_not_wait_for_one_that_is_short(world: BankWorld) -> None:
    assert world.tell("M1", pull("STL-CUP-20260920", 100_001)) == WAITING
    assert world.tell("M2", pull("STL-CUP-20260921", 5, "SETTLE-NUCC")) == SETTLED


def test_what_waits_can_be_cancelled_and_lets_the_next_go(world: BankWorld) -> None:
    world.tell("M1", pull("STL-CUP-20260920", 100_001))
    world.tell("M2", pull("STL-CUP-20260921", 10))
    assert world.reserve.cancel("M1").reason == "CUST"
    assert (word(world, "M1"), word(world, "M2")) == ("refused", "settled")
    assert world.reserve.cancel("M2").state == "settled"
    assert world.tell("M3", pull("STL-CUP-20260920", 10)) == SETTLED


@pytest.mark.asyncio
async def test_the_close_of_the_window_refuses_what_may_not_wait(world: BankWorld) -> None:
    assert world.tell("M1", pull("LVP-1", 100_001)) == WAITING
    assert world.tell("M2", pull("STL-CUP-20260921", 100_002)) == WAITING
    world.clock.at_ms += 6 * HOUR_MS
    await world.time_passes()
    assert world.reserve.rtgs.word("M1").reason == "TM01"
    assert word(world, "M2") == "waiting"
    assert world.tell("M3", pull("LVP-2", 1)) == ("RJCT", "TM01")
    world.fund(2, "STL-NUCC-20260923")
    assert word(world, "M2") == "settled"


def test_legs_settle_together_or_not_at_all(world: BankWorld) -> None:
    legs = (
        Leg("STL-NET-1", RESERVE, "SETTLE-NUCC", cny(100_001)),
        Leg("STL-NET-2", "SETTLE-NUCC", "SETTLE-BANK-A", cny(7)),
    )
    assert world.tell("NET", *legs) == WAITING
    assert world.at_reserve("SETTLE-BANK-A") == LIQUIDITY
    world.fund(1, "STL-CUP-20260923")
    assert (word(world, "NET"), world.at_reserve()) == ("settled", 0)
    assert world.at_reserve("SETTLE-BANK-A") == LIQUIDITY + 7


def test_a_debtor_pays_with_what_it_gets_in_the_same_entry(world: BankWorld) -> None:
    legs = (
        Leg("STL-NET-1", RESERVE, "SETTLE-NUCC", cny(100_005)),
        Leg("STL-NET-2", "SETTLE-CUP", RESERVE, cny(5)),
    )
    assert world.tell("NET", *legs) == SETTLED


def test_a_short_debtor_draws_on_its_cover(world: BankWorld) -> None:
    assert world.tell("M1", pull("STL-CUP-20260920", 100_400)) == WAITING
    world.reserve.open(RESERVE, cny(0), kind="reserve", line_minor=400)
    assert (word(world, "M1"), world.at_reserve()) == ("settled", -400)
    assert world.tell("M2", pull("STL-CUP-20260921", 1)) == WAITING


def test_as_a_last_resort_the_net_is_recomputed_without_the_short_debtor(
    world: BankWorld,
) -> None:
    """Gross: R→A 100,001, A→B 50, B→R 20. Without R there is only A→B 50."""
    net = (
        Leg("STL-NET-R", RESERVE, "SETTLE-NUCC", cny(100_001 - 20)),
        Leg("STL-NET-A", "SETTLE-NUCC", "SETTLE-BANK-A", cny(100_001 - 50)),
        Leg("STL-NET-B", "SETTLE-NUCC", "SETTLE-BANK-B", cny(30)),
    )
    world.tell("M0", pull("STL-CUP-20260920", 500))
    assert world.tell("NET-1", *net) == WAITING
    world.reserve.cancel("NET-1")
    again = (
        Leg("STL-NET-A", "SETTLE-BANK-A", "SETTLE-NUCC", cny(50)),
        Leg("STL-NET-B", "SETTLE-NUCC", "SETTLE-BANK-B", cny(50)),
    )
    assert world.tell("NET-2", *again) == SETTLED
    assert world.at_reserve("SETTLE-NUCC") == LIQUIDITY - 100_000
    assert world.at_reserve("SETTLE-BANK-B") == LIQUIDITY + 50


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        (Leg("X1", "NOBODY", RESERVE, cny(1)), "AC01"),
        (Leg("X1", RESERVE, "NOBODY", cny(1)), "AC01"),
        (Leg("X1", RESERVE, RESERVE, cny(1)), "AC01"),
        (Leg("STL-NUCC-20260922", RESERVE, "SETTLE-CUP", cny(1)), "DUPL"),
    ],
)
def test_what_can_never_settle_is_refused_at_once(world: BankWorld, leg: Leg, reason: str) -> None:
    assert world.tell("M1", leg) == ("RJCT", reason)


def test_other_content_under_a_known_message_id_is_refused(world: BankWorld) -> None:
    world.tell("M1", pull("STL-CUP-20260920", 1))
    with pytest.raises(CallerError) as caught:
        world.tell("M1", pull("STL-CUP-20260920", 2))
    assert caught.value.code == "idempotency_conflict"


@pytest.mark.asyncio
async def test_institutions_settle_through_the_agent(world: BankWorld) -> None:
    order = SettlementOrder("STL-CUP-20260922", RESERVE, "SETTLE-CUP", cny(100_001), world.today)
    assert (await world.reserve.settle(order)).state == "waiting"
    world.fund(1, "STL-NUCC-20260923")
    assert (await world.reserve.settle(order)).state == "settled"
    short = SettlementOrder("STL-CUP-20260923", RESERVE, "SETTLE-CUP", cny(1), world.today)
    await world.reserve.settle(short)
    world.reserve.cancel("STL-CUP-20260923")
    assert (await world.reserve.settle(short)).state == "refused"


def test_liquidity_moves_between_accounts_with_a_receipt(world: BankWorld) -> None:
    for name, amount, status in (("L1", 5, "STLD"), ("L2", 10**10, "PDNG")):
        message = iso20022.LiquidityTransfer(
            name, world.clock.now_ms(), name, "SETTLE-NUCC", "SETTLE-CUP", cny(amount), world.today
        )
        answer = world.reserve.liquidity(iso20022.write_liquidity(message))
        assert iso20022.read_receipt(answer).status == status


def test_interest_is_paid_on_daily_balances_once_a_quarter() -> None:
    with bank_world(rate_bps=36) as world:
        world.clock.at_ms -= 10 * 24 * HOUR_MS
        world.fund(100_000_000, "STL-NUCC-20260912")
        assert world.today == date(2026, 9, 13)
        world.clock.at_ms += 8 * 24 * HOUR_MS
        assert world.reserve.pay_interest() == ["INT-20260921"]
        assert world.reserve.pay_interest() == []
        # Eight evenings (13 to 20 September) at 0.36 % of a year of 360 days.
        assert world.entries() == [("INT-20260921", 100_000_000 * 8 * 36 // 3_600_000)]


@pytest.mark.asyncio
async def test_interest_comes_by_itself_when_the_clock_passes_the_day() -> None:
    with bank_world(rate_bps=36) as world:
        world.clock.at_ms -= 10 * 24 * HOUR_MS
        world.fund(100_000_000, "STL-NUCC-20260912")
        await world.time_passes()
        assert [name for name, _ in world.entries()] == ["STL-NUCC-20260912"]
        world.clock.at_ms += 9 * 24 * HOUR_MS
        for _ in range(2):
            await world.time_passes()
        assert [name for name, _ in world.entries()] == ["INT-20260921"]


@pytest.mark.parametrize(
    ("today", "due"),
    [
        (date(2026, 9, 21), date(2026, 9, 21)),
        (date(2026, 9, 20), date(2026, 6, 21)),
        (date(2026, 1, 1), date(2025, 12, 21)),
    ],
)
def test_interest_is_due_on_the_21st_of_a_quarters_last_month(today: date, due: date) -> None:
    assert last_due(today) == due


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-09-30T09:14:59+00:00", True),
        ("2026-09-30T09:15:00+00:00", False),
        ("2026-09-30T12:30:00+00:00", False),  # the evening before a holiday
        ("2026-10-07T12:29:00+00:00", False),
        ("2026-10-07T12:30:00+00:00", True),
        ("2026-10-10T02:00:00+00:00", True),  # a make-up Saturday
        ("2026-10-11T02:00:00+00:00", False),
    ],
)
def test_the_window_opens_on_the_evening_before_a_business_day(moment: str, is_open: bool) -> None:
    at_ms = int(datetime.fromisoformat(moment).astimezone(UTC).timestamp()) * 1000
    assert Window().is_open(at_ms) is is_open
