"""Reading conversations outside commands. Only this file of the room sees SQL."""

from collections.abc import Mapping

from sqlalchemy import func, or_, select, text

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.sagas.limits import ROWS_PER_LIST_MAX
from backend.sagas.tables import Saga, SagaEventRow

_saga = Saga.__table__  # type: ignore[attr-defined]
_event = SagaEventRow.__table__  # type: ignore[attr-defined]
_HIDDEN = frozenset({"token", "holder"})
_SHOWN = tuple(column for column in _saga.columns if column.name not in _HIDDEN)


def shown(row: Row) -> Row:
    """A conversation as an operator sees it: without its token and
    the payer's name."""
    return {name: value for name, value in row.items() if name not in _HIDDEN}


class SagaRepository:
    """Committed conversations. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def due(self, now_ms: int, places: Mapping[str, int]) -> list[str]:
        """Those to be carried on now: of each channel the longest due, as many as it has places.

        Nearly always there are none, and one question, whatever the number of channels, says so.
        """
        is_due = _saga.c.next_try_ms <= now_ms
        if self._reader.one(select(_saga.c.saga_id).where(is_due).limit(1)) is None:
            return []
        found: list[str] = []
        for channel_id, free in places.items():
            query = (
                select(_saga.c.saga_id)
                .where(_saga.c.channel_id == channel_id, is_due)
                .order_by(_saga.c.next_try_ms, _saga.c.saga_id)
                .limit(free)
            )
            found += [row["saga_id"] for row in self._reader.rows(query)]
        return found

    def unfinished(self, limit: int = ROWS_PER_LIST_MAX) -> list[Row]:
        """Those that still wait for their channel or for an operator (*stranded*), the oldest
        first, without their tokens."""
        query = (
            select(*_SHOWN)
            .where(or_(_saga.c.next_try_ms.is_not(None), _saga.c.state == text("'stranded'")))
            .order_by(_saga.c.created_at_ms, _saga.c.saga_id)
            .limit(min(limit, ROWS_PER_LIST_MAX))
        )
        return self._reader.rows(query)

    def open_through(self, day: str) -> int:
        """How many conversations of a day, or of before, still wait for their channel."""
        query = select(func.count().label("open")).where(
            _saga.c.next_try_ms.is_not(None), _saga.c.planned_date <= day
        )
        return int(self._reader.rows(query)[0]["open"])

    def find(self, saga_id: str) -> Row | None:
        """One conversation, whole; None if there is none."""
        rows = self._reader.rows(select(_saga).where(_saga.c.saga_id == saga_id))
        return rows[0] if rows else None

    def of_payment(self, payment_id: str) -> list[Row]:
        """Every conversation about a payment, oldest first, each with its timeline."""
        query = select(*_SHOWN).where(_saga.c.payment_id == payment_id)
        rows = self._reader.rows(query.order_by(_saga.c.created_at_ms, _saga.c.saga_id))
        return [{**row, "timeline": self.timeline(row["saga_id"])} for row in rows]

    def timeline(self, saga_id: str) -> list[Row]:
        """Every step of a conversation, in order."""
        query = select(_event).where(_event.c.saga_id == saga_id)
        return self._reader.rows(query.order_by(_event.c.number))
