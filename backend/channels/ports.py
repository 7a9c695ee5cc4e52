"""What the rest of the backend asks of other institutions.

Every call may raise ``OperatingError``: then the outcome is *unknown*, and only a query tells.
"""

from datetime import date
from typing import Protocol

from backend.channels.day_file import DayFile
from backend.channels.iso20022 import Instruction, Statement, StatusReport
from backend.channels.model import (
    ChannelAnswer,
    PayOrder,
    RefundOrder,
    TopUpAnswer,
    TopUpOrder,
)


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


class DayPort(Protocol):
    """A channel's business days: each is settled once, and told in a file."""

    async def settle(self, day: date) -> None:
        """Ask the channel to pay a closed day into the reserve; safe to repeat."""
        ...

    async def day_file(self, day: date) -> DayFile:
        """The channel's own list of a day, verified whole; close it."""
        ...


class TopUpPort(DayPort, Protocol):
    """The channel that takes money from payers' bank accounts."""

    async def top_up(self, order: TopUpOrder) -> TopUpAnswer:
        """Take the money; the same order again gets the first answer."""
        ...

    async def top_up_status(self, topup_id: str) -> TopUpAnswer | None:
        """What became of an order; None if it never arrived."""
        ...


class ChannelPort(DayPort, Protocol):
    """A channel that takes payments from payers' instruments and gives refunds.

    Every id is ours. Asked again with the same id, the channel repeats its first answer.
    """

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """Take the money. An order whose reversal came before it is *reversed*."""
        ...

    async def query(self, order_id: str) -> ChannelAnswer | None:
        """What became of an order; None if it never arrived."""
        ...

    async def reverse(self, order_id: str) -> ChannelAnswer:
        """Undo an order, whatever became of it. One that never arrived is marked, so that it is
        refused when it comes; one that is settled stays (*refused*) and wants a refund."""
        ...

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """Give back a part of an order."""
        ...

    async def query_refund(self, refund_id: str) -> ChannelAnswer | None:
        """What became of a refund; None if it never arrived."""
        ...
