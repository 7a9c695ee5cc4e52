"""What the rest of the backend asks of other institutions.

Every call may raise ``OperatingError``: then the outcome is *unknown*, and only a query tells.
"""

from datetime import date
from typing import Protocol

from backend.channels.day_file import DayFile
from backend.channels.iso20022 import Instruction, Statement, StatusReport
from backend.channels.model import TopUpAnswer, TopUpOrder


class BankPort(Protocol):
    """The bank that keeps the reserve and pays merchants."""

    async def instruct(self, instruction: Instruction) -> StatusReport:
        """Carry out credit transfers; the same message again gets the first answer."""
        ...

    async def status(self, message_id: str) -> StatusReport | None:
        """What became of an instruction; None if it never arrived."""
        ...

    async def statement(self, account: str, day: date) -> Statement:
        """An account's day, as the bank has booked it so far."""
        ...


class TopUpPort(Protocol):
    """The channel that takes money from payers' bank accounts."""

    async def top_up(self, order: TopUpOrder) -> TopUpAnswer:
        """Take the money; the same order again gets the first answer."""
        ...

    async def top_up_status(self, topup_id: str) -> TopUpAnswer | None:
        """What became of an order; None if it never arrived."""
        ...

    async def settle(self, day: date) -> None:
        """Ask the channel to pay a closed day into the reserve; safe to repeat."""
        ...

    async def day_file(self, day: date) -> DayFile:
        """The channel's own list of a day."""
        ...
