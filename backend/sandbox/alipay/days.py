"""A seller's days at Alipay, and where the bill of each is fetched.

Rule: a day is China's. What a trade moved belongs to the day on which it moved; a trade that was
      cancelled on its own day is in no bill (our choice: the documents do not say).
"""

import secrets
from datetime import date

from backend.channels.alipay.bill import BillRow
from backend.sandbox.alipay.limits import BILL_LIFE_MS, BILL_TOKENS_MAX, FEE_PPM
from backend.sandbox.alipay.trades import seller
from backend.sandbox.institution.own_clock import china_time
from backend.sandbox.institution.payee_days import Payee, PayeeDays
from protocol.clock import Clock

_TIME = "%Y-%m-%d %H:%M:%S"
PAYEE = Payee(settlement="SETTLE-ALIPAY")
"""Nobody, until one is named."""


class Days(PayeeDays[BillRow]):
    """Every seller's days, in the gateway's books."""

    TABLE = "alipay_day"
    REFERENCE = "STL-ALIPAY"

    def account(self, number: str) -> str:
        """As ``PayeeDays.account``; the number is the ``app_id``."""
        return seller(number)

    def _first_after(self, number: str, day: str) -> str | None:
        found: str | None = self._books.db.execute(
            "SELECT min(day) FROM (SELECT day FROM alipay_trade WHERE app_id = ?1 AND day > ''"
            " UNION SELECT r.day FROM alipay_refund r JOIN alipay_trade t USING (trade_no)"
            " WHERE t.app_id = ?1) WHERE day > ?2",
            (number, day),
        ).fetchone()[0]
        return found

    def _rows(self, number: str, day: date) -> list[BillRow]:
        paid = self._books.db.execute(
            "SELECT trade_no, out_trade_no, amount_minor, buyer, made_at_ms, paid_at_ms"
            " FROM alipay_trade WHERE app_id = ? AND day = ? AND cancel_action = ''"
            " ORDER BY out_trade_no",
            (number, day.isoformat()),
        )
        found = [
            BillRow(
                trade_no=trade_no, out_trade_no=own, amount_minor=amount,
                fee_minor=fee_minor(amount), buyer=buyer, made_at=_time(made), done_at=_time(done),
            )
            for trade_no, own, amount, buyer, made, done in paid
        ]  # fmt: skip
        given = self._books.db.execute(
            "SELECT t.trade_no, t.out_trade_no, r.amount_minor, t.buyer, t.made_at_ms,"
            " r.made_at_ms, r.out_request_no FROM alipay_refund r JOIN alipay_trade t"
            " USING (trade_no) WHERE t.app_id = ? AND r.day = ? AND t.cancel_action = ''"
            " ORDER BY r.out_request_no",
            (number, day.isoformat()),
        )
        return found + [
            BillRow(
                trade_no=trade_no, out_trade_no=own, amount_minor=-amount, buyer=buyer,
                made_at=_time(made), done_at=_time(done), request_no=request,
            )
            for trade_no, own, amount, buyer, made, done, request in given
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


def _time(at_ms: int) -> str:
    return china_time(at_ms).strftime(_TIME)
