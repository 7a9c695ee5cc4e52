"""A seller's days: what stands in the bill of each, and what is paid out for it.

Rule 1: a day is China's. What a trade moved belongs to the day on which it moved; a trade that was
        cancelled on its own day is in no bill (our choice: the documents do not say).
Rule 2: a day that is over is settled once, gross of fees: those are billed apart.
Rule 3: only the seller that is named is paid by the reserve bank; another's money stays here.
"""

import secrets
from dataclasses import dataclass
from datetime import date, timedelta

from backend.channels.alipay.bill import BillRow
from backend.channels.day_file import DayRow
from backend.sandbox.alipay.limits import BILL_LIFE_MS, BILL_TOKENS_MAX, FEE_PPM
from backend.sandbox.alipay.trades import seller
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import Faults, spoil_rows
from backend.sandbox.institution.own_clock import china_time
from backend.sandbox.institution.settling import SettlementOutbox
from protocol.clock import Clock
from protocol.money import Money

_TIME = "%Y-%m-%d %H:%M:%S"
PAID_OUT = "PAID-OUT"
"""The own account that a seller's days are paid out to."""


@dataclass(frozen=True, slots=True)
class Payee:
    """The seller whose days the reserve bank pays, and between which accounts there."""

    app_id: str = ""
    settlement: str = "SETTLE-ALIPAY"
    reserve: str = "RESERVE-TILLWAY"


class Days:
    """Every seller's days, in the gateway's books."""

    def __init__(self, books: Books, payee: Payee) -> None:
        self._books = books
        self._payee = payee
        self.outbox = SettlementOutbox(books)
        books.open_own_account(PAID_OUT)

    def bill(self, app_id: str, day: date, faults: Faults) -> list[BillRow]:
        """What moved on a day, with the faults of files that are due."""
        found = {(row.out_trade_no, row.request_no): row for row in self._rows(app_id, day)}
        plain = [
            DayRow(
                "payment" if row.amount_minor > 0 else "refund",
                row.out_trade_no,
                row.request_no,
                Money(abs(row.amount_minor), "CNY"),
            )
            for row in found.values()
        ]
        return [
            _with_amount(found[one.reference, one.account], one.amount.amount_minor)
            for one in spoil_rows(faults, plain)
        ]

    def close(self, before: date) -> None:
        """Settle the payee's days that are over, each once."""
        last = self._books.db.execute("SELECT max(day) FROM alipay_day").fetchone()[0]
        first = self._books.db.execute(
            "SELECT min(day) FROM (SELECT day FROM alipay_trade WHERE app_id = ?1 AND day > ''"
            " UNION SELECT r.day FROM alipay_refund r JOIN alipay_trade t USING (trade_no)"
            " WHERE t.app_id = ?1) WHERE day > ?2",
            (self._payee.app_id, last or ""),
        ).fetchone()[0]
        day = date.fromisoformat(first) if first else before
        while day < before:
            self._settle(day, before)
            day += timedelta(days=1)

    def _settle(self, day: date, booked_on: date) -> None:
        payee = self._payee
        with self._books.transaction():
            net = sum(row.amount_minor for row in self._rows(payee.app_id, day))
            self._books.db.execute("INSERT INTO alipay_day VALUES (?, ?)", (day.isoformat(), net))
            self.outbox.pay_out(
                f"STL-ALIPAY-{day:%Y%m%d}",
                Money(net, "CNY"),
                here=(seller(payee.app_id), PAID_OUT),
                there=(payee.settlement, payee.reserve),
                on=booked_on,
            )

    def _rows(self, app_id: str, day: date) -> list[BillRow]:
        paid = self._books.db.execute(
            "SELECT trade_no, out_trade_no, amount_minor, buyer, made_at_ms, paid_at_ms"
            " FROM alipay_trade WHERE app_id = ? AND day = ? AND cancel_action = ''"
            " ORDER BY out_trade_no",
            (app_id, day.isoformat()),
        )
        found = [
            BillRow(
                trade_no=trade_no, out_trade_no=number, amount_minor=amount,
                fee_minor=fee_minor(amount), buyer=buyer, made_at=_time(made), done_at=_time(done),
            )
            for trade_no, number, amount, buyer, made, done in paid
        ]  # fmt: skip
        given = self._books.db.execute(
            "SELECT t.trade_no, t.out_trade_no, r.amount_minor, t.buyer, t.made_at_ms,"
            " r.made_at_ms, r.out_request_no FROM alipay_refund r JOIN alipay_trade t"
            " USING (trade_no) WHERE t.app_id = ? AND r.day = ? AND t.cancel_action = ''"
            " ORDER BY r.out_request_no",
            (app_id, day.isoformat()),
        )
        return found + [
            BillRow(
                trade_no=trade_no, out_trade_no=number, amount_minor=-amount, buyer=buyer,
                made_at=_time(made), done_at=_time(done), request_no=request,
            )
            for trade_no, number, amount, buyer, made, done, request in given
        ]  # fmt: skip


class Tickets:
    """Addresses of bills, each for one seller's day and a short time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, tuple[str, date, int]] = {}
        self.base = ""
        """Where this gateway is reached, as the latest request said."""

    def address(self, app_id: str, day: date) -> str:
        """A new address; the oldest is given up where there are too many."""
        while len(self._open) >= BILL_TOKENS_MAX:
            self._open.pop(next(iter(self._open)))
        token = secrets.token_urlsafe(24)
        self._open[token] = (app_id, day, self._clock.now_ms() + BILL_LIFE_MS)
        return f"{self.base}/bill/{token}"

    def find(self, token: str) -> tuple[str, date] | None:
        """Whose day an address is for; None once its time is over."""
        app_id, day, over_at_ms = self._open.get(token, ("", date.min, 0))
        return (app_id, day) if over_at_ms > self._clock.now_ms() else None


def fee_minor(amount_minor: int) -> int:
    """What Alipay charges for a payment: its rate, rounded half up to a fen."""
    return (amount_minor * FEE_PPM * 2 + 1_000_000) // 2_000_000


def _with_amount(row: BillRow, amount_minor: int) -> BillRow:
    signed = amount_minor if row.amount_minor > 0 else -amount_minor
    return BillRow(
        trade_no=row.trade_no, out_trade_no=row.out_trade_no, amount_minor=signed,
        fee_minor=row.fee_minor, request_no=row.request_no, buyer=row.buyer, made_at=row.made_at,
        done_at=row.done_at,
    )  # fmt: skip


def _time(at_ms: int) -> str:
    return china_time(at_ms).strftime(_TIME)
