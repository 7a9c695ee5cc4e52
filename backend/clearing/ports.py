"""What the clearing needs and does not import: the verdict of the reconciliation."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Protocol


class Reconcile(Protocol):
    """Compare our books with the institutions' files and keep what was found."""

    async def __call__(self, *, day: date, booked: Sequence[date]) -> Mapping[str, Any]:
        """``{"breaks": int, "matched": int, …}`` for a business day whose movements the bank has
        booked on the given days, the last of them today. Safe to repeat."""
        ...
