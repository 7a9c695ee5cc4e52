"""Whether a payer may still pay a shown payment."""

from backend.db.tables import Row
from protocol.errors import CallerError
from protocol.payment import PaymentState


def check_payer(payment: Row, payer_id: str) -> None:
    """A payment that is asked of one payer is not there for another."""
    if payment["payer_id"] not in {None, payer_id}:
        raise CallerError("payment_not_found", payment["payment_id"])


def check_waiting(payment: Row, now_ms: int) -> None:
    """Raise what the payer must know if the payment no longer waits. The clock's sweep moves an
    overdue one to *expired*; a refused command changes nothing."""
    if payment["state"] != PaymentState.AWAITING_PAYER:
        is_expired = payment["state"] == PaymentState.EXPIRED
        raise CallerError("payment_expired" if is_expired else "payment_closed")
    if now_ms >= payment["code_expires_at_ms"]:
        raise CallerError("payment_expired")
