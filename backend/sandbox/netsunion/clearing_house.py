"""The clearing house itself: transactions in, days closed, every member's net settled.

Rule 1: what happens to orders, reversals and refunds is the order book's matter; here every
        transaction number leads to one of our ids, even one that came as a reversal first.
Rule 2: a day ends at midnight in China. Closing it fixes every member's net, once, and tells the
        reserve bank; the debtors are told first.
Rule 3: a pay-out may be accepted and fail later; it stands in the day's list once it succeeded.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from backend.channels.epcc import ids
from backend.channels.epcc.day_text import DayLine
from backend.channels.model import NUCC, ChannelAnswer, PayoutOrder
from backend.sandbox.institution.house import House
from backend.sandbox.institution.orders import CURRENCY, OrderBook
from backend.sandbox.institution.own_clock import china_day
from backend.sandbox.institution.settling import SettlementOrder, SettlementOutbox
from backend.sandbox.netsunion.customers import TRANSIT, AgreementTill, Customers
from backend.sandbox.netsunion.netting import Obligation, multilateral, traffic
from protocol.errors import CallerError
from protocol.money import Money

ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Members:
    """Who takes part, each with its account at the reserve bank."""

    accounts: dict[str, str] = field(
        default_factory=lambda: {
            ids.INSTITUTION: "RESERVE-TILLWAY",
            "C1010411000013": "SETTLE-BANK-A",
            "C1010511000021": "SETTLE-BANK-B",
        }
    )
    settlement: str = "SETTLE-NUCC"
    traffic_seed: str = "members"
    traffic_count: int = 0
    """How many payments a day other members make among themselves."""


class ClearingHouse:
    """One clearing house in its house."""

    def __init__(self, house: House, members: Members | None = None) -> None:
        house.books.add_tables("backend.sandbox.netsunion", "schema.sql")
        self.house = house
        self.members = members or Members()
        self.book = OrderBook(house.books, AgreementTill(house.books))
        self.customers = Customers(house.books, self.book)
        self.outbox = SettlementOutbox(house.books)
        self._db = house.books.db
        self._home = min(name for name in self.members.accounts if name.startswith("C"))
        """The bank of accounts that were opened without one."""

    def today(self) -> date:
        """The present business day."""
        return self.house.clock.today()

    def booking_day(self) -> date:
        """The day on which the present request is booked."""
        return china_day(self.house.booking_ms())

    def know(self, trx_id: str, asked: str, own_id: str) -> None:
        """Let a transaction number stand for one of our ids; another id is refused."""
        self._db.execute(
            "INSERT INTO nucc_trx VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (trx_id, asked, own_id)
        )
        if self.known(trx_id) != (asked, own_id):
            raise CallerError("idempotency_conflict", "TrxId")

    def known(self, trx_id: str) -> tuple[str, str] | None:
        """What a transaction number asked, and our id of it."""
        row = self._db.execute(
            "SELECT asked, own_id FROM nucc_trx WHERE trx_id = ?", (trx_id,)
        ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))

    def trx_of(self, asked: str, own_id: str) -> str:
        """The transaction number under which an id came."""
        row = self._db.execute(
            "SELECT trx_id FROM nucc_trx WHERE asked = ? AND own_id = ?", (asked, own_id)
        ).fetchone()
        return "" if row is None else str(row[0])

    def pay_out(self, order: PayoutOrder, *, trx_id: str, day: date) -> ChannelAnswer:
        """Pay an account, by its number or the agreement that names it."""
        with self.house.books.transaction():
            known = self._payout_row(order.payout_id)
            if known is None:
                account = self.book.account(order.token) or order.token
                found = self.house.books.account(account)
                reason = "" if found is not None else "AC01"
                if self.house.faults.strikes("refuse_order"):
                    reason = "AC04"
                state = "refused" if reason else "succeeded"
                if not reason and self.house.faults.strikes("return_later"):
                    state = ACCEPTED
                self._db.execute(
                    "INSERT INTO nucc_payout VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (order.payout_id, trx_id, account, order.holder, order.amount.amount_minor,
                     order.amount.currency, day.isoformat(), state, reason),
                )  # fmt: skip
                if state == "succeeded":
                    self.house.books.move(
                        f"{NUCC}-{order.payout_id}", TRANSIT, account, order.amount, day, "pay-out"
                    )
            elif known[:2] != (order.holder, order.amount):
                raise CallerError("idempotency_conflict", "payout")
        answer = self.payout(order.payout_id)
        assert answer is not None
        return answer

    def payout(self, payout_id: str) -> ChannelAnswer | None:
        """What became of a pay-out; its state may be ``ACCEPTED``, too."""
        row = self._payout_row(payout_id)
        if row is None:
            return None
        return ChannelAnswer(payout_id, row[2], row[3], f"{NUCC}-{payout_id}", row[4])  # type: ignore[arg-type]  # accepted is told as in progress

    def fail_accepted(self) -> None:
        """What was only accepted could not be paid after all."""
        self._db.execute(
            "UPDATE nucc_payout SET state = 'refused', reason = 'AC04' WHERE state = 'accepted'"
        )

    def dispute(self, case_id: str, order_id: str, amount: Money, reason: str) -> date:
        """A payer's bank disputes a payment: it stands in the present day's file."""
        known = self._db.execute(
            "SELECT order_id, amount_minor, day FROM nucc_dispute WHERE case_id = ?", (case_id,)
        ).fetchone()
        if known is None:
            order = self.book.order(order_id)
            if order is None or order.state != "succeeded":
                raise CallerError("field_invalid", "no such payment")
            day = self.today()
            self._db.execute(
                "INSERT INTO nucc_dispute VALUES (?, ?, ?, ?, ?, ?)",
                (case_id, order_id, amount.amount_minor, amount.currency, reason, day.isoformat()),
            )
            return day
        if known[:2] != (order_id, amount.amount_minor):
            raise CallerError("idempotency_conflict", "case")
        return date.fromisoformat(known[2])

    def disputes(self, day: date) -> list[tuple[str, str, Money, str]]:
        """A day's disputes: case, our id of the payment, amount, reason."""
        rows = self._db.execute(
            "SELECT case_id, order_id, amount_minor, currency, reason FROM nucc_dispute"
            " WHERE day = ? ORDER BY case_id", (day.isoformat(),)
        )  # fmt: skip
        return [(case, order, Money(m, c), reason) for case, order, m, c, reason in rows]

    def net(self, day: date) -> int:
        """What we get for a day, or, below zero, give."""
        return self.position(day)[ids.INSTITUTION]

    def lines(self, day: date) -> Iterator[DayLine]:
        """Our day: what succeeded, what was given back, what was paid out."""
        none = Money(0, CURRENCY)
        for row in self.book.rows(day):
            asked = "pay" if row.kind == "payment" else "refund"
            yield DayLine(
                kind=row.kind, own_id=row.reference,
                trx_id=self.trx_of(asked, self.book.order_of(row.channel_reference)) or "0" * 31,
                account=row.account, amount=row.amount, fee=none, settlement_day=day,
            )  # fmt: skip
        rows = self._db.execute(
            "SELECT payout_id, trx_id, account, amount_minor, currency FROM nucc_payout"
            " WHERE day = ? AND state = 'succeeded' ORDER BY payout_id", (day.isoformat(),)
        )  # fmt: skip
        for payout_id, trx_id, account, minor, currency in rows:
            yield DayLine(
                kind="payout", own_id=payout_id, trx_id=trx_id, account=account,
                amount=Money(minor, currency), fee=none, settlement_day=day,
            )  # fmt: skip

    def obligations(self, day: date) -> Iterator[Obligation]:
        """All that members owe each other for a day: ours, and the others' traffic."""
        us = ids.INSTITUTION
        for line in self.lines(day):
            account = self._account_of(line)
            bank = self.customers.bank_of(account) or self._home
            sides = (bank, us) if line.kind in {"payment", "topup"} else (us, bank)
            yield Obligation(*sides, line.amount.amount_minor)
        others = sorted(member for member in self.members.accounts if member != us)
        yield from traffic(
            others, day, seed=self.members.traffic_seed, count=self.members.traffic_count
        )

    def position(self, day: date) -> dict[str, int]:
        """Every member's net of a day so far, or, once it is closed, for good."""
        rows = self._db.execute(
            "SELECT member, net_minor FROM nucc_day WHERE day = ?", (day.isoformat(),)
        ).fetchall()
        if rows:
            return {str(member): int(net) for member, net in rows}
        return multilateral(self.members.accounts, self.obligations(day))

    def is_closed(self, day: date) -> bool:
        """Whether a day's nets are fixed."""
        found = self._db.execute("SELECT 1 FROM nucc_day WHERE day = ?", (day.isoformat(),))
        return found.fetchone() is not None

    def close_days(self) -> None:
        """Close each day whose midnight has passed, from the first that is open."""
        today = self.today()
        for day in self._open_days(today):
            self.close_day(day)

    def close_day(self, day: date) -> dict[str, int]:
        """Close a day that is over, once: fix the nets and tell the reserve bank."""
        if day >= self.today():
            raise CallerError("day_not_closed", day.isoformat())
        if self.is_closed(day):
            return self.position(day)
        self.book.close_day(day, lambda _: None)
        nets = self.position(day)
        with self.house.books.transaction():
            for member, net in nets.items():
                self._db.execute(
                    "INSERT INTO nucc_day VALUES (?, ?, ?)", (day.isoformat(), member, net)
                )
            for member, net in sorted(nets.items(), key=lambda item: item[1]):
                if net:
                    self.outbox.add(self._settlement(day, member, net))
        return nets

    def _settlement(self, day: date, member: str, net: int) -> SettlementOrder:
        ours, its = self.members.settlement, self.members.accounts[member]
        debtor, creditor = (ours, its) if net > 0 else (its, ours)
        reference = f"STL-{NUCC}-{day:%Y%m%d}"
        if member != ids.INSTITUTION:
            reference += f"-{member}"
        amount = Money(abs(net), CURRENCY)
        return SettlementOrder(reference, debtor, creditor, amount, self.today())

    def _open_days(self, today: date) -> list[date]:
        (first,) = self._db.execute(
            "SELECT min(day) FROM (SELECT day FROM channel_order UNION ALL SELECT day FROM"
            " nucc_payout UNION ALL SELECT day FROM channel_refund UNION ALL"
            " SELECT day FROM channel_chargeback) AS moved"
            " WHERE day NOT IN (SELECT day FROM nucc_day)"
        ).fetchone()
        if first is None:
            return []
        start = date.fromisoformat(first)
        days = (start + timedelta(days=step) for step in range(max(0, (today - start).days)))
        return [day for day in days if not self.is_closed(day)]

    def _account_of(self, line: DayLine) -> str:
        if line.kind in {"payment", "topup"}:
            return self.book.account(line.account) or ""
        if line.kind == "payout":
            return line.account
        return self.book.account(self.book.token_of(line.account)) or ""

    def _payout_row(self, payout_id: str) -> tuple[str, Money, str, str, str] | None:
        row = self._db.execute(
            "SELECT holder, amount_minor, currency, state, reason, day FROM nucc_payout"
            " WHERE payout_id = ?", (payout_id,)
        ).fetchone()  # fmt: skip
        return None if row is None else (row[0], Money(row[1], row[2]), row[3], row[4], row[5])
