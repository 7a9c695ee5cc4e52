"""What routing asks of other rooms."""

from collections.abc import Iterable
from typing import Protocol

from backend.db.command import Read
from backend.db.working_set import WorkingSet


class Room(Protocol):
    """How much a channel's net debit cap still allows."""

    def reads(self, channel_id: str) -> Iterable[Read]:
        """What ``left_minor`` reads."""
        ...

    def left_minor(self, ws: WorkingSet, channel_id: str, now_ms: int) -> int | None:
        """The largest payment that still fits; None where the channel has no cap."""
        ...


class NoCaps:
    """No channel has a cap."""

    def reads(self, channel_id: str) -> Iterable[Read]:  # noqa: ARG002  # nothing is read
        return ()

    def left_minor(self, ws: WorkingSet, channel_id: str, now_ms: int) -> int | None:  # noqa: ARG002  # no cap
        return None
