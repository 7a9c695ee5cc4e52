"""Reading the outbox of callbacks. Only this file of the room sees SQL."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, func, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.notify.limits import (
    CALLBACKS_PER_CLAIM_MAX,
    DEAD_LETTERS_PER_LIST_MAX,
    TRIES_SHOWN_MAX,
)
from backend.notify.model import CallbackFilter, DeadLetterFilter, Place
from backend.notify.states import OPEN_STATES
from backend.notify.tables import OutboxCallback, OutboxTry

_callback = OutboxCallback.__table__  # type: ignore[attr-defined]
_try = OutboxTry.__table__  # type: ignore[attr-defined]
_DUE = ("callback_id", "merchant_id", "failed_tries", "next_try_ms")
_SHOWN = (
    "callback_id", "merchant_id", "url", "event_type", "state", "failed_tries", "next_try_ms",
    "last_error", "created_at_ms", "delivered_at_ms", "answer_status", "answer_ms",
)  # fmt: skip
_LISTED = ("callback_id", "merchant_id", "url", "event_type", "last_error", "created_at_ms")


class CallbackRepository:
    """Committed callbacks. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def due(self, now_ms: int, without: Sequence[str] = ()) -> list[Row]:
        """Callbacks to try now, without bodies, the longest overdue first; not those of the
        merchants in ``without``."""
        query = (
            select(*(_callback.c[name] for name in _DUE))
            .where(_callback.c.state.in_(OPEN_STATES), _callback.c.next_try_ms <= now_ms)
            .where(_callback.c.merchant_id.not_in(without))
            .order_by(_callback.c.next_try_ms)
            .limit(CALLBACKS_PER_CLAIM_MAX)
        )
        return self._reader.rows(query)

    def callback(self, callback_id: str) -> Row | None:
        """One callback as it stands, in whatever state."""
        return self._reader.one(select(_callback).where(_callback.c.callback_id == callback_id))

    def tries(self, callback_id: str) -> list[Row]:
        """A callback's history, newest first."""
        query = select(_try).where(_try.c.callback_id == callback_id)
        return self._reader.rows(query.order_by(_try.c.number.desc()).limit(TRIES_SHOWN_MAX))

    def listed(
        self,
        wanted: CallbackFilter,
        *,
        limit: int,
        after: Place | None = None,
    ) -> list[Row]:
        """Callbacks of one merchant or of all, the latest written first, without bodies; with
        ``after``, what follows that place in the list."""
        at, key = _callback.c.created_at_ms, _callback.c.callback_id
        query = select(*(_callback.c[name] for name in _SHOWN))
        if wanted.merchant_id is not None:
            query = query.where(_callback.c.merchant_id == wanted.merchant_id)
        if wanted.state:
            query = query.where(_callback.c.state == wanted.state)
        if wanted.event_type:
            query = query.where(_callback.c.event_type == wanted.event_type)
        if wanted.from_ms is not None:
            query = query.where(at >= wanted.from_ms)
        if wanted.until_ms is not None:
            query = query.where(at < wanted.until_ms)
        if after is not None:
            query = query.where(
                or_(at < after.at_ms, and_(at == after.at_ms, key < after.callback_id))
            )
        query = query.order_by(at.desc(), key.desc())
        return self._reader.rows(query.limit(limit))

    def dead_letters(
        self,
        wanted: DeadLetterFilter,
        *,
        limit: int = DEAD_LETTERS_PER_LIST_MAX,
        after: Place | None = None,
    ) -> list[Row]:
        """What could not be delivered, the last given up first, without bodies; with ``after``,
        what follows that place in the list."""
        died = _callback.c.next_try_ms
        columns = (*(_callback.c[name] for name in _LISTED), died.label("died_at_ms"))
        query = _dead(select(*columns), wanted)
        if after is not None:
            earlier = and_(died == after.at_ms, _callback.c.callback_id < after.callback_id)
            query = query.where(or_(died < after.at_ms, earlier))
        query = query.order_by(died.desc(), _callback.c.callback_id.desc())
        return self._reader.rows(query.limit(min(limit, DEAD_LETTERS_PER_LIST_MAX)))

    def dead_count(self, wanted: DeadLetterFilter) -> int:
        """How many dead letters there are of this kind."""
        row = self._reader.one(_dead(select(func.count().label("count")), wanted))
        assert row is not None
        return int(row["count"])

    def figures(self) -> list[Row]:
        """Of each state that is not the end: how many callbacks, since when the oldest exists, and
        since when the longest overdue is due. For metrics."""
        query = (
            select(
                _callback.c.state,
                func.count().label("count"),
                func.min(_callback.c.created_at_ms).label("oldest_ms"),
                func.min(_callback.c.next_try_ms).label("due_ms"),
            )
            .where(_callback.c.state.in_((*OPEN_STATES, "dead")))
            .group_by(_callback.c.state)
        )
        return self._reader.rows(query)


def _dead(query: Select, wanted: DeadLetterFilter) -> Select:  # type: ignore[type-arg]
    query = query.where(_callback.c.state == "dead")
    if wanted.merchant_id is not None:
        query = query.where(_callback.c.merchant_id == wanted.merchant_id)
    if wanted.event_type is not None:
        query = query.where(_callback.c.event_type == wanted.event_type)
    if wanted.from_ms is not None:
        query = query.where(_callback.c.next_try_ms >= wanted.from_ms)
    if wanted.until_ms is not None:
        query = query.where(_callback.c.next_try_ms < wanted.until_ms)
    return query
