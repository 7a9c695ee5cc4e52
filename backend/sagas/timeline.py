"""The one place where a conversation's state changes: by the table of states, with its event."""

from collections.abc import Sequence
from typing import Any

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.detail import detail_text, printable
from backend.sagas.limits import DETAIL_CHARS_MAX, ERROR_CHARS_MAX, WAITING_DELAY_MS
from backend.sagas.model import (
    OPEN_STATES,
    SagaEvent,
    SagaKind,
    SagaState,
    SagaStep,
    next_state,
    retry_delay_ms,
)
from backend.sagas.tables import SAGA, SAGA_EVENT


def plan(  # one row's columns
    ws: WorkingSet,
    *,
    saga_id: str,
    kind: SagaKind,
    payment_id: str,
    channel_id: str,
    amount_minor: int,
    currency: str,
    planned_date: str,
    now_ms: int,
    patience_ms: int = 0,
    token: str = "",
    holder: str = "",
    fallbacks: Sequence[str] = (),
    trace_id: str = "",
) -> Row:
    """Begin a conversation, in the transaction of what it is about. Due at once."""
    row = {
        "saga_id": saga_id,
        "kind": kind.value,
        "payment_id": payment_id,
        "channel_id": channel_id,
        "planned_channel_id": channel_id,
        "fallbacks": ",".join(fallbacks),
        "token": token,
        "holder": holder,
        "amount_minor": amount_minor,
        "currency": currency,
        "state": SagaState.PLANNED.value,
        "planned_date": planned_date,
        "next_try_ms": now_ms,
        "deadline_ms": now_ms + patience_ms,
        "trace_id": trace_id,
        "created_at_ms": now_ms,
        "updated_at_ms": now_ms,
        "event_count": 1,
    }
    ws.insert(SAGA, row)
    _insert_event(ws, saga_id, 1, SagaEvent.PLANNED, ("", SagaState.PLANNED.value), now_ms, {})
    found = ws.get(SAGA, saga_id)
    assert found is not None
    return found


def move(
    ws: WorkingSet,
    saga: Row,
    step: SagaStep,
    *,
    now_ms: int,
    detail: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Take an edge: new state, its event in the timeline, and the other columns that change.

    A state that ends the conversation takes it off the runner's list; one that does not is due at
    once unless ``next_try_ms`` says otherwise.
    """
    edge = next_state(SagaState(saga["state"]), step)
    number = saga["event_count"] + 1
    states = (saga["state"], edge.state.value)
    _insert_event(ws, saga["saga_id"], number, edge.event, states, now_ms, detail or {})
    due = changes.pop("next_try_ms", now_ms) if edge.state in OPEN_STATES else None
    return ws.update(
        SAGA,
        saga["saga_id"],
        state=edge.state.value,
        event_count=number,
        next_try_ms=due,
        updated_at_ms=now_ms,
        **changes,
    )


def postpone(ws: WorkingSet, saga: Row, *, error: str, now_ms: int) -> Row:
    """Nothing was sent: try again later."""
    text = printable(error, chars_max=ERROR_CHARS_MAX)
    due, detail = now_ms + retry_delay_ms(saga["tries"]), {"error": text}
    return move(
        ws, saga, SagaStep.POSTPONE, now_ms=now_ms, detail=detail, next_try_ms=due, error=text
    )


def reroute(  # what the conversation goes on with
    ws: WorkingSet,
    saga: Row,
    *,
    channel_id: str,
    token: str,
    fallbacks: Sequence[str],
    why: str,
    now_ms: int,
) -> Row:
    """The channel does not have the order: go on with another."""
    return move(
        ws,
        saga,
        SagaStep.REROUTE,
        now_ms=now_ms,
        detail={"from": saga["channel_id"], "to": channel_id, "why": why},
        channel_id=channel_id,
        token=token,
        fallbacks=",".join(fallbacks),
        tries=0,
        error="",
    )


def note_silence(ws: WorkingSet, saga: Row, *, error: str, now_ms: int) -> Row:
    """The channel did not answer: the outcome is unknown, and it is asked again later."""
    due = now_ms + retry_delay_ms(saga["tries"])
    text = printable(error, chars_max=ERROR_CHARS_MAX)
    if saga["state"] == SagaState.SENT:
        detail = {"error": text}
        return move(
            ws,
            saga,
            SagaStep.LOSE_CONTACT,
            now_ms=now_ms,
            detail=detail,
            next_try_ms=due,
            error=text,
        )
    return ws.update(SAGA, saga["saga_id"], next_try_ms=due, error=text, updated_at_ms=now_ms)


def note_waiting(ws: WorkingSet, saga: Row, *, shown_code: str, now_ms: int) -> Row:
    """The channel has it and waits for its payer: it is asked soon. The code that the payer is to
    scan is kept."""
    changes = {"shown_code": shown_code} if shown_code else {}
    due = now_ms + WAITING_DELAY_MS
    if saga["state"] == SagaState.SENT:
        return move(
            ws, saga, SagaStep.LOSE_CONTACT, now_ms=now_ms, detail={"why": "waits for the payer"},
            next_try_ms=due, **changes,
        )  # fmt: skip
    return ws.update(SAGA, saga["saga_id"], next_try_ms=due, updated_at_ms=now_ms, **changes)


def _insert_event(
    ws: WorkingSet,
    saga_id: str,
    number: int,
    event: SagaEvent,
    states: tuple[str, str],
    now_ms: int,
    detail: dict[str, Any],
) -> None:
    ws.insert(
        SAGA_EVENT,
        {
            "saga_id": saga_id,
            "number": number,
            "event": event.value,
            "state_before": states[0],
            "state_after": states[1],
            "at_ms": now_ms,
            "detail": detail_text(detail, chars_max=DETAIL_CHARS_MAX),
        },
    )
