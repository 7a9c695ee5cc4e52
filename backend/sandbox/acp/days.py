"""A merchant's days: what stands in the file of each, and what is paid out for it.

Rule 1: a day ends at 23:00 in China. What was taken and given back on it stands in its file; what
        was reversed has failed, and stands in none.
Rule 2: a day that is over is settled once, gross of fees: those are billed apart.
Rule 3: only the merchant that is named is paid by the reserve bank; another's money stays here.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta

from backend.channels.acp.day_file import ZmRow
from backend.channels.day_file import DayRow
from backend.channels.days import channel_day
from backend.sandbox.acp.limits import FEE_MINOR_MAX, FEE_PPM
from backend.sandbox.acp.transactions import PAY, merchant
from backend.sandbox.acp.wire import DONE
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import Faults, spoil_rows
from backend.sandbox.institution.settling import SettlementOutbox
from protocol.money import Money

PAID_OUT = "PAID-OUT"
"""The own account that a merchant's days are paid out to."""
CUT_OFF_MINUTE = 23 * 60


@dataclass(frozen=True, slots=True)
class Payee:
    """The merchant whose days the reserve bank pays, and between which accounts there."""

    mer_id: str = ""
    settlement: str = "SETTLE-CUPQR"
    reserve: str = "RESERVE-TILLWAY"


class Days:
    """Every merchant's days, in the gateway's books."""

    def __init__(self, books: Books, payee: Payee) -> None:
        self._books = books
        self._payee = payee
        self.outbox = SettlementOutbox(books)
        books.open_own_account(PAID_OUT)

    def rows(self, mer_id: str, day: date, faults: Faults) -> list[ZmRow]:
        """What moved on a day, with the faults of files that are due."""
        found = {row.order_id: row for row in self._rows(mer_id, day)}
        plain = [
            DayRow(
                "payment" if row.amount_minor > 0 else "refund",
                row.order_id,
                row.payer,
                Money(abs(row.amount_minor), "CNY"),
            )
            for row in found.values()
        ]
        return [
            replace(found[one.reference], amount_minor=one.signed_minor)
            for one in spoil_rows(faults, plain)
        ]

    def close(self, before: date) -> None:
        """Settle the payee's days that are over, each once."""
        last = self._books.db.execute("SELECT max(day) FROM acp_day").fetchone()[0]
        first = self._books.db.execute(
            "SELECT min(day) FROM acp_transaction WHERE mer_id = ? AND state = ? AND day > ?",
            (self._payee.mer_id, DONE, last or ""),
        ).fetchone()[0]
        day = date.fromisoformat(first) if first else before
        while day < before:
            self._settle(day, before)
            day += timedelta(days=1)

    def _settle(self, day: date, booked_on: date) -> None:
        payee = self._payee
        with self._books.transaction():
            net = sum(row.amount_minor for row in self._rows(payee.mer_id, day))
            self._books.db.execute("INSERT INTO acp_day VALUES (?, ?)", (day.isoformat(), net))
            self.outbox.pay_out(
                f"STL-CUPQR-{day:%Y%m%d}",
                Money(net, "CNY"),
                here=(merchant(payee.mer_id), PAID_OUT),
                there=(payee.settlement, payee.reserve),
                on=booked_on,
            )

    def _rows(self, mer_id: str, day: date) -> list[ZmRow]:
        found = self._books.db.execute(
            "SELECT order_id, query_id, txn_type, amount_minor, payer, txn_time"
            " FROM acp_transaction WHERE mer_id = ? AND day = ? AND state = ? ORDER BY query_id",
            (mer_id, day.isoformat(), DONE),
        )
        return [
            ZmRow(
                order_id=order_id,
                query_id=query_id,
                amount_minor=amount if txn_type == PAY else -amount,
                fee_minor=fee_minor(amount) if txn_type == PAY else 0,
                payer=payer[:19],
                sent_at=txn_time[4:],
            )
            for order_id, query_id, txn_type, amount, payer, txn_time in found
        ]


def business_day(at_ms: int) -> date:
    """The gateway's business day at a moment."""
    return channel_day(at_ms, CUT_OFF_MINUTE)


def fee_minor(amount_minor: int) -> int:
    """What is charged for a payment: a rate, rounded half up to a fen, to its cap."""
    by_rate = (amount_minor * FEE_PPM * 2 + 1_000_000) // 2_000_000
    return min(by_rate, FEE_MINOR_MAX)
