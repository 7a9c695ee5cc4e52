"""Reading the terminal's numbers outside commands. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.unionpay_trace.limits import NUMBERS_PER_BATCH_MAX
from backend.unionpay_trace.tables import UnionPayTerminal, UnionPayTrace

_terminal = UnionPayTerminal.__table__  # type: ignore[attr-defined]
_trace = UnionPayTrace.__table__  # type: ignore[attr-defined]


class TraceRepository:
    """Committed traces. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def trace(self, own_id: str) -> Row | None:
        """A transaction's row."""
        return self._reader.one(select(_trace).where(_trace.c.own_id == own_id))

    def terminal(self, tid: str) -> Row | None:
        """A terminal's row; None before its first number."""
        return self._reader.one(select(_terminal).where(_terminal.c.tid == tid))

    def counting(self, tid: str, batch: int) -> list[Row]:
        """What moved money in a batch, in the order of its numbers."""
        query = (
            select(_trace)
            .where(_trace.c.tid == tid, _trace.c.batch == batch, _trace.c.counts == 1)
            .order_by(_trace.c.stan)
            .limit(NUMBERS_PER_BATCH_MAX)
        )
        return self._reader.rows(query)
