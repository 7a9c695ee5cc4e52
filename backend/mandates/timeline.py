"""The one place where a mandate's status changes: with its event, and word to the merchant."""

from typing import Any

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.model import MandateEvent, MandateStatus
from backend.mandates.tables import EVENT, MANDATE
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import put_callback

_CALLBACKS = {
    MandateEvent.SIGNED: "mandate.signed",
    MandateEvent.SUSPENDED: "mandate.suspended",
    MandateEvent.RESUMED: "mandate.resumed",
    MandateEvent.TERMINATED: "mandate.terminated",
    MandateEvent.DEBIT_ANNOUNCED: "mandate.debit_announced",
    MandateEvent.NOTICE_REFUSED: "mandate.notice_refused",
    MandateEvent.NOTICE_WITHDRAWN: "mandate.notice_withdrawn",
}
_ENDS = frozenset({MandateEvent.SIGNED, MandateEvent.TERMINATED})
"""What a merchant's program hears of in a form of its own: no other form has words for the rest."""
_SHOWN = ("mandate_id", "payer_id", "device", "status")


def record(
    ws: WorkingSet,
    mandate: Row,
    event: MandateEvent,
    *,
    actor: str,
    now_ms: int,
    status: MandateStatus | None = None,
    subject_id: str = "",
    is_told: bool = True,
    **told: Any,  # noqa: ANN401  # JSON values
) -> Row:
    """Add to a mandate's events, take its new status (None: the same), tell the merchant's server
    (``told`` beside the mandate). The command has read the merchant."""
    number = mandate["event_count"] + 1
    after = status.value if status is not None else mandate["status"]
    ws.insert(
        EVENT,
        {
            "mandate_id": mandate["mandate_id"],
            "number": number,
            "event": event.value,
            "status_before": mandate["status"],
            "status_after": after,
            "actor": actor,
            "subject_id": subject_id,
            "at_ms": now_ms,
        },
    )
    row = ws.update(
        MANDATE, mandate["mandate_id"], status=after, event_count=number, updated_at_ms=now_ms
    )
    if not is_told or (row["notify_form"] and event not in _ENDS):
        return row
    merchant = ws.get(MERCHANT, row["merchant_id"])
    assert merchant is not None
    put_callback(
        ws,
        merchant_id=row["merchant_id"],
        url=row["notify_url"] or merchant["notify_url"],
        form=row["notify_form"],
        event_type=_CALLBACKS[event],
        subject_id=row["mandate_id"],
        number=number,
        resource={name: row[name] for name in _SHOWN} | {"actor": actor} | told,
        at_ms=now_ms,
    )
    return row
