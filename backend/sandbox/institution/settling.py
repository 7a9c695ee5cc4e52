"""Amounts between institutions: kept in the teller's own books until the reserve bank moved them.

Rule 1: an order is written in the transaction that makes it due, and told afterwards.
Rule 2: it is told again, under the same reference, until the reserve bank says what became of it.
Rule 3: *waiting* becomes *settled* or *refused*, once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

import structlog

from backend.sandbox.institution.books import Books
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

State = Literal["waiting", "settled", "refused"]
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SettlementOrder:
    """Let the reserve bank move ``amount`` from a settlement account to another."""

    reference: str
    debtor: str
    creditor: str
    amount: Money
    value_date: date


@dataclass(frozen=True, slots=True)
class SettlementWord:
    """What the reserve bank says of an order; *waiting*: it stands in the queue there."""

    state: State
    reason: str = ""


class SettlementAgent(Protocol):
    """The line to the reserve bank."""

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        """Tell an order, for the first time or again; ``OperatingError``: nobody knows."""
        ...


class SettlementOutbox:
    """The orders of one institution, in its books."""

    def __init__(self, books: Books) -> None:
        self._books, self._db = books, books.db
        books.add_tables("backend.sandbox.institution", "settling.sql")
        self._telling = asyncio.Lock()

    def add(self, order: SettlementOrder) -> None:
        """Keep an order; the same again changes nothing. Call it inside the transaction."""
        known = self.find(order.reference)
        if known is not None:
            if known != order:
                raise CallerError("idempotency_conflict", "settlement order")
            return
        self._db.execute(
            "INSERT INTO settlement_order VALUES (?, ?, ?, ?, ?, ?, 'waiting', '')",
            (order.reference, order.debtor, order.creditor, order.amount.amount_minor,
             order.amount.currency, order.value_date.isoformat()),
        )  # fmt: skip

    def find(self, reference: str) -> SettlementOrder | None:
        """The order under a reference."""
        row = self._db.execute(_SELECT + " WHERE reference = ?", (reference,)).fetchone()
        return None if row is None else _order(row)

    def word(self, reference: str) -> SettlementWord:
        """What is known of an order."""
        state, reason = self._db.execute(
            "SELECT state, reason FROM settlement_order WHERE reference = ?", (reference,)
        ).fetchone()
        return SettlementWord(state, reason)

    def waiting(self) -> Sequence[SettlementOrder]:
        """The orders the reserve bank has not answered for good."""
        rows = self._db.execute(_SELECT + " WHERE state = 'waiting' ORDER BY rowid")
        return [_order(row) for row in rows]

    def pay_out(
        self, reference: str, net: Money, *, here: tuple[str, str], there: tuple[str, str], on: date
    ) -> None:
        """Book a net between two accounts here, and order it between two of the reserve bank's:
        from the first to the second, or back where it is negative. Call it inside the
        transaction."""
        if not net.amount_minor:
            return
        if net.amount_minor < 0:
            here, there = here[::-1], there[::-1]
        amount = Money(abs(net.amount_minor), net.currency)
        self._books.move(reference, *here, amount, on, "settlement")
        self.add(SettlementOrder(reference, *there, amount, on))

    async def tell(self, agent: SettlementAgent) -> int:
        """Tell what waits, in order, and return how many orders still do."""
        async with self._telling:
            for order in self.waiting():
                try:
                    word = await agent.settle(order)
                except OperatingError as error:
                    _log.warning("settlement_untold", reference=order.reference, code=error.code)
                    break
                self._db.execute(
                    "UPDATE settlement_order SET state = ?, reason = ?"
                    " WHERE reference = ? AND state = 'waiting'",
                    (word.state, word.reason, order.reference),
                )
            return len(self.waiting())


_SELECT = (
    "SELECT reference, debtor, creditor, amount_minor, currency, value_date FROM settlement_order"
)


def _order(row: tuple[str, str, str, int, str, str]) -> SettlementOrder:
    reference, debtor, creditor, minor, currency, day = row
    amount = Money(minor, currency)
    return SettlementOrder(reference, debtor, creditor, amount, date.fromisoformat(day))
