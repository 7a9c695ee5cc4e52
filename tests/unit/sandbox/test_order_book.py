"""An order book's rules: first answers, tombstones, settled days, refunds up to the order."""

from collections.abc import Iterator
from datetime import date

import pytest

from backend.channels.model import PayOrder, RefundOrder
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.orders import OrderBook
from backend.sandbox.netsunion.customers import TRANSIT, AgreementTill
from protocol.errors import CallerError
from protocol.money import Money

DAY = date(2026, 9, 30)
RESERVE = "RESERVE"


@pytest.fixture
def books() -> Iterator[Books]:
    books = Books(":memory:")
    books.open_account(RESERVE, "reserve", yuan(0), day=DAY)
    books.open_account("card-1", "李雷", yuan(100), day=DAY)
    yield books
    books.close()


@pytest.fixture
def book(books: Books) -> OrderBook:
    book = OrderBook(books, AgreementTill(books))
    book.bind("tok_card", "card-1")
    return book


def yuan(amount: int) -> Money:
    return Money(amount * 100, "CNY")


def order(order_id: str = "o1", amount: int = 30) -> PayOrder:
    return PayOrder(order_id, "tok_card", yuan(amount))


def left(books: Books, account: str = "card-1") -> int:
    return books.balance(account).amount_minor // 100


def test_an_order_is_paid_once_and_other_content_is_a_conflict(
    books: Books, book: OrderBook
) -> None:
    first = book.pay(order(), day=DAY)
    assert (first.state, book.pay(order(), day=date(2026, 10, 1))) == ("succeeded", first)
    assert left(books) == 70
    with pytest.raises(CallerError) as caught:
        book.pay(order(amount=31), day=DAY)
    assert caught.value.code == "idempotency_conflict"


def test_a_reversal_gives_back_once_and_is_the_order_s_end(books: Books, book: OrderBook) -> None:
    book.pay(order(), day=DAY)
    first = book.reverse("o1", day=DAY)
    assert (first.state, book.reverse("o1", day=DAY)) == ("reversed", first)
    assert book.pay(order(), day=DAY).state == "reversed"
    assert left(books) == 100


def test_a_reversal_before_its_order_leaves_a_tombstone(books: Books, book: OrderBook) -> None:
    assert book.reverse("o1", day=DAY).state == "reversed"
    assert book.pay(order(), day=DAY).state == "reversed"
    assert left(books) == 100
    assert book.rows(DAY) == []


def test_a_settled_or_refunded_order_is_not_reversed(books: Books, book: OrderBook) -> None:
    book.pay(order("o1"), day=DAY)
    book.pay(order("o2"), day=DAY)
    book.refund(RefundOrder("r2", "o2", yuan(1)), day=DAY)
    assert book.reverse("o2", day=DAY).reason == "refunded"
    book.settle(RESERVE, TRANSIT, day=DAY, booked_on=DAY)
    refused = book.reverse("o1", day=date(2026, 10, 1))
    assert (refused.state, refused.reason, refused.settlement_date) == (
        "refused", "settled", DAY.isoformat(),
    )  # fmt: skip
    assert left(books) == 41


def test_refunds_sum_to_the_order_at_most(books: Books, book: OrderBook) -> None:
    book.pay(order(), day=DAY)
    answers = [book.refund(RefundOrder(f"r{n}", "o1", yuan(10)), day=DAY) for n in range(4)]
    assert [answer.state for answer in answers] == ["succeeded"] * 3 + ["refused"]
    assert book.refund(RefundOrder("r0", "o1", yuan(10)), day=DAY) == answers[0]
    with pytest.raises(CallerError):
        book.refund(RefundOrder("r0", "o1", yuan(9)), day=DAY)
    assert book.refund(RefundOrder("r9", "nothing", yuan(1)), day=DAY).state == "refused"
    assert left(books) == 100


def test_a_day_is_settled_once_with_what_went_both_ways(books: Books, book: OrderBook) -> None:
    book.pay(order(amount=30), day=DAY)
    book.refund(RefundOrder("r1", "o1", yuan(5)), day=DAY)
    for _ in range(2):
        assert book.settle(RESERVE, TRANSIT, day=DAY, booked_on=DAY) == 2_500
    assert left(books, RESERVE) == 25
