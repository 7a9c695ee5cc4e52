"""The sandbox bank's rules over its own SQLite books. No HTTP, no clock: the day is given.

Rule 1: the same id with the same content gets the first answer, with other content a refusal.
Rule 2: every movement debits one account and credits another; balances are sums of movements.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Literal

from backend.channels.day_file import DayRow
from backend.channels.iso20022 import (
    CreditTransfer,
    Instruction,
    Statement,
    StatementEntry,
    StatusReport,
    TransferStatus,
    read_status_report,
    write_status_report,
)
from backend.channels.model import TopUpAnswer, TopUpOrder
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError
from protocol.money import Money

CHANNEL_ACCOUNT = "CHANNEL-TRANSIT"
VAULT_ACCOUNT = "BANK-VAULT"


class Bank:
    """One bank with its accounts, its instructions, and the top-up channel beside it."""

    def __init__(self, path: Path | str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        self.db.executescript(files("backend.sandbox").joinpath("schema.sql").read_text())
        for number in (CHANNEL_ACCOUNT, VAULT_ACCOUNT):
            self.open_own_account(number)

    def close(self) -> None:
        """Close the books."""
        self.db.close()

    def open_own_account(self, number: str) -> None:
        """An institution's own account, which may go below zero; repeating it changes nothing."""
        self.db.execute(
            "INSERT INTO account VALUES (?, ?, 'CNY', 1) ON CONFLICT DO NOTHING", (number, number)
        )

    def open_account(self, number: str, name: str, opening: Money, *, day: date) -> None:
        """Open an account with a first deposit; repeating it changes nothing."""
        with self.transaction():
            known = self._account(number)
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

    def balance(self, number: str, *, until: date | None = None) -> Money:
        """What stands on an account, at the end of a day or now."""
        account = self._account(number)
        if account is None:
            raise CallerError("account_unknown")
        limit = until.isoformat() if until is not None else "9999"
        (amount_minor,) = self.db.execute(
            "SELECT coalesce(sum(iif(credit = ?1, amount_minor, -amount_minor)), 0)"
            " FROM movement WHERE (credit = ?1 OR debit = ?1) AND day <= ?2",
            (number, limit),
        ).fetchone()
        return Money(amount_minor, account[1])

    def execute(self, instruction: Instruction, data: bytes, *, day: date, at_ms: int) -> bytes:
        """Carry out a payment initiation and return its pain.002; again: the same bytes."""
        digest = sha256(data)
        with self.transaction():
            row = self.db.execute(
                "SELECT digest, answer FROM instruction WHERE message_id = ?",
                (instruction.message_id,),
            ).fetchone()
            if row is not None:
                if row[0] != digest:
                    raise CallerError("idempotency_conflict", "message id")
                return bytes(row[1])
            statuses = tuple(
                self._transfer(instruction, transfer, day) for transfer in instruction.transfers
            )
            message_id = f"ST-{instruction.message_id}"[:35]
            report = StatusReport(message_id, at_ms, instruction.message_id, statuses)
            answer = write_status_report(report)
            self.db.execute(
                "INSERT INTO instruction VALUES (?, ?, ?)",
                (instruction.message_id, digest, answer),
            )
            return answer

    def status(self, message_id: str) -> StatusReport | None:
        """What became of an instruction; None if it never arrived."""
        row = self.db.execute(
            "SELECT answer FROM instruction WHERE message_id = ?", (message_id,)
        ).fetchone()
        return None if row is None else read_status_report(bytes(row[0]))

    def top_up(self, asked: TopUpOrder, *, day: date) -> TopUpAnswer:
        """Debit a payer's account for the channel; again: the first answer."""
        with self.transaction():
            first = self.top_up_result(asked.topup_id)
            if first is not None:
                self._check_same(asked)
                return first
            reason = self.refusal(asked.account, asked.amount)
            state: Literal["succeeded", "failed"] = "failed" if reason else "succeeded"
            self.db.execute(
                "INSERT INTO topup VALUES (?, ?, ?, ?, ?, ?, ?)",
                (asked.topup_id, asked.account, asked.amount.amount_minor,
                 asked.amount.currency, day.isoformat(), state, reason),
            )  # fmt: skip
            if not reason:
                reference = f"TOP-{asked.topup_id}"
                self.move(reference, asked.account, CHANNEL_ACCOUNT, asked.amount, day, "top-up")
            return TopUpAnswer(asked.topup_id, state, reason, day.isoformat())

    def top_up_result(self, topup_id: str) -> TopUpAnswer | None:
        """What became of a top-up; None if it never arrived."""
        row = self.db.execute(
            "SELECT topup_id, state, reason, day FROM topup WHERE topup_id = ?", (topup_id,)
        ).fetchone()
        return None if row is None else TopUpAnswer(*row)

    def settle_channel(self, reserve_account: str, *, day: date, booked_on: date) -> Money:
        """Pay a day's successful top-ups into the reserve account, once, booked when it is done."""
        total = Money(sum(row.amount.amount_minor for row in self.day_rows(day)), "CNY")
        with self.transaction():
            reference = f"STL-BANK-{day:%Y%m%d}"
            known = self.db.execute(
                "SELECT 1 FROM movement WHERE reference = ?", (reference,)
            ).fetchone()
            if known is None and total.amount_minor:
                self.move(
                    reference, CHANNEL_ACCOUNT, reserve_account, total, booked_on, "settlement"
                )
        return total

    def day_rows(self, day: date) -> list[DayRow]:
        """The channel's own list of a day's successful top-ups."""
        rows = self.db.execute(
            "SELECT topup_id, account, amount_minor, currency FROM topup"
            " WHERE day = ? AND state = 'succeeded' ORDER BY topup_id",
            (day.isoformat(),),
        )
        return [DayRow("topup", i, a, Money(m, c)) for i, a, m, c in rows]

    def statement(self, number: str, *, day: date, at_ms: int) -> Statement:
        """An account's day, from its own movements."""
        closing = self.balance(number, until=day)
        rows = self.db.execute(
            "SELECT reference, credit, amount_minor, info FROM movement"
            " WHERE (credit = ?1 OR debit = ?1) AND day = ?2 ORDER BY rowid",
            (number, day.isoformat()),
        )
        entries = tuple(
            StatementEntry(
                reference, Money(m if credit == number else -m, closing.currency), day, info
            )
            for reference, credit, m, info in rows
        )
        moved = sum(entry.amount.amount_minor for entry in entries)
        opening = Money(closing.amount_minor - moved, closing.currency)
        message_id = f"STM-{day:%Y%m%d}-{number}"[:35]
        return Statement(message_id, at_ms, number, day, opening, closing, entries)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def refusal(self, number: str, amount: Money) -> str:
        """Why an account cannot pay this (an ISO 20022 reason); empty if it can."""
        account = self._account(number)
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

    def _transfer(
        self, instruction: Instruction, transfer: CreditTransfer, day: date
    ) -> TransferStatus:
        e2e = transfer.end_to_end_id
        if self._account(transfer.creditor_account) is None:
            return TransferStatus(e2e, "RJCT", "AC01")
        reason = self.refusal(instruction.debtor_account, transfer.amount)
        if reason:
            return TransferStatus(e2e, "RJCT", reason)
        if self.db.execute("SELECT 1 FROM movement WHERE reference = ?", (e2e,)).fetchone():
            return TransferStatus(e2e, "RJCT", "DUPL")
        debit, credit = instruction.debtor_account, transfer.creditor_account
        self.move(e2e, debit, credit, transfer.amount, day, transfer.remittance)
        return TransferStatus(e2e, "ACSC")

    def _check_same(self, asked: TopUpOrder) -> None:
        row = self.db.execute(
            "SELECT account, amount_minor, currency FROM topup WHERE topup_id = ?",
            (asked.topup_id,),
        ).fetchone()
        if row != (asked.account, asked.amount.amount_minor, asked.amount.currency):
            raise CallerError("idempotency_conflict", "top-up")

    def _account(self, number: str) -> tuple[str, str] | None:
        row = self.db.execute(
            "SELECT name, currency FROM account WHERE number = ?", (number,)
        ).fetchone()
        return None if row is None else (row[0], row[1])
