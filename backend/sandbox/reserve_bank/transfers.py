"""Customers' credit transfers through the reserve bank, until the creditor's bank has answered.

Rule 1: the amount is set aside in the transaction that takes a transfer; then the creditor's bank
        is asked, with the same bytes until it answers; what it accepts moves, what it refuses is
        free again.
Rule 2: the same message again gets the same answer; an id that moved money never moves it again.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import structlog

from backend.channels import iso20022
from backend.channels.iso20022 import CreditTransfer, Instruction, InterbankTransfer, TransferStatus
from backend.sandbox.institution.books import Books
from backend.sandbox.reserve_bank.rtgs import Rtgs
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

RESERVE_BANK_MEMBER = "RESERVE-BANK"
_log = structlog.get_logger()


class Banks(Protocol):
    """The lines to the commercial banks."""

    async def transfer(self, bank: str, message: bytes) -> bytes:
        """pacs.008 there, pacs.002 back; ``OperatingError``: nobody knows."""
        ...

    async def recall(self, bank: str, message: bytes) -> bytes:
        """camt.056 there, camt.029 back."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A transfer that waits for the creditor's bank."""

    message_id: str
    position: int
    bank: str
    message: bytes


class Transfers:
    """Taken, asked about, settled or refused."""

    def __init__(self, books: Books, rtgs: Rtgs, banks: Banks) -> None:
        self._books = books
        self._db = books.db
        self._rtgs = rtgs
        self._banks = banks

    def add_route(self, prefix: str, bank: str) -> None:
        """Say which bank keeps the accounts whose numbers begin so; the longest prefix counts."""
        self._db.execute(
            "INSERT INTO route VALUES (?1, ?2) ON CONFLICT DO UPDATE SET bank = ?2", (prefix, bank)
        )

    def is_known(self, message_id: str, digest: bytes) -> bool:
        """Whether this message was taken; other content under its id is refused."""
        row = self._db.execute(
            "SELECT digest FROM instruction WHERE message_id = ?", (message_id,)
        ).fetchone()
        if row is not None and row[0] != digest:
            raise CallerError("idempotency_conflict", "message id")
        return row is not None

    def take(
        self, instruction: Instruction, digest: bytes, *, day: date, at_ms: int, refusal: str
    ) -> None:
        """Keep a payment initiation and set its amounts aside; in a transaction."""
        self._db.execute(
            "INSERT INTO instruction VALUES (?, ?, ?)", (instruction.message_id, digest, at_ms)
        )
        for position, transfer in enumerate(instruction.transfers):
            bank = self._bank_of(transfer.creditor_account)
            reason = refusal or self._refusal(instruction.debtor_account, transfer, bank)
            state = "refused" if reason else "asked"
            creditor = settlement_account(bank) if bank else transfer.creditor_account
            self._db.execute(
                "INSERT INTO transfer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (instruction.message_id, position, transfer.end_to_end_id,
                 instruction.debtor_account, creditor, bank, transfer.amount.amount_minor,
                 transfer.amount.currency, transfer.remittance,
                 _message(instruction, transfer, bank) if bank else b"", state, reason),
            )  # fmt: skip
            if not bank and not reason:
                self._settle(instruction.message_id, position, day)

    async def ask(self, day: date, message_id: str | None = None) -> int:
        """Ask the creditors' banks about what is open, of one message or of all; returns how many
        still are. A bank that is silent is left alone until the next time."""
        silent: set[str] = set()
        for asked in self.open(message_id):
            if asked.bank in silent:
                continue
            try:
                answer = await self._banks.transfer(asked.bank, asked.message)
                status = iso20022.read_status(answer).transfers[0]
            except (OperatingError, CallerError) as error:
                _log.warning("bank_silent", bank=asked.bank, code=error.code)
                silent.add(asked.bank)
                continue
            with self._books.transaction():
                self._resolve(asked, status, day)
        return len(self.open(message_id))

    def open(self, message_id: str | None = None) -> list[Asked]:
        """What creditors' banks have not answered."""
        rows = self._db.execute(
            "SELECT message_id, position, bank, message FROM transfer"
            " WHERE state = 'asked' AND message_id = coalesce(?, message_id)"
            " ORDER BY rowid",
            (message_id,),
        )
        return [Asked(*row) for row in rows]

    def statuses(self, message_id: str) -> tuple[int, tuple[TransferStatus, ...]] | None:
        """When a message was taken and what became of its transfers; None if it never arrived."""
        row = self._db.execute(
            "SELECT at_ms FROM instruction WHERE message_id = ?", (message_id,)
        ).fetchone()
        if row is None:
            return None
        rows: Sequence[tuple[str, str, str]] = self._db.execute(
            "SELECT end_to_end_id, state, reason FROM transfer WHERE message_id = ?"
            " ORDER BY position",
            (message_id,),
        ).fetchall()
        return row[0], tuple(_status(*one) for one in rows)

    def settled(self, end_to_end_id: str) -> tuple[str, str, Money] | None:
        """Debtor's account, creditor's bank and amount of a transfer that has moved."""
        row = self._db.execute(
            "SELECT debtor, bank, amount_minor, currency FROM transfer"
            " WHERE end_to_end_id = ? AND state = 'settled'",
            (end_to_end_id,),
        ).fetchone()
        return None if row is None else (row[0], row[1], Money(row[2], row[3]))

    def _resolve(self, asked: Asked, status: TransferStatus, day: date) -> None:
        key = (asked.message_id, asked.position)
        if status.status == "ACSC":
            self._settle(*key, day)
        elif status.status == "RJCT":
            self._db.execute(
                "UPDATE transfer SET state = 'refused', reason = ?"
                " WHERE message_id = ? AND position = ? AND state = 'asked'",
                (status.reason, *key),
            )

    def _settle(self, message_id: str, position: int, day: date) -> None:
        """Move what was set aside; of two who come with the same answer one finds it done."""
        key = (message_id, position)
        changed = self._db.execute(
            "UPDATE transfer SET state = 'settled'"
            " WHERE message_id = ? AND position = ? AND state = 'asked'",
            key,
        )
        if changed.rowcount:
            e2e, debtor, creditor, minor, currency, info = self._db.execute(
                "SELECT end_to_end_id, debtor, creditor, amount_minor, currency, info"
                " FROM transfer WHERE message_id = ? AND position = ?",
                key,
            ).fetchone()
            self._books.move(e2e, debtor, creditor, Money(minor, currency), day, info)

    def _refusal(self, debtor: str, transfer: CreditTransfer, bank: str) -> str:
        account = self._books.account(debtor)
        there = settlement_account(bank) if bank else transfer.creditor_account
        if account is None or self._books.account(there) is None:
            return "AC01"
        if account[1] != transfer.amount.currency:
            return "AM03"
        if self._is_taken(transfer.end_to_end_id):
            return "DUPL"
        is_short = self._rtgs.available(debtor) < transfer.amount.amount_minor
        return "AM04" if is_short else ""

    def _is_taken(self, end_to_end_id: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM transfer WHERE end_to_end_id = ? AND state <> 'refused'",
            (end_to_end_id,),
        ).fetchone()
        return found is not None or self._books.has_moved(end_to_end_id)

    def _bank_of(self, account: str) -> str:
        """Which bank keeps an account; empty: it is here."""
        if self._books.account(account) is not None:
            return ""
        row = self._db.execute(
            "SELECT bank FROM route WHERE substr(?, 1, length(prefix)) = prefix"
            " ORDER BY length(prefix) DESC LIMIT 1",
            (account,),
        ).fetchone()
        return "" if row is None else str(row[0])


def settlement_account(bank: str) -> str:
    """The number of a bank's account at the reserve bank."""
    return f"SETTLE-{bank.upper()}"


def _message(instruction: Instruction, transfer: CreditTransfer, bank: str) -> bytes:
    """The pacs.008 that asks a creditor's bank, with the id that identifies it from end to end."""
    return iso20022.write_transfers(
        iso20022.InterbankTransfers(
            message_id=transfer.end_to_end_id,
            created_at_ms=instruction.created_at_ms,
            settlement_date=instruction.execution_date,
            debtor_agent=RESERVE_BANK_MEMBER,
            creditor_agent=bank.upper(),
            transfers=(
                InterbankTransfer(
                    end_to_end_id=transfer.end_to_end_id,
                    uetr=str(uuid.uuid4()),
                    amount=transfer.amount,
                    debtor_name=instruction.debtor_name,
                    debtor_account=instruction.debtor_account,
                    creditor_name=transfer.creditor_name,
                    creditor_account=transfer.creditor_account,
                    remittance=transfer.remittance,
                ),
            ),
        )
    )


def _status(end_to_end_id: str, state: str, reason: str) -> TransferStatus:
    match state:
        case "settled":
            return TransferStatus(end_to_end_id, "ACSC")
        case "refused":
            return TransferStatus(end_to_end_id, "RJCT", reason)
    return TransferStatus(end_to_end_id, "PDNG")
