"""An institution's own books: accounts and the movements between them, in one SQLite file.

Rule 1: every movement debits one account and credits another; a balance is the sum of movements.
Rule 2: a reference moves once.
Rule 3: only an institution's own accounts may go below zero.
No HTTP and no clock: the day is given.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

from protocol.errors import CallerError
from protocol.money import Money

VAULT_ACCOUNT = "VAULT"
"""Where opening balances come from."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement as it stands on an account: positive when it came in."""

    reference: str
    amount: Money
    info: str
    other: str
    """The account on the other side."""


@dataclass(frozen=True, slots=True)
class AccountDay:
    """An account's day: ``opening`` plus the movements is ``closing``."""

    number: str
    day: date
    opening: Money
    closing: Money
    movements: tuple[Movement, ...]


class Books:
    """Accounts and movements. An institution adds its own tables with ``add_tables``."""

    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        self.add_tables("backend.sandbox.institution", "schema.sql")
        self.open_own_account(VAULT_ACCOUNT)

    def close(self) -> None:
        """Close the books."""
        self.db.close()

    def add_tables(self, package: str, name: str) -> None:
        """Run a package's schema file, which must be repeatable."""
        self.db.executescript(files(package).joinpath(name).read_text("utf-8"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed together, or nothing of it."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            # A full disk ends a transaction by itself, or leaves it open: none may be left behind.
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def open_own_account(self, number: str) -> None:
        """An institution's own account, which may go below zero; repeating it changes nothing."""
        self.db.execute(
            "INSERT INTO account VALUES (?, ?, 'CNY', 1) ON CONFLICT DO NOTHING", (number, number)
        )

    def open_account(self, number: str, name: str, opening: Money, *, day: date) -> None:
        """Open an account with a first deposit; repeating it changes nothing."""
        with self.transaction():
            known = self.account(number)
            if known is not None:
                if known != (name, opening.currency):
                    raise CallerError("idempotency_conflict", "account")
                return
            self.db.execute(
                "INSERT INTO account (number, name, currency) VALUES (?, ?, ?)",
                (number, name, opening.currency),
            )
            if opening.amount_minor:
                self.move(f"OPEN-{number}", VAULT_ACCOUNT, number, opening, day, "opening")

    def account(self, number: str) -> tuple[str, str] | None:
        """An account's holder and currency; None where there is no such account."""
        row = self.db.execute(
            "SELECT name, currency FROM account WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def numbers(self) -> list[str]:
        """Every account there is."""
        return [row[0] for row in self.db.execute("SELECT number FROM account ORDER BY number")]

    def balance(self, number: str, *, until: date | None = None) -> Money:
        """What stands on an account, at the end of a day or now."""
        account = self.account(number)
        if account is None:
            raise CallerError("account_unknown")
        limit = until.isoformat() if until is not None else "9999"
        (amount_minor,) = self.db.execute(
            "SELECT coalesce(sum(iif(credit = ?1, amount_minor, -amount_minor)), 0)"
            " FROM movement WHERE (credit = ?1 OR debit = ?1) AND day <= ?2",
            (number, limit),
        ).fetchone()
        return Money(amount_minor, account[1])

    def refusal(self, number: str, amount: Money) -> str:
        """Why an account cannot pay this (an ISO 20022 reason); empty if it can."""
        account = self.account(number)
        if account is None:
            return "AC01"
        if account[1] != amount.currency:
            return "AM03"
        return "AM04" if self.balance(number).amount_minor < amount.amount_minor else ""

    def move(
        self, reference: str, debit: str, credit: str, amount: Money, day: date, info: str
    ) -> None:
        """Move money between accounts; a reference moves once."""
        self.db.execute(
            "INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?)",
            (reference, day.isoformat(), debit, credit, amount.amount_minor, info),
        )

    def has_moved(self, reference: str) -> bool:
        """Whether this reference has moved money."""
        found = self.db.execute("SELECT 1 FROM movement WHERE reference = ?", (reference,))
        return found.fetchone() is not None

    def account_day(self, number: str, day: date) -> AccountDay:
        """What a statement of an account's day says."""
        closing = self.balance(number, until=day)
        movements = self._movements(number, day, closing.currency)
        moved = sum(movement.amount.amount_minor for movement in movements)
        opening = Money(closing.amount_minor - moved, closing.currency)
        return AccountDay(number, day, opening, closing, tuple(movements))

    def _movements(self, number: str, day: date, currency: str) -> Sequence[Movement]:
        rows = self.db.execute(
            "SELECT reference, debit, credit, amount_minor, info FROM movement"
            " WHERE (credit = ?1 OR debit = ?1) AND day = ?2 ORDER BY rowid",
            (number, day.isoformat()),
        )
        return [
            Movement(reference, Money(minor, currency), info, debit)
            if credit == number
            else Movement(reference, Money(-minor, currency), info, credit)
            for reference, debit, credit, minor, info in rows
        ]
