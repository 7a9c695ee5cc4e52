"""Pre-authorisations: money held on a card, used by a completion, or released.

A completion releases its whole hold and is an order like a payment; it may exceed the hold by
fifteen per cent. Its void brings the hold back.
"""

from datetime import date

from backend.channels.iso8583.messages import Kind, Transaction
from backend.channels.model import PayOrder
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.orders import OrderBook
from backend.sandbox.unionpay.issuers import HELD
from backend.sandbox.unionpay.limits import COMPLETION_PERCENT_MAX
from backend.sandbox.unionpay.traces import Told, Traces
from protocol.money import Money

_APPROVED, _INVALID, _CARD, _AMOUNT, _FUNDS, _DONE = "00", "12", "14", "64", "51", "22"


class Holds:
    """What is held, in the movements between the cards' accounts and ``CUP-HELD``."""

    def __init__(self, books: Books, book: OrderBook, traces: Traces) -> None:
        self._books = books
        self._book = book
        self._traces = traces

    def hold(self, said: Transaction, day: date) -> str:
        """Hold an amount on a card."""
        account = self._book.account(said.token)
        if account is None:
            return _CARD
        amount, reference = Money(said.amount_minor, "CNY"), f"HOLD-{said.own_id}"
        if self._books.has_moved(reference):
            return _APPROVED  # killed before it was noted
        if self._books.refusal(account, amount):
            return _FUNDS
        with self._books.transaction():
            self._books.move(reference, account, HELD, amount, day, "held")
        return _APPROVED

    def release(self, said: Transaction, held: Told, day: date) -> str:
        """The void of a pre-authorisation."""
        if said.amount_minor != held.amount_minor:
            return _AMOUNT
        return self.undo(held, day)

    def complete(self, said: Transaction, held: Told, day: date) -> str:
        """Use a hold, once."""
        if said.amount_minor * 100 > held.amount_minor * COMPLETION_PERCENT_MAX:
            return _AMOUNT
        if self._traces.sum_of(held.rrn, Kind.COMPLETION):
            return _INVALID
        self._give_back(held, f"USE-{said.own_id}", day)
        answer = self._book.pay(
            PayOrder(said.own_id, held.token, Money(said.amount_minor, "CNY")), day=day
        )
        if answer.state == "succeeded":
            return _APPROVED
        self._hold_again(held, f"KEEP-{said.own_id}", day)
        return _DONE if answer.state == "reversed" else _FUNDS

    def undo_completion(self, said: Transaction, completed: Told, day: date) -> str:
        """The void of a completion: all of it."""
        if said.amount_minor != completed.amount_minor:
            return _AMOUNT
        code = self.undo(completed, day)
        if code == _APPROVED:
            self._traces.mark_undone(completed.rrn)
        return code

    def undo(self, told: Told, day: date) -> str:
        """Give back what a pre-authorisation holds, or what a completion took."""
        if told.kind is Kind.PREAUTH:
            if self._traces.sum_of(told.rrn, Kind.COMPLETION):
                return _INVALID
            self._give_back(told, f"FREE-{told.own_id}", day)
            self._traces.mark_undone(told.rrn)
            return _APPROVED
        if self._book.reverse(told.own_id, day=day).state != "reversed":
            return _INVALID
        held = self._traces.by_rrn(told.original or 0)
        assert held is not None
        self._hold_again(held, f"BACK-{told.own_id}", day)
        return _APPROVED

    def _give_back(self, held: Told, reference: str, day: date) -> None:
        self._move(HELD, self._account(held), reference, held, day)

    def _hold_again(self, held: Told, reference: str, day: date) -> None:
        self._move(self._account(held), HELD, reference, held, day)

    def _move(self, debit: str, credit: str, reference: str, held: Told, day: date) -> None:
        if self._books.has_moved(reference):
            return
        with self._books.transaction():
            amount = Money(held.amount_minor, "CNY")
            self._books.move(reference, debit, credit, amount, day, "held")

    def _account(self, held: Told) -> str:
        account = self._book.account(held.token)
        assert account is not None
        return account
