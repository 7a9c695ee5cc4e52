"""Posting: once per id, all or nothing, never below a floor; holds end once."""

import pytest

from backend.ledger.model import Transfer
from backend.ledger.rules import (
    Event,
    balance_held,
    balance_paid,
    balance_refunded,
    exchange_bought,
    exchange_paid,
    hold_expired,
    hold_posted,
    hold_voided,
    merchant_settled,
    payout_instructed,
    reversed_transfers,
)
from protocol.errors import CallerError
from protocol.money import Money
from tests.support.books import DATE, START_MS, Books, Post

PAYER, PENDING = "C:CUST:ann:CNY", "C:MPEND:shop:CNY"


def event(name: str) -> Event:
    return Event(name, "CNY", DATE)


def pay(name: str, amount_minor: int = 10_000, fee_minor: int = 60) -> list[Transfer]:
    return balance_paid(
        event(name), user_id="ann", merchant_id="shop", amount_minor=amount_minor,
        fee_minor=fee_minor,
    )  # fmt: skip


def hold(name: str, amount_minor: int, expires_at_ms: int = START_MS + 1000) -> list[Transfer]:
    return balance_held(
        event(name), user_id="ann", merchant_id="shop", amount_minor=amount_minor,
        expires_at_ms=expires_at_ms,
    )  # fmt: skip


def test_a_payment_moves_the_amount_and_the_fee_in_both_books(books: Books) -> None:
    books.fund("ann", 50_000)
    assert books.post(pay("pay_1"))
    assert books.balance(PAYER) == 40_000
    assert books.balance(PENDING) == 9_940
    assert books.balance("C:UNSWEPT:CNY") == books.balance("O:DUE_CLIENT:CNY") == 60
    assert books.balance("O:MDR:CNY") == 60
    assert books.report().breaks == []


def test_the_same_transfers_post_once(books: Books) -> None:
    books.fund("ann", 50_000)
    assert books.post(pay("pay_1")) is True
    assert books.post(pay("pay_1")) is False
    outcomes = books.writer.apply([Post(pay("pay_2")), Post(pay("pay_2"))])
    assert [outcome.value() for outcome in outcomes] == [True, False]
    assert books.balance(PAYER) == 30_000


def test_the_same_id_with_other_content_is_a_conflict(books: Books) -> None:
    books.fund("ann", 50_000)
    books.post(pay("pay_1"))
    with pytest.raises(CallerError, match="transfer_conflict"):
        books.post(pay("pay_1", 10_001))
    with pytest.raises(CallerError, match="transfer_conflict"):
        books.post([*pay("pay_1"), *pay("pay_9")])
    assert books.balance(PAYER) == 40_000


def test_the_same_event_with_fewer_or_more_legs_is_a_conflict(books: Books) -> None:
    books.fund("ann", 50_000)
    books.post(pay("pay_1", fee_minor=60))
    with pytest.raises(CallerError, match="transfer_conflict"):
        books.post(pay("pay_1", fee_minor=0))
    books.post(pay("pay_2", fee_minor=0))
    with pytest.raises(CallerError, match="transfer_conflict"):
        books.post(pay("pay_2", fee_minor=60))
    in_one_group = [Post(pay("pay_3", fee_minor=fee)) for fee in (60, 0, 60)]
    codes = [getattr(done.error, "code", None) for done in books.writer.apply(in_one_group)]
    assert codes == [None, "transfer_conflict", None]
    assert books.balance(PAYER) == 20_000


def test_legs_of_nothing_leave_no_gap_in_the_numbers(books: Books) -> None:
    """Else a settlement whose first shard was empty could be posted again with the first only."""
    books.fund("ann", 50_000)
    books.post(pay("pay_1", 10_000, 0))
    parts = (("shop#1", 0), ("shop", 4_000))
    settled = merchant_settled(
        event("stl_1"), merchant_id="shop", amount_minor=4_000, shards_minor=parts
    )
    assert [transfer.id for transfer in settled] == ["stl_1:1"]
    books.post(settled)
    other = merchant_settled(
        event("stl_1"), merchant_id="shop", amount_minor=4_000,
        shards_minor=(("shop#1", 4_000), ("shop", 0)),
    )  # fmt: skip
    with pytest.raises(CallerError, match="transfer_conflict"):
        books.post(other)


def test_a_payer_cannot_spend_more_than_the_balance(books: Books) -> None:
    books.fund("ann", 10_000)
    outcomes = books.writer.apply([Post(pay(f"pay_{n}", 4_000, 0)) for n in range(3)])
    assert [outcome.error is None for outcome in outcomes] == [True, True, False]
    with pytest.raises(CallerError, match="insufficient_balance"):
        outcomes[2].value()
    assert books.balance(PAYER) == 2_000
    assert books.report().breaks == []


def test_a_refused_chain_changes_nothing_at_all(books: Books) -> None:
    with pytest.raises(CallerError, match="insufficient_balance"):
        books.post(pay("pay_1"))
    report = books.report()
    assert (report.transfers, report.accounts, report.groups) == (0, 0, 0)


def test_a_merchant_without_cover_cannot_refund(books: Books) -> None:
    books.fund("ann", 10_000)
    books.post(pay("pay_1"))
    books.post(merchant_settled(event("stl_1"), merchant_id="shop", amount_minor=9_940))
    refund = balance_refunded(
        event("rfd_1"), user_id="ann", sources=[(PENDING, 10_000)], fee_back_minor=60
    )
    with pytest.raises(CallerError, match="merchant_balance_short"):
        books.post(refund)
    with pytest.raises(CallerError, match="merchant_balance_short"):
        books.post(payout_instructed(event("pyo_1"), merchant_id="shop", amount_minor=9_941))


def test_a_refund_is_covered_by_its_own_returned_fee(books: Books) -> None:
    """Floors are checked when the whole chain is applied: 9 940 and 60 back cover 10 000."""
    books.fund("ann", 10_000)
    books.post(pay("pay_1"))
    books.post(
        balance_refunded(event("rfd_1"), user_id="ann", sources=[(PENDING, 10_000)],
                         fee_back_minor=60, refers_to="pay_1:1")
    )  # fmt: skip
    assert books.balance(PAYER) == 10_000
    assert books.balance(PENDING) == books.balance("C:UNSWEPT:CNY") == 0
    assert books.report().breaks == []


def test_a_reversal_is_the_exact_contra(books: Books) -> None:
    books.fund("ann", 10_000)
    payment = pay("pay_1")
    books.post(payment)
    books.post(reversed_transfers(event("pay_1.reversed"), payment))
    assert books.balance(PAYER) == 10_000
    assert books.balance("O:MDR:CNY") == 0
    assert books.report().breaks == []


def test_an_exchange_happens_in_both_currencies_or_in_neither(books: Books) -> None:
    books.fund("ann", 10_000)
    for name, price in (("fx_1", 7_200), ("fx_2", 2_801)):
        exchange = exchange_paid(
            event(name), user_id="ann", merchant_id="shop", amount_minor=price, spread_minor=20,
            bought=Money(1_000, "USD"),
        )  # fmt: skip
        if name == "fx_2":
            with pytest.raises(CallerError, match="insufficient_balance"):
                books.post(exchange)
        else:
            assert books.post(exchange)
            assert not books.post(exchange)
    assert books.balance(PAYER) == 2_800
    assert books.balance("C:MPEND:shop:USD") == books.balance("C:FXPOS:USD") == 1_000
    assert books.balance("C:FXPOS:CNY") == -7_180
    with pytest.raises(CallerError, match="account_short"):
        books.post(exchange_bought(event("buy_1"), amount_minor=7_180, bought=Money(1_000, "USD")))
    assert books.balance("C:NOSTRO:USD") == 0
    assert books.report().breaks == []


def test_a_hold_takes_from_what_is_available_and_a_part_of_it_can_be_posted(books: Books) -> None:
    books.fund("ann", 10_000)
    (held,) = hold("hld_1", 8_000)
    books.post([held])
    assert (books.balance(PAYER), books.available(PAYER)) == (10_000, 2_000)
    with pytest.raises(CallerError, match="insufficient_balance"):
        books.post(pay("pay_1", 2_001, 0))
    books.post(hold_posted(event("cap_1"), held, amount_minor=5_000))
    assert (books.balance(PAYER), books.available(PAYER)) == (5_000, 5_000)
    assert books.balance(PENDING) == 5_000
    assert books.report().breaks == []


def test_a_hold_ends_once(books: Books) -> None:
    books.fund("ann", 10_000)
    (held,) = hold("hld_1", 8_000)
    books.post([held])
    with pytest.raises(CallerError, match="transfer_state"):
        books.post(hold_posted(event("cap_0"), held, amount_minor=8_001))
    books.post(hold_voided(event("void_1"), held))
    assert books.available(PAYER) == 10_000
    with pytest.raises(CallerError, match="transfer_state"):
        books.post(hold_posted(event("cap_1"), held, amount_minor=1))
    assert books.post(hold_voided(event("void_1"), held)) is False
    assert books.report().breaks == []


def test_a_hold_expires_when_its_time_has_passed_and_not_before(books: Books) -> None:
    books.fund("ann", 10_000)
    (held,) = hold("hld_1", 8_000)
    books.post([held])
    with pytest.raises(CallerError, match="transfer_state"):
        books.post(hold_expired(event("exp_1"), held))
    books.clock.ms += 1000
    with pytest.raises(CallerError, match="transfer_state"):
        books.post(hold_posted(event("cap_1"), held, amount_minor=1))
    books.post(hold_expired(event("exp_1"), held))
    assert books.available(PAYER) == 10_000
    assert books.report().breaks == []


def test_what_is_not_a_transfer_is_refused(books: Books) -> None:
    good = Transfer(
        "evt_1:1", 1, "C:CH:NUCC:CNY", PAYER, 5, "CNY", "top_up", "posted", None, None, DATE
    )
    for changes, code in (
        ({"amount_minor": 0}, "amount_invalid"),
        ({"amount_minor": -5}, "amount_invalid"),
        ({"amount_minor": 1.5}, "amount_invalid"),
        ({"currency": "USD"}, "currency_mismatch"),
        ({"credit": "C:CUST:ann:USD"}, "currency_mismatch"),
        ({"credit": "C:NOWHERE:CNY"}, "account_unknown"),
        ({"credit": "C:CUST:CNY"}, "account_unknown"),
    ):
        with pytest.raises(CallerError, match=code):
            books.post([good._replace(**changes)])
    with pytest.raises(CallerError, match="id_invalid"):
        Event("pay_1\n", "CNY", DATE)
    assert books.report().transfers == 0
