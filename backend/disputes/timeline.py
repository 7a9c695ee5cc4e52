"""The one place where a dispute's state changes: with its event, and word to the merchant."""

from typing import Any

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.disputes.model import DisputeCommand, DisputeEvent, DisputeState, next_edge
from backend.disputes.tables import DISPUTE, EVENT
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import put_callback

_CALLBACKS = {
    DisputeEvent.OPENED: "dispute.opened",
    DisputeEvent.EVIDENCE_GIVEN: "dispute.evidence_given",
    DisputeEvent.WON: "dispute.won",
    DisputeEvent.LOST: "dispute.lost",
    DisputeEvent.WITHDRAWN: "dispute.withdrawn",
}
_TOLD = ("dispute_id", "payment_id", "state", "amount_minor", "cover_minor", "currency", "reason")


def record_opened(ws: WorkingSet, dispute: Row, *, actor: str, now_ms: int) -> Row:
    """A dispute's first event; its row has just been inserted."""
    return _record(ws, dispute, DisputeEvent.OPENED, DisputeState.OPEN, actor, now_ms, "")


def step(
    ws: WorkingSet,
    dispute: Row,
    command: DisputeCommand,
    *,
    actor: str,
    now_ms: int,
    evidence: str = "",
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Take an edge: new state, its event, the other columns that change, the merchant told. The
    command has read the merchant. Raises ``dispute_state`` where the table has no such edge."""
    edge = next_edge(dispute["state"], command)
    return _record(ws, dispute, edge.event, edge.state, actor, now_ms, evidence, **changes)


def _record(
    ws: WorkingSet,
    dispute: Row,
    event: DisputeEvent,
    state: DisputeState,
    actor: str,
    now_ms: int,
    evidence: str,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    dispute_id, number = dispute["dispute_id"], dispute["event_count"] + 1
    ws.insert(
        EVENT,
        {
            "dispute_id": dispute_id,
            "number": number,
            "event": event.value,
            "state_before": dispute["state"],
            "state_after": state.value,
            "actor": actor,
            "evidence": evidence,
            "at_ms": now_ms,
        },
    )
    row = ws.update(
        DISPUTE,
        dispute_id,
        state=state.value,
        event_count=number,
        updated_at_ms=now_ms,
        **changes,
    )
    merchant = ws.get(MERCHANT, row["merchant_id"])
    assert merchant is not None
    put_callback(
        ws,
        merchant_id=row["merchant_id"],
        url=merchant["notify_url"],
        event_type=_CALLBACKS[event],
        subject_id=dispute_id,
        number=number,
        resource={name: row[name] for name in _TOLD},
        at_ms=now_ms,
    )
    return row
