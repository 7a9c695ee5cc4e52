"""Freezing what a merchant earns of a payment that is to be shared: in the chain's transaction."""

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.tables import ACCOUNT
from backend.sharing.limits import FROZEN_MS_MAX
from backend.sharing.model import SharingState
from backend.sharing.tables import SHARED_PAYMENT


def frozen_event(payment_id: str) -> str:
    """The event that froze it."""
    return f"{payment_id}.frozen"


def freeze_reads(payment_id: str, currency: str) -> list[Read]:
    """What ``freeze`` reads besides the payment's own accounts."""
    return [(ACCOUNT, chart.shared(payment_id, currency)), (SHARED_PAYMENT, payment_id)]


def freeze(ws: WorkingSet, paid: Row, now_ms: int) -> None:
    """Freeze the amount less the fee, if the payment is one that is shared."""
    amount_minor = paid["amount_minor"] - paid["fee_minor"]
    if not paid["is_shared"] or amount_minor <= 0:
        return
    payment_id = paid["payment_id"]
    date = paid["business_date"]
    event = posting.Event(frozen_event(payment_id), paid["currency"], date)
    transfers = posting.share_frozen(
        event,
        merchant_id=paid["pending_owner"] or paid["merchant_id"],
        payment_id=payment_id,
        amount_minor=amount_minor,
    )
    ledger.post(ws, transfers, now_ms, is_new=True)
    release_at_ms = now_ms + FROZEN_MS_MAX
    ws.insert(
        SHARED_PAYMENT,
        {
            "payment_id": payment_id,
            "merchant_id": paid["merchant_id"],
            "currency": paid["currency"],
            "state": SharingState.FROZEN.value,
            "frozen_minor": amount_minor,
            "release_at_ms": release_at_ms,
            "due_at_ms": release_at_ms,
        },
    )
