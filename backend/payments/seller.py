"""Whether a payment's merchant may be paid at the moment when a payer takes it up."""

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.tables import MERCHANT
from backend.switches.service import stop_of, stop_reads
from protocol.errors import CallerError


def seller_reads(payment: Row) -> list[Read]:
    """What ``seller_of`` reads."""
    merchant_id = payment["merchant_id"]
    return [
        (MERCHANT, merchant_id),
        *stop_reads(merchant_id=merchant_id, device=payment["device"]),
    ]


def seller_of(ws: WorkingSet, payment: Row) -> Row:
    """The merchant; ``merchant_unknown`` for one that is not active, else the code of the stop that
    is on it or on the payment's device."""
    merchant = ws.get(MERCHANT, payment["merchant_id"])
    assert merchant is not None, "merchants are never removed"
    if merchant["status"] != "active":
        raise CallerError("merchant_unknown")
    stopped = stop_of(ws, merchant_id=payment["merchant_id"], device=payment["device"])
    if stopped is not None:
        raise CallerError(stopped)
    return merchant
