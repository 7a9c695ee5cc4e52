"""Telling the bank to move money, and reading its first word on it.

Again means the same bytes: all that stands in the message is in the row. ``CONFIRM`` here only says
that the bank accepted; the posting waits for the statement.
"""

from dataclasses import dataclass
from datetime import date

import structlog

from backend.channels.iso20022 import CreditTransfer, Instruction
from backend.channels.ports import BankPort
from backend.clearing.model import Outcome
from backend.db.tables import Row
from protocol.errors import OperatingError
from protocol.money import Money

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """The accounts at the bank that the run moves money between."""

    reserve: str
    own: str
    holder: str
    currency: str = "CNY"


class MoveDesk:
    """Instructs the bank, one stored movement a message."""

    def __init__(self, *, bank: BankPort, accounts: Accounts) -> None:
        self._bank = bank
        self._accounts = accounts

    async def pay_merchant(self, payout: Row) -> tuple[Outcome, str]:
        """From the reserve to a merchant's account."""
        return await self._instruct(
            payout,
            message_id=payout["payout_id"],
            amount_minor=payout["amount_minor"],
            debtor=self._accounts.reserve,
            creditor=(payout["account_name"], payout["account_no"]),
        )

    async def move_own(self, move: Row) -> tuple[Outcome, str]:
        """Between the reserve and our own account; a negative amount goes into the reserve."""
        accounts, is_back = self._accounts, move["amount_minor"] < 0
        debtor, creditor = (
            (accounts.own, accounts.reserve) if is_back else (accounts.reserve, accounts.own)
        )
        return await self._instruct(
            move,
            message_id=move["move_id"],
            amount_minor=abs(move["amount_minor"]),
            debtor=debtor,
            creditor=(accounts.holder, creditor),
        )

    async def _instruct(
        self,
        row: Row,
        *,
        message_id: str,
        amount_minor: int,
        debtor: str,
        creditor: tuple[str, str],
    ) -> tuple[Outcome, str]:
        name, account = creditor
        instruction = Instruction(
            message_id=message_id,
            created_at_ms=row["instructed_at_ms"],
            execution_date=date.fromisoformat(row["execution_date"]),
            debtor_name=self._accounts.holder,
            debtor_account=debtor,
            transfers=(
                CreditTransfer(
                    end_to_end_id=message_id,
                    amount=Money(amount_minor, row["currency"]),
                    creditor_name=name,
                    creditor_account=account,
                    remittance=row["business_date"],
                ),
            ),
        )
        try:
            report = await self._bank.instruct(instruction)
        except OperatingError as error:
            _log.warning("instruction_unknown", message_id=message_id, code=error.code)
            return Outcome.LOSE_CONTACT, error.code
        for transfer in report.transfers:
            if transfer.end_to_end_id == message_id and transfer.status == "RJCT":
                return Outcome.REJECT, transfer.reason
            if transfer.end_to_end_id == message_id and transfer.status == "ACSC":
                return Outcome.CONFIRM, ""
        return Outcome.LOSE_CONTACT, "no final status"
