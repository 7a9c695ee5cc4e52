"""What disputes need and do not import: which days of a channel are over."""

from collections.abc import Iterable
from typing import Protocol

from backend.db.command import Read
from backend.db.working_set import WorkingSet


class SettledDays(Protocol):
    """A channel's days, as the clearing knows them. Asked inside a command."""

    def reads(self, channel_id: str, day: str) -> Iterable[Read]:
        """What ``is_over`` looks at."""
        ...

    def is_over(self, ws: WorkingSet, channel_id: str, day: str) -> bool:
        """Whether the channel has settled a day, or we have closed it."""
        ...
