"""What the clearing needs and does not import: the verdict of the reconciliation."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol


class Reconcile(Protocol):
    """Compare our books with the institutions' files and keep what was found."""

    async def __call__(self, *, day: date, booked_on: date) -> Mapping[str, Any]:
        """``{"breaks": int, "matched": int, …}`` for a business day whose movements the bank has
        booked on ``booked_on``. Safe to repeat."""
        ...
