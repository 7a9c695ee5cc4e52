"""The sandbox bank's rules over its own SQLite books. No HTTP, no clock: the day is given.

Rule: the same id with the same content gets the first answer, with other content a refusal.
"""

from datetime import date
from pathlib import Path

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
from backend.sandbox.institution.books import Books
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError


class Bank(Books):
    """One bank with its accounts, its instructions, and the top-up channel beside it."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self.add_tables("backend.sandbox", "schema.sql")

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

    def statement(self, number: str, *, day: date, at_ms: int) -> Statement:
        """An account's day, from its own movements."""
        page = self.account_day(number, day)
        entries = tuple(
            StatementEntry(item.reference, item.amount, day, item.info) for item in page.movements
        )
        message_id = f"STM-{day:%Y%m%d}-{number}"[:35]
        return Statement(message_id, at_ms, number, day, page.opening, page.closing, entries)

    def _transfer(
        self, instruction: Instruction, transfer: CreditTransfer, day: date
    ) -> TransferStatus:
        e2e = transfer.end_to_end_id
        if self.account(transfer.creditor_account) is None:
            return TransferStatus(e2e, "RJCT", "AC01")
        reason = self.refusal(instruction.debtor_account, transfer.amount)
        if reason:
            return TransferStatus(e2e, "RJCT", reason)
        if self.has_moved(e2e):
            return TransferStatus(e2e, "RJCT", "DUPL")
        debit, credit = instruction.debtor_account, transfer.creditor_account
        self.move(e2e, debit, credit, transfer.amount, day, transfer.remittance)
        return TransferStatus(e2e, "ACSC")
