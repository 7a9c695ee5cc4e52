"""What UnionPay's adapter keeps, and where: its terminal's numbers and each order's own.

Rule 1: a trace is stored before its message is sent; the same id gets the same trace for ever.
"""

from dataclasses import dataclass
from typing import Protocol

from backend.channels.iso8583.management import Totals, UploadRow
from backend.channels.iso8583.messages import Kind, Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceWish:
    """A transaction that is to be sent."""

    own_id: str
    kind: Kind
    amount_minor: int
    token: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTrace:
    """A transaction with its numbers, and what the switch has said of it so far."""

    own_id: str
    kind: Kind
    amount_minor: int
    token: str
    trace: Trace
    rrn: str = ""
    is_new: bool = False
    """Whether this is the first that was heard of it, so that nothing of it can have been sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceWord:
    """What the switch has said of a transaction. ``counts``: it moved money and was not undone."""

    own_id: str
    code: str
    rrn: str
    settlement_date: str
    counts: bool


class TraceStore(Protocol):
    """The durable numbers of one terminal."""

    async def take(self, wish: TraceWish) -> KeptTrace:
        """The transaction's trace: the one it has, else the terminal's next, stored for good."""
        ...

    async def find(self, own_id: str) -> KeptTrace | None:
        """The trace of a transaction; None if it was never to be sent."""
        ...

    async def note(self, word: TraceWord) -> None:
        """Keep what the switch has said."""
        ...

    async def next_number(self) -> Trace:
        """A trace for a message that moves no money."""
        ...

    async def open_batches(self) -> list[int]:
        """The batches that are not settled, in their order; the last is the one in use."""
        ...

    async def batch(self, number: int) -> tuple[Totals, list[UploadRow]]:
        """What counts in a batch: totals, and one by one."""
        ...

    async def close_batch(self, number: int) -> None:
        """A batch is settled; if it was in use, the next one begins."""
        ...
