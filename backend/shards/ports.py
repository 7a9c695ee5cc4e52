"""What the shards ask of the business on the payee's side."""

from collections.abc import Iterable
from typing import Protocol

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.shards.model import Crossing


class Payee(Protocol):
    """The merchant's side of a crossing: its checks, its payment row, its notification."""

    def reads(self, crossing: Crossing) -> Iterable[Read]:
        """The rows that ``credit`` looks at."""
        ...

    def credit(self, ws: WorkingSet, crossing: Crossing, now_ms: int) -> None:
        """Write the merchant's rows, in the commit that credits the account. ``CallerError``
        refuses: then nothing stays written, and the payer gets the money back."""
        ...
