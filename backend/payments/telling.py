"""Telling others how a payment stands: the merchant's server, and the till.

Both are rows that the payment's own transaction writes; they are sent after its commit.
"""

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.notify.outbox import put_callback, put_push
from backend.payments.model import PAYMENT_RESULT, payment_answer


def tell_merchant(
    ws: WorkingSet, payment: Row, merchant: Row | None, event_type: str, now_ms: int
) -> None:
    """Leave word for the merchant's server about what just happened to a payment."""
    if merchant is None:
        return
    put_callback(
        ws,
        merchant_id=payment["merchant_id"],
        url=payment["notify_url"] or merchant["notify_url"],
        form=payment["notify_form"],
        event_type=event_type,
        subject_id=payment["payment_id"],
        number=payment["event_count"],
        resource=payment_answer(payment)[1] | {"store": payment["store"]},
        at_ms=now_ms,
    )


def tell_decline(ws: WorkingSet, payment: Row, merchant: Row | None, now_ms: int) -> None:
    """Leave word of a payment that was declined, where its merchant is to be told."""
    if payment["is_decline_told"]:
        tell_merchant(ws, payment, merchant, "payment.declined", now_ms)


def push_payment(ws: WorkingSet, payment: Row, now_ms: int) -> None:
    """Tell the till how its payment stands, unasked; a payment of no store has no till."""
    if not payment["store"]:
        return
    _, body = payment_answer(payment)
    put_push(
        ws,
        store=payment["store"],
        device=payment["device"],
        message_type=PAYMENT_RESULT,
        body=body,
        at_ms=now_ms,
        trace_id=payment["trace_id"],
    )
