"""The banks that keep our money, as one: the reserve bank for clients', a commercial one for ours.

Rule: an account is asked of the bank that keeps it, and pays from there.
"""

from datetime import date

from backend.channels.iso20022 import (
    Instruction,
    Notification,
    Recall,
    Resolution,
    Statement,
    StatusReport,
)
from backend.channels.ports import BankPort


class OurBanks:
    """``BankPort`` over both."""

    def __init__(self, *, reserve: BankPort, own: BankPort, own_account: str) -> None:
        self._reserve = reserve
        self._own = own
        self._own_account = own_account

    async def instruct(self, instruction: Instruction) -> StatusReport:
        """``BankPort.instruct``, by the account that pays."""
        return await self._keeper(instruction.debtor_account).instruct(instruction)

    async def status(self, message_id: str) -> StatusReport | None:
        """``BankPort.status``: our message ids are unique, so one bank at most knows it."""
        found = await self._reserve.status(message_id)
        return await self._own.status(message_id) if found is None else found

    async def statement(self, account: str, day: date) -> Statement:
        """``BankPort.statement``, by the account."""
        return await self._keeper(account).statement(account, day)

    async def bookings(self, account: str, cursor: int) -> Notification:
        """``BankPort.bookings``, by the account."""
        return await self._keeper(account).bookings(account, cursor)

    async def recall(self, recall: Recall) -> Resolution:
        """``BankPort.recall``: payouts leave the reserve, so its bank asks for them back."""
        return await self._reserve.recall(recall)

    def _keeper(self, account: str) -> BankPort:
        return self._own if account == self._own_account else self._reserve
