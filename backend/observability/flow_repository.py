"""Reading the flows of all processes. Only repositories see SQL."""

from sqlalchemy import func, select

from backend.db.reading import Reader
from backend.observability.flows import Flow, FlowSum, Outcome, Span
from backend.observability.tables import FlowMinute

_minute = FlowMinute.__table__  # type: ignore[attr-defined]


class FlowRepository:
    """Committed minutes. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def sums(self, span: Span) -> list[FlowSum]:
        """What all processes have kept of this span; the database adds it up."""
        part = ((_minute.c.minute - span.first) * span.parts // span.minutes).label("part")
        within = (
            select(part, _minute.c.flow, _minute.c.outcome, _minute.c.bucket, _minute.c.count)
            .where(_minute.c.minute.between(span.first, span.last))
            .subquery()
        )
        alike = (within.c.part, within.c.flow, within.c.outcome, within.c.bucket)
        query = select(*alike, func.sum(within.c.count).label("total")).group_by(*alike)
        return [
            FlowSum(
                int(row["part"]), Flow(row["flow"]), Outcome(row["outcome"]), row["bucket"],
                int(row["total"]),
            )
            for row in self._reader.rows(query)
        ]  # fmt: skip
