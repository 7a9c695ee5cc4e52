"""What every payment channel of the sandbox does with orders, reversals and refunds.

Rule 1: the same id with the same content gets the first answer, with other content a refusal.
Rule 2: a reversal always comes first: of an unknown order it leaves a tombstone, and the order is
        refused when it comes late.
Rule 3: what a day's settlement holds is not reversed any more; it can be refunded.
Rule 4: refunds and chargebacks of an order sum to the order at most.
Rule 5: what is taken by mistake is an order like others, under a number of the channel's own; the
        day's file names it as its payer's true order, or as one that nobody knows.
"""

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Protocol

from backend.channels.day_file import DayRow
from backend.channels.model import ChannelAnswer, ChannelState, PayOrder, RefundOrder
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import Faults
from protocol import ids
from protocol.errors import CallerError
from protocol.money import Money

CURRENCY = "CNY"
OVERCHARGES = ("charge_twice", "charge_unasked")
"""Faults of whoever takes payments: the payer pays twice under one order, or once more under a
reference that nobody has told."""


class Till(Protocol):
    """How one channel moves the money of an order."""

    @property
    def channel(self) -> str:
        """The channel's name."""
        ...

    def refusal(self, account: str, amount: Money, *, day: date) -> str:
        """Why an account cannot pay this; empty if it can."""
        ...

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Take an order's money."""
        ...

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Give an order's money back."""
        ...


class OrderBook:
    """The orders of one channel, in its institution's books. ``is_final``: what was paid once is
    never reversed, only refunded."""

    def __init__(self, books: Books, till: Till, *, is_final: bool = False) -> None:
        books.add_tables("backend.sandbox.institution", "orders.sql")
        self._books = books
        self._till = till
        self._channel = till.channel
        self._is_final = is_final

    def bind(self, token: str, account: str) -> None:
        """Let a token stand for an account; repeating it changes nothing."""
        with self._books.transaction():
            self._books.db.execute(
                "INSERT INTO channel_token VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (self._channel, token, account),
            )
            if self.account(token) != account:
                raise CallerError("idempotency_conflict", "token")

    def account(self, token: str) -> str | None:
        """The account a token stands for; None where it stands for none."""
        row = self._books.db.execute(
            "SELECT account FROM channel_token WHERE channel = ? AND token = ?",
            (self._channel, token),
        ).fetchone()
        return None if row is None else str(row[0])

    def token_of(self, order_id: str) -> str:
        """The token that an order named; empty for one that never came."""
        known = self.order(order_id)
        return "" if known is None else self._content(order_id)[0]

    def pay(self, order: PayOrder, *, day: date, refuse: bool = False) -> ChannelAnswer:
        """Take the money, unless the order is known, reversed before it came, or cannot be paid."""
        with self._books.transaction():
            known = self.order(order.order_id)
            if known is not None:
                self._check_same(order, known)
                return known
            account = self.account(order.token)
            reason = "refused by the issuer" if refuse else self._refusal(account, order, day)
            state: ChannelState = "refused" if reason else "succeeded"
            self._insert(order.order_id, order.token, order.amount, day, state, reason)
            if not reason:
                assert account is not None
                self._till.take(self._name(order.order_id), account, order.amount, day=day)
            return self._known(order.order_id)

    def overcharge(self, order: PayOrder, faults: Faults, *, day: date) -> list[str]:
        """Take the money again as the faults that are due say; returns the new orders' ids."""
        made = []
        for name in OVERCHARGES:
            account = self.account(order.token)
            if account is None or not faults.strikes(name):
                continue
            with self._books.transaction():
                order_id = f"{order.order_id}.{name}{self._strays() + 1}"
                said = order.order_id if name == "charge_twice" else _stranger(order_id)
                self._insert(order_id, order.token, order.amount, day, "succeeded", "")
                self._books.db.execute(
                    "INSERT INTO channel_stray VALUES (?, ?, ?)", (self._channel, order_id, said)
                )
                self._till.take(self._name(order_id), account, order.amount, day=day)
            made.append(order_id)
        return made

    def order_of(self, number: str) -> str:
        """The order's id behind the channel's own number."""
        return number.removeprefix(f"{self._channel}-")

    def order(self, order_id: str) -> ChannelAnswer | None:
        """What became of an order; None if it never arrived."""
        row = self._books.db.execute(
            "SELECT state, reason, day FROM channel_order WHERE channel = ? AND order_id = ?",
            (self._channel, order_id),
        ).fetchone()
        if row is None:
            return None
        return ChannelAnswer(order_id, row[0], row[1], self._name(order_id), row[2])

    def reverse(self, order_id: str, *, day: date) -> ChannelAnswer:
        """Undo an order, whatever became of it; a settled or refunded one stays."""
        with self._books.transaction():
            known = self.order(order_id)
            if known is None:
                self._insert(order_id, "", Money(0, CURRENCY), day, "reversed", "")
                return self._known(order_id)
            if known.state == "succeeded":
                reason = self._why_it_stays(known)
                if reason:
                    reference, settled_on = known.reference, known.settlement_date
                    return ChannelAnswer(order_id, "refused", reason, reference, settled_on)
                token, amount = self._content(order_id)
                account = self.account(token)
                assert account is not None
                self._till.give(f"{known.reference}-R", account, amount, day=day)
            self._books.db.execute(
                "UPDATE channel_order SET state = 'reversed' WHERE channel = ? AND order_id = ?",
                (self._channel, order_id),
            )
            return self._known(order_id)

    def refund(self, asked: RefundOrder, *, day: date, refuse: bool = False) -> ChannelAnswer:
        """Give back a part of an order, if so much of it is left."""
        with self._books.transaction():
            known = self.refund_result(asked.refund_id)
            if known is not None:
                self._check_same_refund(asked)
                return known
            refusal = self._refund_refusal(asked.order_id, asked.amount)
            reason = "refused by the issuer" if refuse else refusal
            state = "refused" if reason else "succeeded"
            self._books.db.execute(
                "INSERT INTO channel_refund VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self._channel, asked.refund_id, asked.order_id, asked.amount.amount_minor,
                 asked.amount.currency, day.isoformat(), state, reason),
            )  # fmt: skip
            if not reason:
                account = self.account(self._content(asked.order_id)[0])
                assert account is not None
                self._till.give(self._name(asked.refund_id), account, asked.amount, day=day)
            answer = self.refund_result(asked.refund_id)
            assert answer is not None
            return answer

    def refund_result(self, refund_id: str) -> ChannelAnswer | None:
        """What became of a refund; None if it never arrived."""
        row = self._books.db.execute(
            "SELECT state, reason, day FROM channel_refund WHERE channel = ? AND refund_id = ?",
            (self._channel, refund_id),
        ).fetchone()
        if row is None:
            return None
        return ChannelAnswer(refund_id, row[0], row[1], self._name(refund_id), row[2])

    def charge_back(self, case_id: str, order_id: str, amount: Money, *, day: date) -> str:
        """Give a payer what a lost dispute takes out of a day; returns the day it first did."""
        with self._books.transaction():
            known = self._books.db.execute(
                "SELECT order_id, amount_minor, currency, day FROM channel_chargeback"
                " WHERE channel = ? AND case_id = ?",
                (self._channel, case_id),
            ).fetchone()
            if known is not None:
                if known[:3] != (order_id, amount.amount_minor, amount.currency):
                    raise CallerError("idempotency_conflict", "case")
                return str(known[3])
            reason = self._refund_refusal(order_id, amount)
            if reason:
                raise CallerError("field_invalid", reason)
            self._books.db.execute(
                "INSERT INTO channel_chargeback VALUES (?, ?, ?, ?, ?, ?)",
                (self._channel, case_id, order_id, amount.amount_minor, amount.currency,
                 day.isoformat()),
            )  # fmt: skip
            account = self.account(self._content(order_id)[0])
            assert account is not None
            self._till.give(self._name(case_id), account, amount, day=day)
            return day.isoformat()

    def rows(self, day: date) -> list[DayRow]:
        """The channel's own list of a day: what was taken and what was given back."""
        keys = (self._channel, day.isoformat())
        orders = self._books.db.execute(
            "SELECT order_id, coalesce(said, order_id), token, amount_minor, currency"
            " FROM channel_order LEFT JOIN channel_stray USING (channel, order_id)"
            " WHERE channel = ? AND day = ? AND state = 'succeeded' ORDER BY order_id", keys
        )  # fmt: skip
        refunds = self._books.db.execute(
            "SELECT refund_id, order_id, amount_minor, currency FROM channel_refund"
            " WHERE channel = ? AND day = ? AND state = 'succeeded' ORDER BY refund_id", keys
        )  # fmt: skip
        cases = self._books.db.execute(
            "SELECT case_id, order_id, amount_minor, currency FROM channel_chargeback"
            " WHERE channel = ? AND day = ? ORDER BY case_id", keys
        )  # fmt: skip
        paid = [
            DayRow("payment", said, a, Money(m, c), self._name(i)) for i, said, a, m, c in orders
        ]
        given = [DayRow("refund", i, a, Money(m, c), self._name(i)) for i, a, m, c in refunds]
        return (
            paid
            + given
            + [DayRow("chargeback", i, a, Money(m, c), self._name(i)) for i, a, m, c in cases]
        )

    def net(self, day: date) -> int:
        """What the channel owes for a day; negative: it is owed."""
        return sum(row.signed_minor for row in self.rows(day))

    def open_days(self, before: date) -> list[date]:
        """Days before one on which anything moved and that are not settled, in order."""
        found = self._books.db.execute(
            "SELECT DISTINCT day FROM (SELECT channel, day FROM channel_order"
            " UNION SELECT channel, day FROM channel_refund"
            " UNION SELECT channel, day FROM channel_chargeback) AS moved"
            " WHERE channel = ?1 AND day < ?2 AND day NOT IN"
            " (SELECT day FROM channel_settlement WHERE channel = ?1) ORDER BY day",
            (self._channel, before.isoformat()),
        )
        return [date.fromisoformat(day) for (day,) in found]

    def close_day(self, day: date, then: Callable[[int], None]) -> int:
        """Close a day, once, and return its net. ``then`` has the net moved or told, in the same
        transaction; a net of zero moves nothing."""
        with self._books.transaction():
            known = self._settled(day)
            if known is not None:
                return known
            net = self.net(day)
            self._books.db.execute(
                "INSERT INTO channel_settlement VALUES (?, ?, ?)",
                (self._channel, day.isoformat(), net),
            )
            if net:
                then(net)
            return net

    def settle(self, reserve: str, transit: str, *, day: date, booked_on: date) -> int:
        """Close a day whose net is paid to an account of these very books, or taken out of it."""

        def pay(net: int) -> None:
            debit, credit = (transit, reserve) if net > 0 else (reserve, transit)
            reference, amount = f"STL-{self._channel}-{day:%Y%m%d}", Money(abs(net), CURRENCY)
            self._books.move(reference, debit, credit, amount, booked_on, "settlement")

        return self.close_day(day, pay)

    def _refusal(self, account: str | None, order: PayOrder, day: date) -> str:
        if account is None:
            return "AC01"
        return self._till.refusal(account, order.amount, day=day)

    def _refund_refusal(self, order_id: str, wanted: Money) -> str:
        known = self.order(order_id)
        if known is None or known.state != "succeeded":
            return "no such payment"
        left = self._content(order_id)[1].amount_minor - self._given_back(order_id)
        is_too_much = wanted.amount_minor > left
        return "above the payment" if is_too_much or wanted.currency != CURRENCY else ""

    def _why_it_stays(self, known: ChannelAnswer) -> str:
        if self._is_final:
            return "final"
        if self._settled(date.fromisoformat(known.settlement_date)) is not None:
            return "settled"
        return "refunded" if self._given_back(known.order_id) else ""

    def _given_back(self, order_id: str) -> int:
        row = self._books.db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM"
            " (SELECT amount_minor FROM channel_refund"
            " WHERE channel = ?1 AND order_id = ?2 AND state = 'succeeded'"
            " UNION ALL SELECT amount_minor FROM channel_chargeback"
            " WHERE channel = ?1 AND order_id = ?2) AS given",
            (self._channel, order_id),
        ).fetchone()
        return int(row[0])

    def _settled(self, day: date) -> int | None:
        row = self._books.db.execute(
            "SELECT net_minor FROM channel_settlement WHERE channel = ? AND day = ?",
            (self._channel, day.isoformat()),
        ).fetchone()
        return None if row is None else int(row[0])

    def _content(self, order_id: str) -> tuple[str, Money]:
        token, amount_minor, currency = self._books.db.execute(
            "SELECT token, amount_minor, currency FROM channel_order"
            " WHERE channel = ? AND order_id = ?",
            (self._channel, order_id),
        ).fetchone()
        return token, Money(amount_minor, currency)

    def _check_same(self, order: PayOrder, known: ChannelAnswer) -> None:
        token, amount = self._content(order.order_id)
        is_tombstone = known.state == "reversed" and not token
        if not is_tombstone and (token, amount) != (order.token, order.amount):
            raise CallerError("idempotency_conflict", "order")

    def _check_same_refund(self, asked: RefundOrder) -> None:
        row = self._books.db.execute(
            "SELECT order_id, amount_minor, currency FROM channel_refund"
            " WHERE channel = ? AND refund_id = ?",
            (self._channel, asked.refund_id),
        ).fetchone()
        if row != (asked.order_id, asked.amount.amount_minor, asked.amount.currency):
            raise CallerError("idempotency_conflict", "refund")

    def _insert(
        self, order_id: str, token: str, amount: Money, day: date, state: str, reason: str
    ) -> None:
        self._books.db.execute(
            "INSERT INTO channel_order VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (self._channel, order_id, token, amount.amount_minor, amount.currency,
             day.isoformat(), state, reason),
        )  # fmt: skip

    def _known(self, order_id: str) -> ChannelAnswer:
        answer = self.order(order_id)
        assert answer is not None
        return answer

    def _strays(self) -> int:
        query = "SELECT count(*) FROM channel_stray WHERE channel = ?"
        return int(self._books.db.execute(query, (self._channel,)).fetchone()[0])

    def _name(self, own_id: str) -> str:
        """The channel's own number for an order or a refund."""
        return f"{self._channel}-{own_id}"


def _stranger(order_id: str) -> str:
    """A reference like a payment of ours that nobody knows."""
    return ids.from_bytes(ids.PAYMENT, hashlib.sha256(order_id.encode()).digest()[:16])
