"""Rule 25: a payment that several share (分账): what the merchant earned of it is frozen, shared
out, and the rest released."""

from backend.ledger.chart import merchant_pending, shared
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, ended, held, posted
from backend.ledger.rules.returns import Sources


def share_frozen(
    event: Event, *, merchant_id: str, payment_id: str, amount_minor: int
) -> list[Transfer]:
    """25. A payment that is to be shared has been paid: Dr MPEND / Cr SHARE of the payment.
    ``merchant_id`` may name a shard."""
    pending = merchant_pending(merchant_id, event.currency)
    leg = (pending, shared(payment_id, event.currency), amount_minor)
    return posted(event, "share_frozen", [leg])


def share_paid(
    event: Event, *, payment_id: str, to_account: str, amount_minor: int
) -> list[Transfer]:
    """25. A receiver gets its share: Dr SHARE / Cr MPEND of a merchant, or CUST of a payer."""
    leg = (shared(payment_id, event.currency), to_account, amount_minor)
    return posted(event, "share_paid", [leg])


def share_held(
    event: Event, *, payment_id: str, to_account: str, amount_minor: int
) -> list[Transfer]:
    """25, first phase, where the payment's channel has not paid yet: pending Dr SHARE / Cr MPEND
    or CUST, without an expiry: ``share_posted`` ends it."""
    leg = (shared(payment_id, event.currency), to_account, amount_minor)
    return [held(event, "share_held", leg, expires_at_ms=None)]


def share_posted(event: Event, hold: Transfer) -> list[Transfer]:
    """25, second phase: the channel has paid, and the receiver gets what was held."""
    return [ended(event, "share_posted", hold, "post", hold.amount_minor)]


def share_released(
    event: Event, *, merchant_id: str, payment_id: str, amount_minor: int
) -> list[Transfer]:
    """25. What nobody gets is the merchant's again: Dr SHARE / Cr MPEND."""
    pending = merchant_pending(merchant_id, event.currency)
    leg = (shared(payment_id, event.currency), pending, amount_minor)
    return posted(event, "share_released", [leg])


def share_returned(
    event: Event, *, sources: Sources, payment_id: str, merchant_id: str
) -> list[Transfer]:
    """25. A merchant gives back a share that it got: Dr its MPEND, then its MAVAIL / Cr SHARE of
    the payment; Dr SHARE / Cr MPEND of the merchant that had shared. By SHARE, so that each day's
    earnings of both are told apart."""
    account = shared(payment_id, event.currency)
    legs = [(source, account, amount_minor) for source, amount_minor in sources]
    pending = merchant_pending(merchant_id, event.currency)
    whole_minor = sum(amount_minor for _, amount_minor in sources)
    return posted(event, "share_returned", [*legs, (account, pending, whole_minor)])
