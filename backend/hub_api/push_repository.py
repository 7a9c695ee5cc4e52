"""Reading the queue of news. Only this file of the room sees SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from backend.db.reading import Reader
from backend.notify.tables import OutboxPush

_push = OutboxPush.__table__  # type: ignore[attr-defined]


class PushRepository:
    """Committed pushes. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._rows = reader.rows

    def after(self, store: str, seq: int, count_max: int) -> Sequence[Mapping[str, Any]]:
        """The next pushes of a store beyond ``seq``, in order."""
        query = select(_push).where(_push.c.store == store, _push.c.seq > seq)
        return self._rows(query.order_by(_push.c.seq).limit(count_max))
