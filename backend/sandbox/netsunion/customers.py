"""Member banks' customers, whose accounts the clearing house plays, and their agreements.

An agreement is made in two steps: the bank checks account, holder and phone and sends the payer a
code (101); whoever brings the code gets the agreement's number (103). The same request again gets
the first answer.
"""

import base64
import hashlib
from datetime import date

from backend.channels.model import NUCC
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.orders import OrderBook
from protocol.errors import CallerError
from protocol.money import Money

TRANSIT = "NUCC-TRANSIT"
_CODE_DIGITS = 6


class AgreementTill:
    """``Till`` over the customers' accounts."""

    channel = NUCC

    def __init__(self, books: Books) -> None:
        self._books = books
        books.open_own_account(TRANSIT)

    def refusal(self, account: str, amount: Money, *, day: date) -> str:  # noqa: ARG002  # the Till's shape
        """Why an account cannot pay this; empty if it can."""
        return self._books.refusal(account, amount)

    def take(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """From the payer, on the way to the payee."""
        self._books.move(reference, account, TRANSIT, amount, day, "agreement pay")

    def give(self, reference: str, account: str, amount: Money, *, day: date) -> None:
        """Back to the payer."""
        self._books.move(reference, TRANSIT, account, amount, day, "given back")


class Customers:
    """Who has which account at which bank, and what they agreed to."""

    def __init__(self, books: Books, book: OrderBook) -> None:
        self._books = books
        self._book = book

    def open(self, account: str, name: str, bank: str, opening: Money, *, day: date) -> None:
        """Open a customer's account, which may be named by its number, too: the agreement of a
        payer that brings money from it to us. Repeating it changes nothing."""
        self._books.open_account(account, name, opening, day=day)
        self._books.db.execute(
            "INSERT INTO nucc_customer VALUES (?, ?) ON CONFLICT DO NOTHING", (account, bank)
        )
        if self.bank_of(account) != bank:
            raise CallerError("idempotency_conflict", "bank")
        self._book.bind(account, account)

    def bank_of(self, account: str) -> str | None:
        """The bank of an account; None where there is no such account."""
        row = self._books.db.execute(
            "SELECT bank FROM nucc_customer WHERE account = ?", (account,)
        ).fetchone()
        return None if row is None else str(row[0])

    def verify(self, trx_id: str, *, bank: str, account: str, name: str) -> bool:
        """Whether the bank has this account under this name; then the payer is sent a code."""
        found = self._books.account(account)
        if found is None or found[0] != name or self.bank_of(account) != bank:
            return False
        self._books.db.execute(
            "INSERT INTO nucc_verification VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (trx_id, account, _code(trx_id)),
        )
        return True

    def code_sent(self, trx_id: str) -> str | None:
        """What stands on the payer's phone."""
        row = self._verification(trx_id)
        return None if row is None else row[1]

    def text_of(self, account: str) -> str | None:
        """The newest code on the phone of an account's holder."""
        row = self._books.db.execute(
            "SELECT code FROM nucc_verification WHERE account = ? ORDER BY rowid DESC LIMIT 1",
            (account,),
        ).fetchone()
        return None if row is None else str(row[0])

    def sign(self, verification: str, code: str) -> str:
        """The agreement's number; empty for a wrong code."""
        row = self._verification(verification)
        if row is None or row[1] != code:
            return ""
        digest = hashlib.sha256(verification.encode()).digest()
        agreement = f"SGN{base64.b32encode(digest)[:29].decode('ascii')}"
        self._book.bind(agreement, row[0])
        return agreement

    def _verification(self, trx_id: str) -> tuple[str, str] | None:
        row = self._books.db.execute(
            "SELECT account, code FROM nucc_verification WHERE trx_id = ?", (trx_id,)
        ).fetchone()
        return None if row is None else (str(row[0]), str(row[1]))


def _code(trx_id: str) -> str:
    digits = int.from_bytes(hashlib.sha256(f"code/{trx_id}".encode()).digest(), "big")
    return str(digits % 10**_CODE_DIGITS).zfill(_CODE_DIGITS)
