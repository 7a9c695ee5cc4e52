"""How a refund ends, whatever the money came from: the payment's step, and word to others."""

from typing import Any

from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from backend.notify.outbox import put_callback
from backend.payments.model import REFUND_RESULT, Answer, error_body, payment_answer
from backend.payments.timeline import step
from protocol.payment import Command


def refund_answer(row: Row) -> Answer:
    """How a refund stands, as the wire says it."""
    names = ("refund_id", "payment_id", "state", "amount_minor", "currency")
    body: dict[str, Any] = {name: row[name] for name in names}
    if row["error_code"] is not None:
        body["error"] = error_body(row["error_code"])
    return REFUND_RESULT, body


def record_refund(ws: WorkingSet, payment: Row, refund: Row, *, actor: str, now_ms: int) -> None:
    """The money is back: the payment takes its step, and the merchant's server is told.

    ``payment`` holds the counts that change besides what was given back.
    """
    refunded = payment["refunded_minor"] + refund["amount_minor"]
    is_all = refunded == payment["amount_minor"]
    after = step(
        ws,
        payment,
        Command.REFUND_REST if is_all else Command.REFUND_PART,
        actor=actor,
        now_ms=now_ms,
        detail={"refund_id": refund["refund_id"], "amount_minor": refund["amount_minor"]},
        refunded_minor=refunded,
        refunding_minor=payment["refunding_minor"],
        refund_count=payment["refund_count"],
        fee_returned_minor=payment["fee_returned_minor"],
        coupon_returned_minor=payment["coupon_returned_minor"],
    )
    tell_of_refund(ws, after, refund, "refund.succeeded", now_ms)


def tell_of_refund(ws: WorkingSet, payment: Row, refund: Row, event_type: str, now_ms: int) -> None:
    """Leave word for the merchant's server about how a refund ended."""
    merchant = ws.get(MERCHANT, payment["merchant_id"])
    assert merchant is not None
    put_callback(
        ws,
        merchant_id=payment["merchant_id"],
        url=refund["notify_url"] or merchant["notify_url"],
        form=refund["notify_form"],
        event_type=event_type,
        subject_id=refund["refund_id"],
        number=1,
        resource={**refund_answer(refund)[1], "payment": payment_answer(payment)[1]},
        at_ms=now_ms,
    )
