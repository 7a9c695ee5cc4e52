"""The one place where a coupon's state changes: by the table of states, with its event."""

from backend.coupons.model import CouponCommand, CouponEvent, CouponState, next_edge
from backend.coupons.tables import COUPON, EVENT
from backend.db.tables import Row
from backend.db.working_set import WorkingSet


def record_issued(ws: WorkingSet, coupon: Row, *, actor: str, now_ms: int) -> Row:
    """A coupon's first event; its row has just been inserted."""
    return _record(ws, coupon, CouponEvent.ISSUED, CouponState.ISSUED, actor, now_ms, None)


def step(
    ws: WorkingSet,
    coupon: Row,
    command: CouponCommand,
    *,
    actor: str,
    now_ms: int,
    payment_id: str | None = None,
) -> Row:
    """Take an edge: new state and its event. ``payment_id`` is the payment that has to do with it.
    Raises ``coupon_state`` where the table has no such edge."""
    edge = next_edge(coupon["state"], command)
    return _record(ws, coupon, edge.event, edge.state, actor, now_ms, payment_id)


def _record(
    ws: WorkingSet,
    coupon: Row,
    event: CouponEvent,
    state: CouponState,
    actor: str,
    now_ms: int,
    payment_id: str | None,
) -> Row:
    coupon_id, number = coupon["coupon_id"], coupon["event_count"] + 1
    ws.insert(
        EVENT,
        {
            "coupon_id": coupon_id,
            "number": number,
            "event": event.value,
            "state_before": coupon["state"],
            "state_after": state.value,
            "actor": actor,
            "payment_id": payment_id,
            "at_ms": now_ms,
        },
    )
    return ws.update(
        COUPON,
        coupon_id,
        state=state.value,
        payment_id=payment_id if state is CouponState.USED else None,
        event_count=number,
        updated_at_ms=now_ms,
    )
