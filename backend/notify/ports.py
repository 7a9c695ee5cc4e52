"""What brings callbacks to the deliverer: the database itself, or a broker before it.

The committed outbox is the truth in both. A queue may lose everything it holds, and may hand out a
callback more than once; what it hands out was claimed in the database first. No order is promised,
not even between the callbacks of one merchant.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from backend.db.tables import Row
from backend.notify.model import Tried


class CallbackForm(Protocol):
    """Dresses callbacks for merchants who expect another form than ours."""

    async def dress(self, row: Row) -> tuple[bytes, dict[str, str]]:
        """The body and headers of one try of this row of the outbox. A ``TillwayError`` is a
        failed try."""
        ...

    def is_taken(self, row: Row, answer: bytes) -> bool:
        """Whether the body that answered this row with 200 says that the merchant has it."""
        ...


class CallbackQueue(Protocol):
    """Used by one deliverer, on its loop."""

    async def run(self, ready: Callable[[], None]) -> None:
        """Keep it going until cancelled. ``ready`` is called when there may be something to take,
        and again and again without a reason."""
        ...

    def wake(self) -> None:
        """Look at once: callbacks were committed."""
        ...

    async def take(self, being_tried: Mapping[str, int]) -> list[Row]:
        """Callbacks to try now, claimed; each ends with one of the notes below. ``being_tried``
        says how many of each merchant are under way; few of each are handed out, so that one whose
        server hangs delays nobody else. Raises ``OperatingError`` when the database does."""
        ...

    async def note_delivered(self, callback_id: str, tried: Tried) -> None:
        """The merchant has it. Raises ``OperatingError``: not noted, it will be tried again."""
        ...

    async def note_failed(self, callback_id: str, tried: Tried) -> str:
        """Note a failed try: the callback is tried again after its gap, or is a dead letter; the
        state says which. Raises as ``note_delivered``."""
        ...
