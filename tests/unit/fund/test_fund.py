"""The fund: prices on trading days, units, quick redemption and its limit, T+0 and T+1."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.channels.model import PayOrder, RefundOrder
from backend.sandbox.fund.company import ADVANCER, Accounts, FundCompany
from backend.sandbox.fund.dates import income_days, is_bank_day, is_trading_day, next_bank_day
from backend.sandbox.fund.limits import INCOME_PER_10K_E4
from backend.sandbox.fund.net_value import Published, income_minor
from backend.sandbox.fund.units import EARNINGS, FUND_COMPANY
from backend.sandbox.institution.books import VAULT_ACCOUNT
from backend.sandbox.institution.orders import OrderBook
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.houses import HandClock, NearReserve, near_house

DAY = date(2026, 9, 30)
ACCOUNTS = Accounts(
    advancer="SETTLE-ADVBANK", reserve="RESERVE-TILLWAY", company="FUND-CO", own="OWN-TILLWAY"
)


class World:
    """A fund with one investor of 20,000 yuan."""

    def __init__(self, day: date = DAY) -> None:
        self.clock, self.banks = HandClock(), NearReserve()
        self.clock.at(day)
        self.house = near_house("fund", self.clock, "refuse_order", "refuse_refund")
        self.fund = FundCompany(self.house, accounts=ACCOUNTS, agent=self.banks)
        self.fund.till.open_investor("I1", "李雷", Money(2_000_000, "CNY"), day=day)
        for book in (self.fund.advanced, self.fund.unadvanced):
            book.bind("tok_I1", "I1")
        self.number = 0

    def pay(self, amount_minor: int, *, book: OrderBook | None = None, name: str = "") -> str:
        self.number += 1
        order = PayOrder(name or f"pay_{self.number}", "tok_I1", Money(amount_minor, "CNY"))
        answer = (book or self.fund.advanced).pay(order, day=self.fund.day())
        assert (answer.state == "succeeded") == (answer.reason == "")
        return answer.reason

    def refund(self, order_id: str, amount_minor: int, *, book: OrderBook | None = None) -> str:
        self.number += 1
        asked = RefundOrder(f"rfd_{self.number}", order_id, Money(amount_minor, "CNY"))
        return (book or self.fund.advanced).refund(asked, day=self.fund.day()).state

    def balance(self, number: str) -> int:
        return self.house.books.balance(number).amount_minor

    def pass_to(self, day: date, hour: int = 10) -> None:
        self.clock.at(day, hour)
        asyncio.run(self.fund.time_passes())


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.house.books.close()


@pytest.mark.parametrize(
    ("day", "then"),
    [
        ("2026-09-30", "2026-10-08"), ("2026-02-13", "2026-02-14"), ("2026-02-14", "2026-02-24"),
        ("2026-04-03", "2026-04-07"), ("2026-04-30", "2026-05-06"), ("2026-09-19", "2026-09-20"),
        ("2025-09-30", "2025-10-09"), ("2025-12-31", "2026-01-04"),
    ],
)  # fmt: skip
def test_t_plus_one_is_the_next_day_on_which_banks_work(day: str, then: str) -> None:
    assert next_bank_day(date.fromisoformat(day)) == date.fromisoformat(then)


def test_a_make_up_saturday_is_a_bank_s_day_and_no_trading_day() -> None:
    assert is_bank_day(date(2026, 10, 10))
    assert not is_trading_day(date(2026, 10, 10))
    assert income_days(date(2026, 10, 8)) == 8
    assert income_days(date(2026, 10, 12)) == 3
    assert income_days(date(2026, 9, 29)) == 1


def test_past_the_calendar_s_horizon_nothing_is_guessed() -> None:
    with pytest.raises(CallerError, match="calendar_horizon"):
        next_bank_day(date(2090, 1, 1))


def test_over_the_holiday_the_bank_advances_at_once_and_is_repaid_on_the_eighth(
    world: World,
) -> None:
    assert world.pay(30_000) == ""
    assert world.refund("pay_1", 5_000) == "succeeded"
    assert world.banks.moved == {}
    world.pass_to(DAY, hour=17)
    assert world.banks.nets("RESERVE-TILLWAY") == {"STL-ADVBANK-20260930": 25_000}
    assert world.banks.moved["STL-ADVBANK-20260930"].value_date == DAY
    assert (world.balance(ADVANCER), world.balance(FUND_COMPANY)) == (-25_000, 25_000)
    for day in range(1, 8):
        world.pass_to(date(2026, 10, day))
        assert world.balance(ADVANCER) == -25_000
    world.pass_to(date(2026, 10, 8))
    assert (world.balance(ADVANCER), world.balance(FUND_COMPANY)) == (0, 0)
    page = world.house.books.account_day(ADVANCER, date(2026, 10, 8))
    assert [one.reference for one in page.movements] == ["REPAY-20260930"]


def test_what_comes_after_the_bank_s_cut_off_is_of_the_next_day(world: World) -> None:
    world.clock.at(DAY, 16, 59)
    assert world.fund.day() == DAY
    world.clock.at(DAY, 17)
    assert world.fund.day() == DAY + timedelta(days=1)
    world.pay(100)
    assert world.fund.advanced.net(DAY) == 0
    assert world.fund.advanced.net(DAY + timedelta(days=1)) == 100


def test_our_own_advance_is_paid_to_our_own_account_on_t_plus_one(world: World) -> None:
    book = world.fund.unadvanced
    world.pay(30_000, book=book)
    world.refund("pay_1", 1_000, book=book)
    world.pass_to(date(2026, 10, 7))
    assert world.banks.moved == {}
    world.pass_to(date(2026, 10, 8))
    assert world.banks.nets("OWN-TILLWAY") == {"STL-FUND-20260930": 29_000}
    assert world.balance(FUND_COMPANY) == 0


def test_more_bought_back_than_redeemed_is_taken_out_of_the_reserve(world: World) -> None:
    world.pay(10_000)
    world.pass_to(DAY, hour=17)
    world.refund("pay_1", 4_000)
    world.pass_to(date(2026, 10, 1), hour=17)
    assert world.banks.nets("RESERVE-TILLWAY") == {
        "STL-ADVBANK-20260930": 10_000,
        "STL-ADVBANK-20261001": -4_000,
    }
    world.pass_to(date(2026, 10, 8))
    assert (world.balance(ADVANCER), world.balance(FUND_COMPANY)) == (0, 0)


def test_ten_thousand_yuan_a_day_over_both_channels_and_refunds_give_none_of_it_back(
    world: World,
) -> None:
    assert world.pay(600_000) == ""
    assert world.pay(400_001) == "LIMIT_DAY"
    assert world.pay(400_000, book=world.fund.unadvanced) == ""
    world.refund("pay_1", 600_000)
    assert world.pay(1) == "LIMIT_DAY"
    world.clock.at(DAY, 17)
    assert world.pay(1) == ""


def test_a_reversed_redemption_does_not_count_against_the_day(world: World) -> None:
    world.pay(1_000_000, name="pay_x")
    assert world.fund.advanced.reverse("pay_x", day=world.fund.day()).state == "reversed"
    assert world.pay(1_000_000) == ""


def test_a_silent_bank_is_told_again_under_the_same_reference(world: World) -> None:
    world.pay(10_000)
    world.banks.silent, world.banks.queues = 1, 1
    for _ in range(4):
        world.pass_to(DAY, hour=18)
    assert world.banks.nets("RESERVE-TILLWAY") == {"STL-ADVBANK-20260930": 10_000}


def test_the_price_is_published_each_trading_day_and_income_comes_as_units(world: World) -> None:
    world.pass_to(DAY)
    world.pass_to(date(2026, 10, 9))
    days = [date(2026, 9, 29) + timedelta(days=number) for number in range(10)]
    found = {day: world.fund.till.published(day) for day in days}
    assert [day.day for day, published in found.items() if published] == [29, 30, 8]
    last = found[date(2026, 10, 8)]
    assert last is not None
    assert last.text() == {
        "day": "2026-10-08", "unit_value": "1.0000", "income_per_10k": "0.4321", "days": 8,
    }  # fmt: skip
    first = 2_000_000 * INCOME_PER_10K_E4 // 100_000_000
    held = 2_000_000 + first
    rest = held * INCOME_PER_10K_E4 * 8 // 100_000_000
    assert world.balance("I1") == held + rest
    for _ in range(3):
        world.pass_to(date(2026, 10, 9))
    assert world.balance("I1") == held + rest


@settings(max_examples=200)
@given(
    st.lists(st.integers(0, 10**10), min_size=1, max_size=20), st.integers(0, 30_000),
    st.integers(1, 30),
)  # fmt: skip
def test_income_leaks_nothing_and_is_never_more_than_the_fund_s(
    units: list[int], rate_e4: int, days: int
) -> None:
    published = Published(DAY, rate_e4, days)
    given = sum(income_minor(one, published) for one in units)
    whole = income_minor(sum(units), published)
    assert whole - len(units) < given <= whole


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pay", "own", "refund", "reverse", "day"]), st.integers(1, 300_000)
        ),
        max_size=30,
    )
)
def test_whatever_happens_the_banks_are_told_each_day_s_net_and_all_is_repaid(
    steps: list[tuple[str, int]],
) -> None:
    world, paid, day = World(date(2026, 9, 28)), list[tuple[str, OrderBook]](), date(2026, 9, 28)
    for number, (what, amount) in enumerate(steps):
        book = world.fund.unadvanced if what == "own" else world.fund.advanced
        match what:
            case "pay" | "own":
                if not world.pay(amount, book=book, name=f"pay_s{number}"):
                    paid.append((f"pay_s{number}", book))
            case "refund" if paid:
                order_id, of = paid[number % len(paid)]
                world.refund(order_id, amount, book=of)
            case "reverse" if paid:
                order_id, of = paid[number % len(paid)]
                of.reverse(order_id, day=world.fund.day())
            case "day":
                day += timedelta(days=1)
                world.pass_to(day)
    world.pass_to(date(2026, 11, 30))
    for book, prefix, account in (
        (world.fund.advanced, "ADVBANK", "RESERVE-TILLWAY"),
        (world.fund.unadvanced, "FUND", "OWN-TILLWAY"),
    ):
        days = [date(2026, 9, 28) + timedelta(days=n) for n in range(63)]
        nets = {f"STL-{prefix}-{one:%Y%m%d}": book.net(one) for one in days}
        assert world.banks.nets(account) == {name: net for name, net in nets.items() if net}
    assert world.balance(FUND_COMPANY) == world.balance(ADVANCER) == 0
    assert sum(map(world.balance, world.house.books.numbers())) == 0
    assert world.balance(VAULT_ACCOUNT) == -2_000_000
    assert world.balance(EARNINGS) <= 0
    world.house.books.close()
