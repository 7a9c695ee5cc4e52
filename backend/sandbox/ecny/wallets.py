"""Wallets and what moves between them. No HTTP, no clock: the day is given.

Rule 1: a payment is refused, with a reason that stays the same, by what is wrong with the payment
        first (``LIMIT_PAYMENT``), then with the day (``LIMIT_DAY``), the year (``LIMIT_YEAR``), the
        balance (``AM04``).
Rule 2: what was paid counts against the limits even if it is refunded later.
Rule 3: a refund comes in whatever the limits: it is the payer's own money.
"""

from datetime import date

from backend.channels.model import ECNY
from backend.sandbox.ecny.limits import LENT_MINOR_MAX, LimitTable
from backend.sandbox.institution.books import Books
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

INSTITUTION_WALLET = "WALLET-TILLWAY"
"""The payment institution's own, of the corporate kind: no limits."""
EXCHANGED = "EXCHANGED"
"""What left the institution's wallet for its reserve account, or came from there."""


class WalletTill:
    """``Till`` over the wallets of an operator."""

    channel = ECNY

    def __init__(self, books: Books, limits: LimitTable) -> None:
        self._books = books
        self._limits = limits
        books.add_tables("backend.sandbox.ecny", "schema.sql")
        for number in (INSTITUTION_WALLET, EXCHANGED):
            books.open_own_account(number)

    def open_wallet(
        self, number: str, holder: str, wallet_class: int, opening: Money, *, day: date
    ) -> None:
        """Open a wallet with e-CNY in it; repeating it changes nothing."""
        most = self._limits.on(wallet_class, day).balance_minor
        if most and opening.amount_minor > most:
            raise CallerError("field_invalid", "LIMIT_BALANCE")
        self._books.open_account(number, holder, opening, day=day)
        self._books.db.execute(
            "INSERT INTO ecny_wallet VALUES (?, ?) ON CONFLICT DO NOTHING", (number, wallet_class)
        )
        if self._class(number) != wallet_class:
            raise CallerError("idempotency_conflict", "wallet")

    def refusal(self, account: str, amount: Money, *, day: date) -> str:
        """Why a wallet cannot pay this (rule 1); empty if it can."""
        wallet_class = self._class(account)
        if wallet_class is None:
            return "AC01"
        limits, paid = self._limits.on(wallet_class, day), amount.amount_minor
        for most, before, reason in (
            (limits.payment_minor, 0, "LIMIT_PAYMENT"),
            (limits.day_minor, self._paid(account, day.isoformat()), "LIMIT_DAY"),
            (limits.year_minor, self._paid(account, f"{day.year:04}-"), "LIMIT_YEAR"),
        ):
            if most and before + paid > most:
                return reason
        return self._books.refusal(account, amount)

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Pay: from the wallet to the institution's, final."""
        self._books.move(reference, account, INSTITUTION_WALLET, amount, day, "payment")

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Refund: a new payment back. *busy* while the institution's wallet cannot: it is asked
        again when the day's change has filled it."""
        left = self._books.balance(INSTITUTION_WALLET).amount_minor + LENT_MINOR_MAX
        if amount.amount_minor > left:
            raise OperatingError("busy", "the institution's wallet is short")
        self._books.move(reference, INSTITUTION_WALLET, account, amount, day, "refund")

    def _class(self, number: str) -> int | None:
        row = self._books.db.execute(
            "SELECT wallet_class FROM ecny_wallet WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else int(row[0])

    def _paid(self, number: str, days: str) -> int:
        """What a wallet has paid on the days whose names begin so."""
        (paid,) = self._books.db.execute(
            "SELECT coalesce(sum(amount_minor), 0) FROM movement WHERE debit = ?1 AND credit = ?2"
            " AND day >= ?3 AND day < ?3 || '~'",
            (number, INSTITUTION_WALLET, days),
        ).fetchone()
        return int(paid)
