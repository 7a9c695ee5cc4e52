"""The one place where a payment's state changes: by the table of states, with its event."""

from typing import Any

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.detail import detail_text
from backend.payments.limits import DETAIL_CHARS_MAX
from backend.payments.tables import EVENT, PAYMENT
from protocol.payment import Command, PaymentState, next_state


def step(
    ws: WorkingSet,
    payment: Row,
    command: Command,
    *,
    actor: str,
    now_ms: int,
    detail: dict[str, Any] | None = None,
    **changes: Any,  # noqa: ANN401  # column values
) -> Row:
    """Take an edge: new state, its event in the timeline, and the other columns that change.

    Raises ``CallerError("payment_state")`` where the table has no such edge.
    """
    edge = next_state(PaymentState(payment["state"]), command)
    number = payment["event_count"] + 1
    ws.insert(
        EVENT,
        {
            "payment_id": payment["payment_id"],
            "number": number,
            "event": edge.event.value,
            "state_before": payment["state"],
            "state_after": edge.state.value,
            "actor": actor,
            "at_ms": now_ms,
            "detail": detail_text(detail or {}, chars_max=DETAIL_CHARS_MAX),
        },
    )
    return ws.update(
        PAYMENT,
        payment["payment_id"],
        state=edge.state.value,
        event_count=number,
        updated_at_ms=now_ms,
        **changes,
    )
