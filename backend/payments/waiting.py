"""Whether a payer may still pay a shown payment."""

from backend.db.tables import Row
from protocol.errors import CallerError
from protocol.payment import PAID_STATES, WAITING_STATES, PaymentState


def check_payer(payment: Row, payer_id: str) -> None:
    """A payment that is asked of one payer is not there for another."""
    if payment["payer_id"] not in {None, payer_id}:
        raise CallerError("payment_not_found", payment["payment_id"])


def check_waiting(payment: Row, now_ms: int) -> None:
    """Raise what the payer must know if the payment no longer waits. The clock's sweep moves an
    overdue one to *expired*; a refused command changes nothing."""
    state = PaymentState(payment["state"])
    if state is not PaymentState.AWAITING_PAYER:
        raise CallerError(_why_not(state))
    if now_ms >= payment["code_expires_at_ms"]:
        raise CallerError("payment_expired")


def _why_not(state: PaymentState) -> str:
    """Whoever has paid, or is about to, must not be sent for another code."""
    if state in PAID_STATES:
        return "payment_paid"
    if state in WAITING_STATES:
        return "payment_processing"
    return "payment_expired" if state is PaymentState.EXPIRED else "payment_closed"
