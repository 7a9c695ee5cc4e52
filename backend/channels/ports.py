"""What the rest of the backend asks of other institutions.

Every call may raise ``OperatingError``: then the outcome is *unknown*, and only a query or a
reversal tells. ``NotSentError`` is the one exception: certainly nothing was sent.
"""

from datetime import date
from typing import Protocol

from backend.channels.day_file import DayFile
from backend.channels.facts import ChannelFacts
from backend.channels.iso20022 import (
    Instruction,
    Notification,
    Recall,
    Resolution,
    Statement,
    StatusReport,
)
from backend.channels.model import (
    ChannelAnswer,
    PayOrder,
    PayoutOrder,
    RefundOrder,
)
from protocol.errors import OperatingError


class NotSentError(OperatingError):
    """No byte of the request has left us (the connection was refused, say), so the peer has not
    heard of it. Where that is not certain, it is not this error."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("channel_unavailable", detail)


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

    async def bookings(self, account: str, cursor: int) -> Notification:
        """What was booked on an account after a cursor, and the cursor to ask from next."""
        ...

    async def recall(self, recall: Recall) -> Resolution:
        """Ask for a payout back; the same case again gets the first answer."""
        ...


class TimeStamper(Protocol):
    """Whoever says that a digest was there at a time."""

    async def stamp(self, digest: bytes) -> bytes:
        """An RFC 3161 token over a SHA-256 digest, checked before it is given out."""
        ...


class AgreementPort(Protocol):
    """A channel by which a payer lets its bank's card be debited. ``own_id`` is ours, of what is
    agreed; asked again with it, the channel answers as before."""

    async def send_code(self, own_id: str, *, account: str, name: str, phone: str) -> bool:
        """Whether the bank has this account under this name; then it sends its customer a code."""
        ...

    async def agree(self, own_id: str, *, code: str) -> str | None:
        """The channel's token for the account; None for a wrong code."""
        ...


class DayPort(Protocol):
    """A channel's business days: each is settled once, and told in a file."""

    async def settle(self, day: date) -> None:
        """Ask the channel to pay a closed day into the reserve; safe to repeat."""
        ...

    async def day_file(self, day: date) -> DayFile:
        """The channel's own list of a day, verified whole; close it."""
        ...


class ChannelPort(DayPort, Protocol):
    """A channel that takes payments from payers' instruments, gives refunds, and pays out.

    Every id is ours. Asked again with the same id and content, the channel repeats its first
    answer; with other content it refuses (``OperatingError``: nothing is concluded from it). What
    it does not offer (``facts.offers``) is ``CallerError("channel_unavailable")``.
    """

    @property
    def facts(self) -> ChannelFacts:
        """What it offers, and at what price."""
        ...

    async def pay(self, order: PayOrder) -> ChannelAnswer:
        """Take the money. An order whose reversal came before it is *reversed*. Raises
        ``NotSentError`` only if no byte of it has left."""
        ...

    async def query(self, order: PayOrder) -> ChannelAnswer | None:
        """What became of an order; None if it never arrived."""
        ...

    async def reverse(self, order: PayOrder) -> ChannelAnswer:
        """Undo an order, whatever became of it. One that never arrived is marked, so that it is
        refused when it comes; one that is settled stays (*refused*) and wants a refund."""
        ...

    async def refund(self, order: RefundOrder) -> ChannelAnswer:
        """Give back a part of an order."""
        ...

    async def find(self, order: RefundOrder) -> ChannelAnswer | None:
        """What stands under the channel's own number, which the order names; None: nothing."""
        ...

    async def query_refund(self, order: RefundOrder) -> ChannelAnswer | None:
        """What became of a refund; None if it never arrived."""
        ...

    async def payout(self, order: PayoutOrder) -> ChannelAnswer:
        """Pay a payer's own bank account."""
        ...

    async def query_payout(self, order: PayoutOrder) -> ChannelAnswer | None:
        """What became of a payout; None if it never arrived."""
        ...
