"""e-CNY wallets: limits by class and date, payments that are final, refunds, the daily change."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.channels.model import PayOrder, RefundOrder
from backend.sandbox.ecny.limits import LENT_MINOR_MAX, default_limits, read_limits
from backend.sandbox.ecny.operator import Accounts, EcnyOperator
from backend.sandbox.ecny.wallets import INSTITUTION_WALLET
from protocol.errors import CallerError, OperatingError
from protocol.money import Money
from tests.support.houses import HandClock, NearReserve, near_house

DAY = date(2026, 9, 30)
ACCOUNTS = Accounts(settlement="SETTLE-ECNY", reserve="RESERVE-TILLWAY")


class World:
    """An operator with one wallet of each class."""

    def __init__(self) -> None:
        self.clock, self.reserve = HandClock(), NearReserve()
        self.clock.at(DAY)
        self.house = near_house("ecny", self.clock, "refuse_order", "refuse_refund")
        self.operator = EcnyOperator(
            self.house, limits=default_limits(), accounts=ACCOUNTS, agent=self.reserve
        )
        for wallet_class in (1, 2, 3, 4):
            self.open(wallet_class, 900_000)
        self.number = 0

    def open(self, wallet_class: int, amount_minor: int, name: str = "") -> str:
        number = name or f"W{wallet_class}"
        opening = Money(amount_minor, "CNY")
        today = self.house.clock.today()
        self.operator.till.open_wallet(number, "李雷", wallet_class, opening, day=today)
        self.operator.book.bind(f"tok_{number}", number)
        return number

    def fill(self, number: str, amount_minor: int) -> None:
        self.number += 1
        self.house.books.move(
            f"FILL-{self.number}", "EXCHANGED", number, Money(amount_minor, "CNY"), DAY, "exchange"
        )

    def pay(self, wallet: str, amount_minor: int, order_id: str = "") -> str:
        """The reason of the refusal; empty if it was paid."""
        self.number += 1
        order = PayOrder(
            order_id or f"pay_{self.number}", f"tok_{wallet}", Money(amount_minor, "CNY")
        )
        answer = self.operator.book.pay(order, day=self.house.clock.today())
        assert (answer.state == "succeeded") == (answer.reason == "")
        return answer.reason

    def refund(self, order_id: str, amount_minor: int, refund_id: str = "rfd_1") -> str:
        asked = RefundOrder(refund_id, order_id, Money(amount_minor, "CNY"))
        return self.operator.book.refund(asked, day=self.house.clock.today()).state

    def balance(self, number: str) -> int:
        return self.house.books.balance(number).amount_minor

    def pass_to(self, day: date) -> None:
        self.clock.at(day)
        asyncio.run(self.operator.time_passes())


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.house.books.close()


def test_each_class_has_its_limit_for_one_payment(world: World) -> None:
    world.fill("W1", 100_000_000)
    world.fill("W2", 100_000_000)
    for wallet, most in (("W4", 200_000), ("W3", 500_000), ("W2", 5_000_000)):
        assert world.pay(wallet, most + 1) == "LIMIT_PAYMENT"
        assert world.pay(wallet, most) == ""
    assert world.pay("W1", 90_000_000) == ""


def test_the_day_s_limit_counts_what_was_paid_and_begins_anew(world: World) -> None:
    assert [world.pay("W4", 200_000) for _ in range(3)] == ["", "", "LIMIT_DAY"]
    assert world.pay("W4", 100_000, "pay_last") == ""
    assert world.pay("W4", 1) == "LIMIT_DAY"
    assert world.refund("pay_last", 100_000) == "succeeded"
    assert world.pay("W4", 1) == "LIMIT_DAY"
    world.clock.at(DAY + timedelta(days=1))
    assert world.pay("W4", 1) == ""


def test_the_year_s_limit_of_class_four(world: World) -> None:
    day = date(2026, 12, 21)
    world.fill("W4", 10_000_000)
    for number in range(10):
        world.clock.at(day + timedelta(days=number))
        assert [world.pay("W4", 200_000), world.pay("W4", 200_000), world.pay("W4", 100_000)] == [
            "", "", "",
        ]  # fmt: skip
    world.clock.at(date(2026, 12, 31))
    assert world.pay("W4", 1) == "LIMIT_YEAR"
    world.clock.at(date(2027, 1, 1))
    assert world.pay("W4", 200_000) == ""


def test_the_reason_is_the_first_of_their_order_and_stays_the_same(world: World) -> None:
    assert world.pay("W4", 900_001, "pay_x") == "LIMIT_PAYMENT"
    world.open(4, 10, "W4poor")
    assert world.pay("W4poor", 11) == "AM04"
    world.fill("W4", 900_000)
    assert world.pay("W4", 900_001, "pay_x") == "LIMIT_PAYMENT"


def test_a_wallet_is_opened_within_its_class(world: World) -> None:
    with pytest.raises(CallerError, match="LIMIT_BALANCE"):
        world.open(4, 1_000_001, "W4rich")
    world.open(2, 50_000_000, "W2rich")
    with pytest.raises(CallerError, match="idempotency_conflict"):
        world.open(3, 900_000, "W4")


def test_limits_are_those_of_the_day() -> None:
    row = (
        "[[limits]]\nfrom = {}\nclass = 4\npayment_minor = {}\nday_minor = 9\nyear_minor = 9\n"
        "balance_minor = 9\n"
    )
    table = read_limits(row.format("2026-01-01", 5) + row.format("2027-03-01", 7))
    assert table.on(4, date(2026, 1, 1)).payment_minor == 5
    assert table.on(4, date(2027, 2, 28)).payment_minor == 5
    assert table.on(4, date(2027, 3, 1)).payment_minor == 7
    for wallet_class, day in ((4, date(2025, 12, 31)), (3, DAY)):
        with pytest.raises(CallerError, match="config_invalid"):
            table.on(wallet_class, day)


@pytest.mark.parametrize("text", ["", "limits = 1", "[[limits]]", "[[limits]]\nfrom = 'x'", "="])
def test_a_table_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        read_limits(text)


def test_what_was_paid_is_final_and_an_order_that_has_not_come_leaves_a_tombstone(
    world: World,
) -> None:
    world.pay("W3", 1_000, "pay_1")
    answer = world.operator.book.reverse("pay_1", day=DAY)
    assert (answer.state, answer.reason) == ("refused", "final")
    assert world.operator.book.reverse("pay_2", day=DAY).state == "reversed"
    order = PayOrder("pay_2", "tok_W3", Money(1_000, "CNY"))
    assert world.operator.book.pay(order, day=DAY).state == "reversed"
    assert (world.balance("W3"), world.balance(INSTITUTION_WALLET)) == (899_000, 1_000)


def test_fifty_refunds_give_it_all_back_and_no_more(world: World) -> None:
    world.pay("W3", 1_000, "pay_1")
    states = [world.refund("pay_1", 20, f"rfd_{number}") for number in range(51)]
    assert states == ["succeeded"] * 50 + ["refused"]
    assert (world.balance("W3"), world.balance(INSTITUTION_WALLET)) == (900_000, 0)


def test_the_day_s_net_is_changed_into_the_reserve_once(world: World) -> None:
    world.pay("W3", 1_000, "pay_1")
    world.refund("pay_1", 300)
    world.reserve.silent = 1
    for _ in range(3):
        world.pass_to(DAY + timedelta(days=1))
    assert world.reserve.nets("RESERVE-TILLWAY") == {"STL-ECNY-20260930": 700}
    first = world.operator.statement(DAY)
    assert (first.paid_minor, first.refunded_minor, first.closing_minor) == (1_000, 300, 700)
    second = world.operator.statement(DAY + timedelta(days=1))
    assert (second.opening_minor, second.exchanged_minor, second.closing_minor) == (700, 700, 0)
    assert first.is_balanced
    assert second.is_balanced


def test_a_refund_before_any_payment_is_lent_and_comes_out_of_the_reserve(world: World) -> None:
    world.pay("W3", 1_000, "pay_1")
    world.pass_to(DAY + timedelta(days=1))
    assert world.refund("pay_1", 400) == "succeeded"
    assert world.balance(INSTITUTION_WALLET) == -400
    world.pass_to(DAY + timedelta(days=2))
    assert world.reserve.nets("RESERVE-TILLWAY") == {
        "STL-ECNY-20260930": 1_000,
        "STL-ECNY-20261001": -400,
    }
    assert world.balance(INSTITUTION_WALLET) == 0


def test_what_is_lent_has_a_bound_and_a_refund_beyond_it_may_be_asked_again(world: World) -> None:
    world.fill("W1", LENT_MINOR_MAX + 2)
    world.pay("W1", LENT_MINOR_MAX + 1, "pay_1")
    world.pass_to(DAY + timedelta(days=1))
    with pytest.raises(OperatingError, match="busy"):
        world.refund("pay_1", LENT_MINOR_MAX + 1)
    assert world.operator.book.refund_result("rfd_1") is None
    world.pay("W3", 1)
    assert world.refund("pay_1", LENT_MINOR_MAX + 1) == "succeeded"


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["pay", "refund", "night"]),
            st.integers(1, 4),
            st.integers(1, 250_000),
        ),
        max_size=40,
    )
)
def test_whatever_happens_the_wallet_and_the_reserve_have_the_days_nets(
    steps: list[tuple[str, int, int]],
) -> None:
    world, paid, day = World(), list[str](), DAY
    for number, (what, wallet_class, amount) in enumerate(steps):
        match what:
            case "pay":
                name = f"pay_s{number}"
                if not world.pay(f"W{wallet_class}", amount, name):
                    paid.append(name)
            case "refund" if paid:
                world.refund(paid[number % len(paid)], amount, f"rfd_{number}")
            case "night":
                day += timedelta(days=1)
                world.pass_to(day)
    nets = {
        one: world.operator.book.net(one)
        for one in (DAY + timedelta(days=n) for n in range((day - DAY).days + 1))
    }
    changed = world.reserve.nets("RESERVE-TILLWAY")
    over = {f"STL-ECNY-{one:%Y%m%d}": net for one, net in nets.items() if one < day and net}
    assert changed == over
    assert world.balance(INSTITUTION_WALLET) == nets[day]
    assert sum(map(world.balance, world.house.books.numbers())) == 0
    for one in nets:
        assert world.operator.statement(one).is_balanced
    world.house.books.close()
