"""The one place where a case changes: with its event, linked to the one before."""

import json
from typing import Any

from backend.audit.model import chain
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.risk.cases.limits import EVENTS_PER_CASE_MAX
from backend.risk.cases.model import CaseCommand, CaseEvent, CaseState, next_edge
from backend.risk.cases.tables import CASE, CASE_EVENT
from protocol.errors import CallerError


def record(
    ws: WorkingSet,
    case: Row,
    event: CaseEvent,
    *,
    actor: str,
    now_ms: int,
    words: str = "",
    detail: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Write what happened to a case, and the columns that it changes; the new row."""
    number = case["event_count"] + 1
    written = {
        "case_id": case["case_id"],
        "number": number,
        "event": event.value,
        "state_before": case["state"] if number > 1 else "",
        "state_after": changes.get("state", case["state"]),
        "actor": actor,
        "words": words,
        "detail": json.dumps(detail or {}, ensure_ascii=False, sort_keys=True),
        "at_ms": now_ms,
    }
    link = chain(case["link"], written)
    ws.insert(CASE_EVENT, {**written, "link": link})
    return ws.update(
        CASE, case["case_id"], event_count=number, updated_at_ms=now_ms, link=link, **changes
    )


def step(
    ws: WorkingSet,
    case: Row,
    command: CaseCommand,
    *,
    actor: str,
    now_ms: int,
    words: str = "",
    detail: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Take an edge of the table of states. ``case_state`` where there is none, or where the case
    has gone back and forth too often for one to follow."""
    edge = next_edge(case["state"], command)
    if case["event_count"] >= EVENTS_PER_CASE_MAX and edge.state is not CaseState.DECIDED:
        raise CallerError("case_state", "events enough")
    return record(
        ws, case, edge.event, actor=actor, now_ms=now_ms, words=words, detail=detail,
        state=edge.state.value, **changes,
    )  # fmt: skip
