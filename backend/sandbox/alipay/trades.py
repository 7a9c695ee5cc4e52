"""Trades, their buyers and their refunds. No HTTP, no clock: the moment is given.

Rule 1: a trade is one seller's number. The number again, with another amount, is refused; of a paid
        or a closed trade it is told that it is so.
Rule 2: a pay code is used up by the first payment that names it, whatever becomes of that.
Rule 3: a code is shown and never kept on the disk: whoever restarts the gateway scans a new one.
Rule 4: cancelling a number that never came closes it, so that it is not paid when it comes late.
Rule 5: refunds of a trade sum to its amount at most; the same request again moves nothing.
Rule 6: a trade whose buyer does not confirm is closed when its time is over.
Rule 7: a trade is cancelled on the day on which it was paid, and not later.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from backend.sandbox.alipay.limits import CODE_LIFE_MS, CODES_OPEN_MAX, WAIT_LIFE_MS
from backend.sandbox.alipay.wire import GatewayError
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.own_clock import china_day
from protocol.errors import CallerError
from protocol.money import Money

WAITING, PAID, CLOSED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED"
_OFFERED = "OFFERED"
"""A QR code was made and nobody has scanned it: to a query there is no trade yet."""
_OVER = {PAID: "ACQ.TRADE_HAS_SUCCESS", CLOSED: "ACQ.TRADE_HAS_CLOSE"}
_SELECT = (
    "SELECT app_id, out_trade_no, trade_no, status, amount_minor, buyer, made_at_ms, paid_at_ms,"
    " qr_code, cancel_action, day, notify_url FROM alipay_trade"
)


class Digits(Protocol):
    """Where pay codes come from."""

    def __call__(self, count: int) -> str:
        """So many decimal digits that nobody can guess."""
        ...


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade as it stands. ``buyer`` is empty while nobody has scanned."""

    app_id: str
    out_trade_no: str
    trade_no: str
    status: str
    amount_minor: int
    buyer: str
    made_at_ms: int
    paid_at_ms: int
    qr_code: str
    cancel_action: str
    day: str
    """China's day on which it was paid; empty before."""
    notify_url: str


Tell = Callable[[Trade, str, int], None]
"""Leaves word of a trade that was paid, or of a refund (its request's number), at a moment."""


def _tell_nobody(_trade: Trade, _request: str, _now_ms: int) -> None:
    """No seller listens."""


class Trades:
    """Every seller's trades, in the gateway's books."""

    def __init__(self, books: Books, digits: Digits, *, lends_to: str = "") -> None:
        """``lends_to``: the seller that is paid out each day, whose refunds a day's net may owe."""
        books.add_tables("backend.sandbox.alipay", "schema.sql")
        self._books = books
        self._digits = digits
        self.tell: Tell = _tell_nobody
        """Called in the transaction of what it is about."""
        self.booked: Callable[[int], int] = int
        """When that is booked which moves money now."""
        self._lends_to = lends_to
        self._codes: dict[str, tuple[str, int]] = {}

    # The buyer and the telephone

    def open_buyer(self, buyer: str, opening: Money, *, password_free: int, now_ms: int) -> None:
        """Open a buyer's account; what is above ``password_free`` waits for the password."""
        self._books.open_account(buyer, buyer, opening, day=china_day(now_ms))
        self._books.db.execute(
            "INSERT INTO alipay_buyer VALUES (?, ?) ON CONFLICT DO NOTHING", (buyer, password_free)
        )

    def show_code(self, buyer: str, now_ms: int) -> str:
        """A new pay code: 18 digits from 28, for a minute, for one payment."""
        self._password_free(buyer)
        self._codes = {c: held for c, held in self._codes.items() if held[1] > now_ms}
        if len(self._codes) >= CODES_OPEN_MAX:
            raise CallerError("busy", "pay codes")
        code = f"28{self._digits(16)}"
        self._codes[code] = (buyer, now_ms + CODE_LIFE_MS)
        return code

    def confirm(self, buyer: str, what: str, now_ms: int) -> Trade:
        """The buyer enters the password: for a trade that waits (its number), or for a QR code that
        was scanned. Refuses by the gateway's own codes."""
        with self._books.transaction():
            self._password_free(buyer)
            if not what:
                raise CallerError("field_invalid", "no such trade")
            row = self._books.db.execute(
                _SELECT + " WHERE trade_no = ? OR qr_code = ?",
                (what, what),
            ).fetchone()
            trade = None if row is None else self._timed(Trade(*row), now_ms)
            if trade is None or trade.status == CLOSED or trade.buyer not in {"", buyer}:
                raise CallerError("field_invalid", "no such trade")
            if trade.status != PAID:
                self._pay(trade, buyer, now_ms)
        return self._known(trade.app_id, trade.out_trade_no)

    def waiting(self, buyer: str, now_ms: int) -> list[str]:
        """The numbers of the trades that wait for a buyer's password, the oldest first."""
        rows = self._books.db.execute(
            _SELECT + " WHERE buyer = ? AND status = ? ORDER BY made_at_ms", (buyer, WAITING)
        )
        trades = [self._timed(Trade(*row), now_ms) for row in rows.fetchall()]
        return [trade.trade_no for trade in trades if trade.status == WAITING]

    # The seller

    def pay(
        self,
        app_id: str,
        out_trade_no: str,
        amount: int,
        code: str,
        now_ms: int,
        *,
        notify_url: str = "",
    ) -> Trade:
        """Charge the buyer whose code was scanned; a trade that waits needs the password."""
        with self._books.transaction():
            known = self._earlier(app_id, out_trade_no, amount, now_ms)
            if known is not None and known.status == WAITING:
                return known
            if known is not None:
                raise GatewayError("40004", "ACQ.CONTEXT_INCONSISTENT")
            buyer, over_at_ms = self._codes.pop(code, ("", 0))
            if over_at_ms <= now_ms:
                raise GatewayError("40004", "ACQ.PAYMENT_AUTH_CODE_INVALID")
            if self._books.balance(buyer).amount_minor < amount:
                raise GatewayError("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH")
            self._insert(
                app_id, out_trade_no, WAITING, amount, now_ms, buyer=buyer, notify_url=notify_url
            )
            if amount <= self._password_free(buyer):
                self._pay(self._known(app_id, out_trade_no), buyer, now_ms)
        return self._known(app_id, out_trade_no)

    def offer(
        self, app_id: str, out_trade_no: str, amount: int, now_ms: int, *, notify_url: str = ""
    ) -> Trade:
        """Make a QR code for a buyer to scan; the same number has the same code."""
        with self._books.transaction():
            known = self._earlier(app_id, out_trade_no, amount, now_ms)
            if known is not None and known.status == _OFFERED:
                return known
            if known is not None:
                raise GatewayError("40004", "ACQ.CONTEXT_INCONSISTENT")
            qr_code = f"https://qr.alipay.com/bax{self._digits(24)}"
            self._insert(
                app_id, out_trade_no, _OFFERED, amount, now_ms, qr_code=qr_code,
                notify_url=notify_url,
            )  # fmt: skip
        return self._known(app_id, out_trade_no)

    def find(
        self, app_id: str, number: str, now_ms: int, *, with_offered: bool = False
    ) -> Trade | None:
        """A seller's trade by either number; None where there is none (or none yet)."""
        row = self._books.db.execute(
            _SELECT + " WHERE app_id = ?1 AND (out_trade_no = ?2 OR trade_no = ?2)",
            (app_id, number),
        ).fetchone()
        if row is None:
            return None
        trade = self._timed(Trade(*row), now_ms)
        return trade if with_offered or trade.status != _OFFERED else None

    def cancel(self, app_id: str, number: str, now_ms: int) -> Trade:
        """Undo a trade, whatever became of it."""
        with self._books.transaction():
            trade = self.find(app_id, number, now_ms, with_offered=True)
            if trade is None:
                self._insert(app_id, number, CLOSED, 0, now_ms)
                trade = self._known(app_id, number)
            elif trade.status == PAID:
                if trade.day != china_day(now_ms).isoformat():
                    raise GatewayError("40004", "ACQ.REASON_ILLEGAL_STATUS")
                left = trade.amount_minor - self.refunded(trade)
                self._give(trade, f"{trade.trade_no}-C", left, now_ms)
                self._close(trade, "refund")
            elif trade.status != CLOSED:
                self._close(trade, "close")
        return self._known(app_id, trade.out_trade_no)

    def close(self, trade: Trade) -> None:
        """Close a trade that waits."""
        if trade.status != WAITING:
            raise GatewayError("40004", "ACQ.REASON_TRADE_STATUS_INVALID")
        self._close(trade, "")

    def refund(self, trade: Trade, request: str, amount: int, now_ms: int) -> bool:
        """Give back a part; whether money moved: not for a request that came before."""
        with self._books.transaction():
            known = self.refund_of(trade, request)
            if known is not None:
                if known[0] != amount:
                    raise GatewayError("40004", "ACQ.DISCORDANT_REPEAT_REQUEST")
                return False
            if not trade.paid_at_ms or trade.cancel_action:
                raise GatewayError("40004", "ACQ.TRADE_STATUS_ERROR")
            left = trade.amount_minor - self.refunded(trade) - amount
            if left < 0:
                raise GatewayError("40004", "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            now_ms = self.booked(now_ms)
            self._give(trade, f"{trade.trade_no}-R-{request}", amount, now_ms)
            self._books.db.execute(
                "INSERT INTO alipay_refund VALUES (?, ?, ?, ?, ?)",
                (trade.trade_no, request, amount, now_ms, china_day(now_ms).isoformat()),
            )
            if not left:
                self._close(trade, "")
            self.tell(self._known(trade.app_id, trade.out_trade_no), request, now_ms)
        return True

    def refund_of(self, trade: Trade, request: str) -> tuple[int, int] | None:
        """A refund's amount and when it was made; None if it never came."""
        row = self._books.db.execute(
            "SELECT amount_minor, made_at_ms FROM alipay_refund"
            " WHERE trade_no = ? AND out_request_no = ?",
            (trade.trade_no, request),
        ).fetchone()
        return None if row is None else (int(row[0]), int(row[1]))

    def refunded(self, trade: Trade) -> int:
        """What has gone back by refunds."""
        (given,) = self._books.db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM alipay_refund WHERE trade_no = ?",
            (trade.trade_no,),
        ).fetchone()
        return int(given)

    def _earlier(self, app_id: str, out_trade_no: str, amount: int, now_ms: int) -> Trade | None:
        """The open trade of this number, if it is about the same; refuses for one that is over."""
        known = self.find(app_id, out_trade_no, now_ms, with_offered=True)
        if known is not None and known.status in _OVER:
            raise GatewayError("40004", _OVER[known.status])
        if known is not None and known.amount_minor != amount:
            raise GatewayError("40004", "ACQ.CONTEXT_INCONSISTENT")
        return known

    def _pay(self, trade: Trade, buyer: str, now_ms: int) -> None:
        amount = Money(trade.amount_minor, "CNY")
        if self._books.balance(buyer).amount_minor < trade.amount_minor:
            raise GatewayError("40004", "ACQ.BUYER_BALANCE_NOT_ENOUGH")
        now_ms = self.booked(now_ms)
        day = china_day(now_ms)
        self._books.move(trade.trade_no, buyer, seller(trade.app_id), amount, day, "payment")
        self._books.db.execute(
            "UPDATE alipay_trade SET status = ?, buyer = ?, paid_at_ms = ?, day = ?"
            " WHERE trade_no = ?",
            (PAID, buyer, now_ms, day.isoformat(), trade.trade_no),
        )
        self.tell(self._known(trade.app_id, trade.out_trade_no), "", now_ms)

    def _give(self, trade: Trade, reference: str, amount_minor: int, now_ms: int) -> None:
        is_lent = trade.app_id == self._lends_to
        if not is_lent and self._books.balance(seller(trade.app_id)).amount_minor < amount_minor:
            raise GatewayError("40004", "ACQ.SELLER_BALANCE_NOT_ENOUGH")
        if amount_minor:
            amount, day = Money(amount_minor, "CNY"), china_day(now_ms)
            self._books.move(reference, seller(trade.app_id), trade.buyer, amount, day, "refund")

    def _insert(
        self,
        app_id: str,
        out_trade_no: str,
        status: str,
        amount: int,
        now_ms: int,
        *,
        buyer: str = "",
        qr_code: str = "",
        notify_url: str = "",
    ) -> None:
        trade_no = f"{china_day(now_ms):%Y%m%d}22{self._digits(18)}"
        action = "close" if status == CLOSED else ""
        self._books.db.execute(
            "INSERT INTO alipay_trade VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, '', ?)",
            (
                app_id,
                out_trade_no,
                trade_no,
                status,
                amount,
                buyer,
                now_ms,
                qr_code,
                action,
                notify_url,
            ),
        )

    def _close(self, trade: Trade, action: str) -> None:
        self._books.db.execute(
            "UPDATE alipay_trade SET status = ?, cancel_action = ? WHERE trade_no = ?",
            (CLOSED, action, trade.trade_no),
        )

    def _timed(self, trade: Trade, now_ms: int) -> Trade:
        is_open = trade.status in {WAITING, _OFFERED}
        if not is_open or now_ms < trade.made_at_ms + WAIT_LIFE_MS:
            return trade
        self._close(trade, "")
        return self._known(trade.app_id, trade.out_trade_no)

    def _known(self, app_id: str, out_trade_no: str) -> Trade:
        row = self._books.db.execute(
            _SELECT + " WHERE app_id = ? AND out_trade_no = ?",
            (app_id, out_trade_no),
        ).fetchone()
        return Trade(*row)

    def _password_free(self, buyer: str) -> int:
        row = self._books.db.execute(
            "SELECT password_free_minor FROM alipay_buyer WHERE buyer = ?", (buyer,)
        ).fetchone()
        if row is None:
            raise CallerError("payer_unknown")
        return int(row[0])


def seller(app_id: str) -> str:
    """The account of a seller."""
    return f"APP-{app_id}"
