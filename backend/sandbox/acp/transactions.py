"""Transactions and their payers. No HTTP, no clock: the moment is given.

Rule 1: a transaction is a merchant's order number with the order's time; the same again is refused
        as a duplicate, whatever became of the first.
Rule 2: a payment code is used up by the first payment that names it, and never kept on the disk.
Rule 3: a refund and a void name the payment's ``queryId`` and have numbers of their own. Refunds
        sum to the payment at most; a void takes back the whole of it on its own day.
Rule 4: a reversal names the payment's own number and time. One that comes first leaves a mark, so
        that the payment has failed when it comes late.
Rule 5: a payment is reversed until its day is over: it ends at 23:00.
Rule 6: what waits for its payer has failed when its time is over.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from backend.sandbox.acp import wire
from backend.sandbox.acp.limits import CODE_LIFE_MS, CODES_OPEN_MAX, WAIT_LIFE_MS
from backend.sandbox.acp.wire import ACCEPTED, DONE, FAILED, RefusedError
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.own_clock import china_day
from protocol.errors import CallerError
from protocol.money import Money

PAY, REFUND, VOID = "01", "04", "31"
_SELECT = (
    "SELECT mer_id, order_id, txn_time, query_id, txn_type, state, amount_minor, payer, made_at_ms,"
    " original, qr_code, day FROM acp_transaction"
)


@dataclass(frozen=True, slots=True)
class Order:
    """By what a merchant names a transaction."""

    mer_id: str
    order_id: str
    txn_time: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction as it stands. ``state`` is its response code: done, accepted, failed."""

    mer_id: str
    order_id: str
    txn_time: str
    query_id: str
    txn_type: str
    state: str
    amount_minor: int
    payer: str
    made_at_ms: int
    original: str
    qr_code: str
    day: str
    """The business day on which it was done; empty before."""


class Transactions:
    """Every merchant's transactions, in the gateway's books. ``digits`` gives so many decimal
    digits that nobody can guess."""

    def __init__(
        self,
        books: Books,
        digits: Callable[[int], str],
        *,
        business_day: Callable[[int], date] = china_day,
        lends_to: str = "",
    ) -> None:
        """``lends_to``: the merchant that is paid out each day, whose refunds a day's net may
        owe."""
        books.add_tables("backend.sandbox.acp", "schema.sql")
        self._books = books
        self._digits = digits
        self._business_day = business_day
        self._lends_to = lends_to
        self.booked: Callable[[int], int] = int
        """When that is booked which moves money now."""
        self._codes: dict[str, tuple[str, int]] = {}

    # The payer and the telephone

    def open_payer(self, payer: str, opening: Money, *, password_free: int, now_ms: int) -> None:
        """Open a payer's account; what is above ``password_free`` waits for the password."""
        self._books.open_account(payer, payer, opening, day=china_day(now_ms))
        self._books.db.execute(
            "INSERT INTO acp_payer VALUES (?, ?) ON CONFLICT DO NOTHING", (payer, password_free)
        )

    def show_code(self, payer: str, now_ms: int) -> str:
        """A new payment code: 19 digits from 62, for a minute, for one payment."""
        self._password_free(payer)
        self._codes = {c: held for c, held in self._codes.items() if held[1] > now_ms}
        if len(self._codes) >= CODES_OPEN_MAX:
            raise CallerError("busy", "payment codes")
        code = f"62{self._digits(17)}"
        self._codes[code] = (payer, now_ms + CODE_LIFE_MS)
        return code

    def confirm(self, payer: str, what: str, now_ms: int) -> Transaction:
        """The payer enters the password: for a payment that waits (its ``queryId``), or for a QR
        code that was scanned."""
        with self._books.transaction():
            self._password_free(payer)
            row = self._books.db.execute(
                _SELECT + " WHERE ?1 <> '' AND (query_id = ?1 OR qr_code = ?1)", (what,)
            ).fetchone()
            found = None if row is None else self._timed(Transaction(*row), now_ms)
            if found is None or found.state == FAILED or found.payer not in {"", payer}:
                raise CallerError("field_invalid", "no such payment")
            if found.state == ACCEPTED:
                self._take(found, payer, now_ms)
        return self._known(found.query_id)

    def waiting(self, payer: str, now_ms: int) -> list[str]:
        """The numbers of the payments that wait for a payer's password, the oldest first."""
        rows = self._books.db.execute(
            _SELECT + " WHERE payer = ? AND state = ? ORDER BY made_at_ms", (payer, ACCEPTED)
        )
        found = [self._timed(Transaction(*row), now_ms) for row in rows.fetchall()]
        return [one.query_id for one in found if one.state == ACCEPTED]

    # The merchant

    def pay(self, order: Order, amount: int, code: str, now_ms: int) -> Transaction:
        """Charge the payer whose code was scanned."""
        with self._books.transaction():
            self._check_new(order)
            payer, over_at_ms = self._codes.pop(code, ("", 0))
            if over_at_ms <= now_ms:
                raise RefusedError(wire.BAD_CODE)
            if self._books.balance(payer).amount_minor < amount:
                raise RefusedError(wire.SHORT)
            made = self._insert(order, PAY, ACCEPTED, amount, now_ms, payer=payer)
            if amount <= self._password_free(payer):
                self._take(made, payer, now_ms)
        return self._known(made.query_id)

    def offer(self, order: Order, amount: int, now_ms: int) -> Transaction:
        """Make a QR code for a payer to scan."""
        with self._books.transaction():
            self._check_new(order)
            qr_code = f"https://qr.95516.com/00010000/{self._digits(26)}"
            return self._insert(order, PAY, ACCEPTED, amount, now_ms, qr_code=qr_code)

    def find(self, order: Order, now_ms: int) -> Transaction | None:
        """A transaction by its merchant's name of it."""
        row = self._books.db.execute(
            _SELECT + " WHERE mer_id = ? AND order_id = ? AND txn_time = ?",
            (order.mer_id, order.order_id, order.txn_time),
        ).fetchone()
        return None if row is None else self._timed(Transaction(*row), now_ms)

    def refund(self, order: Order, amount: int, original: str, now_ms: int) -> Transaction:
        """Give back a part of a payment."""
        with self._books.transaction():
            paid = self._paid(order, original)
            if amount > paid.amount_minor - self._given_back(paid):
                raise RefusedError(wire.ORIGINAL_DIFFERS)
            return self._give(order, REFUND, paid, amount, now_ms)

    def void(self, order: Order, amount: int, original: str, now_ms: int) -> Transaction:
        """Take back the whole of a payment on its own day."""
        with self._books.transaction():
            paid = self._paid(order, original)
            if amount != paid.amount_minor:
                raise RefusedError(wire.ORIGINAL_DIFFERS)
            is_late = china_day(paid.made_at_ms) != china_day(now_ms)
            if is_late or self._given_back(paid):
                raise RefusedError(wire.ORIGINAL_STATE)
            return self._give(order, VOID, paid, amount, now_ms)

    def reverse(self, order: Order, now_ms: int) -> Transaction:
        """Undo a payment whose outcome the merchant does not know."""
        with self._books.transaction():
            found = self.find(order, now_ms)
            if found is None:
                return self._insert(order, PAY, FAILED, 0, now_ms)
            if found.txn_type != PAY or self._given_back(found):
                raise RefusedError(wire.ORIGINAL_STATE)
            if found.state == DONE:
                if found.day != self._business_day(now_ms).isoformat():
                    raise RefusedError(wire.ORIGINAL_STATE)
                self._move_back(f"{found.query_id}-R", found, found.amount_minor, now_ms)
            self._set(found, FAILED, found.payer)
        return self._known(found.query_id)

    def _check_new(self, order: Order) -> None:
        if self.find(order, 0) is not None:
            raise RefusedError(wire.DUPLICATE)

    def _paid(self, order: Order, original: str) -> Transaction:
        """The payment that a new transaction is about."""
        self._check_new(order)
        row = self._books.db.execute(
            _SELECT + " WHERE mer_id = ? AND query_id = ? AND txn_type = ?",
            (order.mer_id, original, PAY),
        ).fetchone()
        if row is None:
            raise RefusedError(wire.UNKNOWN)
        paid = Transaction(*row)
        if paid.state != DONE:
            raise RefusedError(wire.ORIGINAL_STATE)
        return paid

    def _give(
        self, order: Order, txn_type: str, paid: Transaction, amount: int, now_ms: int
    ) -> Transaction:
        now_ms = self.booked(now_ms)
        made = self._insert(
            order, txn_type, DONE, amount, now_ms, payer=paid.payer, original=paid.query_id
        )
        self._move_back(made.query_id, paid, amount, now_ms)
        return made

    def _move_back(self, reference: str, paid: Transaction, amount: int, now_ms: int) -> None:
        account = merchant(paid.mer_id)
        is_lent = paid.mer_id == self._lends_to
        if not is_lent and self._books.balance(account).amount_minor < amount:
            raise RefusedError(wire.SHORT)
        money, day = Money(amount, "CNY"), china_day(now_ms)
        self._books.move(reference, account, paid.payer, money, day, "refund")

    def _take(self, made: Transaction, payer: str, now_ms: int) -> None:
        if self._books.balance(payer).amount_minor < made.amount_minor:
            raise RefusedError(wire.SHORT)
        now_ms = self.booked(now_ms)
        money, day = Money(made.amount_minor, "CNY"), china_day(now_ms)
        self._books.move(made.query_id, payer, merchant(made.mer_id), money, day, "payment")
        self._set(made, DONE, payer, self._business_day(now_ms).isoformat())

    def _given_back(self, paid: Transaction) -> int:
        (given,) = self._books.db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM acp_transaction WHERE original = ?",
            (paid.query_id,),
        ).fetchone()
        return int(given)

    def _insert(
        self,
        order: Order,
        txn_type: str,
        state: str,
        amount: int,
        now_ms: int,
        *,
        payer: str = "",
        original: str = "",
        qr_code: str = "",
    ) -> Transaction:
        query_id = f"{order.txn_time}{self._digits(7)}"
        made = Transaction(
            order.mer_id, order.order_id, order.txn_time, query_id, txn_type, state, amount,
            payer, now_ms, original, qr_code,
            self._business_day(now_ms).isoformat() if state == DONE else "",
        )  # fmt: skip
        self._books.db.execute(
            "INSERT INTO acp_transaction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (made.mer_id, made.order_id, made.txn_time, query_id, txn_type, state, amount, payer,
             now_ms, original, qr_code, made.day),
        )  # fmt: skip
        return made

    def _set(self, made: Transaction, state: str, payer: str, day: str = "") -> None:
        self._books.db.execute(
            "UPDATE acp_transaction SET state = ?, payer = ?, day = ? WHERE query_id = ?",
            (state, payer, day, made.query_id),
        )

    def _timed(self, found: Transaction, now_ms: int) -> Transaction:
        if found.state != ACCEPTED or now_ms < found.made_at_ms + WAIT_LIFE_MS:
            return found
        self._set(found, FAILED, found.payer)
        return self._known(found.query_id)

    def _known(self, query_id: str) -> Transaction:
        row = self._books.db.execute(_SELECT + " WHERE query_id = ?", (query_id,)).fetchone()
        return Transaction(*row)

    def _password_free(self, payer: str) -> int:
        row = self._books.db.execute(
            "SELECT password_free_minor FROM acp_payer WHERE payer = ?", (payer,)
        ).fetchone()
        if row is None:
            raise CallerError("payer_unknown")
        return int(row[0])


def merchant(mer_id: str) -> str:
    """The account of a merchant."""
    return f"MER-{mer_id}"
