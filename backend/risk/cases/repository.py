"""Reading cases. Only the room's repositories see SQL."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.cases.limits import (
    EVENTS_PER_CASE_MAX,
    REASONS_PER_CASE_MAX,
    ROWS_PER_LIST_MAX,
)
from backend.risk.cases.model import CaseState, Standing
from backend.risk.cases.tables import RiskCase, RiskCaseEvent

_case = RiskCase.__table__  # type: ignore[attr-defined]
_event = RiskCaseEvent.__table__  # type: ignore[attr-defined]


class CaseRepository:
    """Committed cases. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def case(self, case_id: str) -> Row | None:
        """One case as it stands."""
        return self._reader.one(select(_case).where(_case.c.case_id == case_id))

    def events(self, case_id: str) -> list[Row]:
        """Every step of a case, in order."""
        query = select(_event).where(_event.c.case_id == case_id).order_by(_event.c.number)
        return self._reader.rows(query.limit(EVENTS_PER_CASE_MAX + REASONS_PER_CASE_MAX))

    def queue(
        self,
        *,
        states: Sequence[CaseState],
        now_ms: int,
        assignee: str | None = None,
        standing: Standing | None = None,
        limit: int = ROWS_PER_LIST_MAX,
    ) -> list[Row]:
        """Cases in these states, the first due first; of one assignee, or of one standing at
        ``now_ms``, if asked."""
        query = select(_case).where(_case.c.state.in_([state.value for state in states]))
        if assignee is not None:
            query = query.where(_case.c.assignee == assignee)
        if standing is not None:
            query = query.where(_stands(standing, now_ms))
        query = query.order_by(_case.c.due_at_ms, _case.c.case_id)
        return self._reader.rows(query.limit(min(limit, ROWS_PER_LIST_MAX)))

    def figures(self, now_ms: int) -> dict[str, int]:
        """How many cases are not decided, have warned and are overdue."""
        undecided = _case.c.state != CaseState.DECIDED.value
        query = select(
            func.count().label("undecided"),
            func.count().filter(_case.c.warn_at_ms <= now_ms).label("warned"),
            func.count().filter(_case.c.due_at_ms <= now_ms).label("overdue"),
        ).where(undecided)
        found = self._reader.one(query)
        assert found is not None
        return found


def _stands(standing: Standing, now_ms: int) -> ColumnElement[bool]:
    """``Deadlines.standing``, asked of the database."""
    is_done = _case.c.state == CaseState.DECIDED.value
    found: dict[Standing, ColumnElement[bool]] = {
        Standing.DONE: is_done,
        Standing.OVERDUE: and_(~is_done, _case.c.due_at_ms <= now_ms),
        Standing.WARNED: and_(~is_done, _case.c.warn_at_ms <= now_ms, _case.c.due_at_ms > now_ms),
        Standing.IN_TIME: and_(~is_done, _case.c.warn_at_ms > now_ms),
    }
    return found[standing]
