"""What the clearing needs and does not import: the verdict of the reconciliation, a channel's own
word on its net, and a witness of the time."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol


class Reconcile(Protocol):
    """Compare our books with the institutions' files and keep what was found."""

    async def __call__(self, *, day: date, booked: Sequence[date]) -> Mapping[str, Any]:
        """``{"breaks": int, "matched": int, "unread": {name: why}, …}`` for a business day whose
        movements the bank has booked on the given days, the last of them today. ``unread``: whose
        file could not be had, or was refused whole. Safe to repeat."""
        ...


class NetPositionPort(Protocol):
    """A channel that signs what it will settle with us."""

    async def net_position(self, day: date) -> int | None:
        """What the channel will pay (negative: take) for one of its days, its signature checked;
        None while it has not said."""
        ...


class TimeStamper(Protocol):
    """Stamps a digest with the time at which it existed (RFC 3161)."""

    async def stamp(self, digest: bytes) -> bytes:
        """A checked token over a SHA-256; may raise ``OperatingError``."""
        ...
