"""Reading the outbox of callbacks. Only this file of the room sees SQL."""

from collections.abc import Sequence

from sqlalchemy import func, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.notify.limits import CALLBACKS_PER_CLAIM_MAX, DEAD_LETTERS_PER_LIST_MAX
from backend.notify.tables import OutboxCallback

_callback = OutboxCallback.__table__  # type: ignore[attr-defined]


class CallbackRepository:
    """Committed callbacks. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def due(self, now_ms: int, without: Sequence[str] = ()) -> list[Row]:
        """The ids and merchants of callbacks to try now, the longest overdue first; not those of
        the merchants in ``without``."""
        query = (
            select(_callback.c.callback_id, _callback.c.merchant_id)
            .where(_callback.c.state == "pending", _callback.c.next_try_ms <= now_ms)
            .where(_callback.c.merchant_id.not_in(without))
            .order_by(_callback.c.next_try_ms)
            .limit(CALLBACKS_PER_CLAIM_MAX)
        )
        return self._reader.rows(query)

    def dead_letters(self, limit: int = DEAD_LETTERS_PER_LIST_MAX) -> list[Row]:
        """What could not be delivered, newest first, without bodies."""
        shown = ("callback_id", "merchant_id", "url", "event_type", "failed_tries", "last_error",
                 "created_at_ms")  # fmt: skip
        query = (
            select(*(_callback.c[name] for name in shown))
            .where(_callback.c.state == "dead")
            .order_by(_callback.c.created_at_ms.desc(), _callback.c.callback_id)
            .limit(min(limit, DEAD_LETTERS_PER_LIST_MAX))
        )
        return self._reader.rows(query)

    def counts(self) -> dict[str, int]:
        """How many callbacks are in each state. For metrics."""
        query = select(_callback.c.state, func.count().label("count")).group_by(_callback.c.state)
        return {row["state"]: int(row["count"]) for row in self._reader.rows(query)}
