"""A bank of one file, for tests whose subject is not the bank: it pays whom it knows, at once.

The reserve bank and the commercial banks that the programs speak with have rooms of their own in
the sandbox; this one keeps everybody's account, so that a test sees the whole of the money.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from backend.channels.day_file import DayRow
from backend.channels.iso20022 import (
    CreditTransfer,
    Instruction,
    Statement,
    StatementEntry,
    StatusReport,
    TransferStatus,
)
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import spoil_rows
from backend.sandbox.institution.house import furnish
from protocol.clock import Clock
from protocol.crypto.keys import generate
from protocol.errors import CallerError

NOWHERE = "AC01"
OWN_FAULTS = ("reject_payout",)


class NearBank(Books):
    """Accounts, and what became of each instruction."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path)
        self._done: dict[str, tuple[Instruction, StatusReport]] = {}

    def execute(
        self, instruction: Instruction, *, day: date, at_ms: int, rejects: bool = False
    ) -> StatusReport:
        """Carry out a payment initiation, whole; again: the first answer."""
        known = self._done.get(instruction.message_id)
        if known is not None:
            if known[0] != instruction:
                raise CallerError("idempotency_conflict", "message id")
            return known[1]
        with self.transaction():
            statuses = tuple(
                TransferStatus(transfer.end_to_end_id, "RJCT", NOWHERE)
                if rejects
                else self._transfer(instruction, transfer, day)
                for transfer in instruction.transfers
            )
        message_id = f"ST-{instruction.message_id}"[:35]
        report = StatusReport(message_id, at_ms, instruction.message_id, statuses)
        self._done[instruction.message_id] = (instruction, report)
        return report

    def status(self, message_id: str) -> StatusReport | None:
        """What became of an instruction; None if it never arrived."""
        known = self._done.get(message_id)
        return None if known is None else known[1]

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
            return TransferStatus(e2e, "RJCT", NOWHERE)
        reason = self.refusal(instruction.debtor_account, transfer.amount)
        if reason:
            return TransferStatus(e2e, "RJCT", reason)
        if self.has_moved(e2e):
            return TransferStatus(e2e, "RJCT", "DUPL")
        debit, credit = instruction.debtor_account, transfer.creditor_account
        self.move(e2e, debit, credit, transfer.amount, day, transfer.remittance)
        return TransferStatus(e2e, "ACSC")


class NearWorld:
    """The bank, its clock and the faults that are armed."""

    def __init__(self, bank: NearBank, clock: Clock) -> None:
        self.bank = bank
        self.house = furnish(
            "near", bank, clock=clock, key=generate("ES256"), peers={}, faults=OWN_FAULTS
        )
        self.faults = self.house.faults

    def now_ms(self) -> int:
        """The institutions' time."""
        return self.house.clock.now_ms()

    def today(self) -> date:
        """The calendar's day in China."""
        return self.house.clock.today()

    def faulty(self, rows: Sequence[DayRow]) -> list[DayRow]:
        """A file's rows with the faults that are due."""
        return spoil_rows(self.faults, rows)
