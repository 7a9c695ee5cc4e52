"""Reading cases. Only the room's repositories see SQL."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.risk.cases.limits import (
    EVENTS_PER_CASE_MAX,
    REASONS_PER_CASE_MAX,
    ROWS_PER_LIST_MAX,
)
from backend.risk.cases.model import CaseState, Severity, Standing
from backend.risk.cases.tables import RiskCase, RiskCaseEvent

_case = RiskCase.__table__  # type: ignore[attr-defined]
_event = RiskCaseEvent.__table__  # type: ignore[attr-defined]


UNDECIDED = (CaseState.OPEN, CaseState.ASSIGNED, CaseState.PROPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases are wanted; what is None does not matter. A standing is that of now."""

    states: Sequence[CaseState] = UNDECIDED
    severity: Severity | None = None
    standing: Standing | None = None
    assignee: str | None = None

    @property
    def is_last_first(self) -> bool:
        """What is decided is looked up from its end; anything else waits, the first due first."""
        return tuple(self.states) == (CaseState.DECIDED,)


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
        wanted: CaseFilter,
        *,
        now_ms: int,
        limit: int = ROWS_PER_LIST_MAX,
        after: tuple[int, str] | None = None,
    ) -> list[Row]:
        """Cases, the first due first, so that what is overdue leads; of decided ones the last due
        first. With ``after``, those behind this due time and id."""
        due, key = _case.c.due_at_ms, _case.c.case_id
        query = select(_case).where(_case.c.state.in_([state.value for state in wanted.states]))
        if wanted.assignee is not None:
            query = query.where(_case.c.assignee == wanted.assignee)
        if wanted.severity is not None:
            query = query.where(_case.c.severity == wanted.severity.value)
        if wanted.standing is not None:
            query = query.where(_stands(wanted.standing, now_ms))
        if after is not None:
            at_ms, case_id = after
            if wanted.is_last_first:
                behind = or_(due < at_ms, and_(due == at_ms, key < case_id))
            else:
                behind = or_(due > at_ms, and_(due == at_ms, key > case_id))
            query = query.where(behind)
        order = (due.desc(), key.desc()) if wanted.is_last_first else (due, key)
        return self._reader.rows(query.order_by(*order).limit(min(limit, ROWS_PER_LIST_MAX + 1)))

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
