"""A payment that its channel certainly has not taken goes on through another one.

Rule: never two channels for one payment at once. The first has not been sent a byte, or has
confirmed the reversal, before the next is asked; and the till still waits.
"""

import json

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.payments.funding import Funding, admit, fallbacks, route, route_reads, token_of
from backend.payments.model import PaymentRules
from backend.payments.tables import PAYMENT
from backend.routing.model import explained
from backend.sagas.timeline import reroute
from protocol.money import Money
from protocol.payment import WAITING_STATES, PaymentState


def rerouting_reads(payment: Row, saga: Row, rules: PaymentRules) -> list[Read]:
    """What ``went_elsewhere`` reads."""
    has_way = saga["fallbacks"] and payment["instrument_id"] is not None
    return route_reads(payment["instrument_id"], rules) if has_way else []


def went_elsewhere(
    ws: WorkingSet, payment: Row, saga: Row, rules: PaymentRules, *, why: str, now_ms: int
) -> Row | None:
    """The conversation, planned anew with another channel; None if there is none, or no time left.
    The decision is kept with the payment either way."""
    is_awaited = PaymentState(payment["state"]) in WAITING_STATES and now_ms < saga["deadline_ms"]
    if not saga["fallbacks"] or not is_awaited:
        return None
    instrument_id = payment["instrument_id"]
    decision = route(
        ws,
        rules,
        Funding(payment["funding"], instrument_id),
        amount=Money(saga["amount_minor"], saga["currency"]),
        now_ms=now_ms,
        tried={one["channel_id"] for one in json.loads(payment["routing"])},
    )
    channel_id = decision.channel_id
    ws.update(
        PAYMENT,
        payment["payment_id"],
        routing=explained(payment["routing"], decision),
        channel_id=channel_id or payment["channel_id"],
        updated_at_ms=now_ms,
    )
    if channel_id is None:
        return None
    admit(ws, channel_id, now_ms)
    return reroute(
        ws,
        saga,
        channel_id=channel_id,
        token=token_of(ws, instrument_id, channel_id),
        fallbacks=fallbacks(decision),
        why=why,
        now_ms=now_ms,
    )
