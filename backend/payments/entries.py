"""What a payment is in the books: whose money it becomes, its transfers, its hold."""

from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger.model import Transfer


def owner_of(payment: Row) -> str:
    """Whose pending account a payment's money went to: the merchant's or a sub-account's."""
    owner: str = payment["pending_owner"] or payment["merchant_id"]
    return owner


def entry_accounts(owner: str, currency: str) -> tuple[str, ...]:
    """What posting rule 4 and the merchant's side of rules 3 and 5 touch."""
    return (
        chart.merchant_pending(owner, currency),
        chart.client("UNSWEPT", currency),
        chart.own("DUE_CLIENT", currency),
        chart.own("MDR", currency),
    )


def paid_transfers(payment: Row, *, payer_id: str, fee_minor: int) -> list[Transfer]:
    """The transfers of a balance payment: the same whenever they are computed from its row."""
    event = posting.Event(payment["payment_id"], payment["currency"], payment["business_date"])
    paid = posting.balance_paid(
        event,
        user_id=payer_id,
        merchant_id=owner_of(payment),
        amount_minor=payment["amount_minor"],
        fee_minor=fee_minor,
        coupon_minor=payment["coupon_minor"],
    )
    return with_stock(payment, event, paid)


def with_stock(payment: Row, event: posting.Event, paid: list[Transfer]) -> list[Transfer]:
    """A payment's transfers, and what the merchant's stock pays for the coupon, in one chain."""
    if payment["coupon_stock_id"] is None:
        return paid
    return paid + posting.stock_paid(
        event,
        stock_id=payment["coupon_stock_id"],
        amount_minor=payment["coupon_minor"],
        first_leg=len(paid) + 1,
    )


def held_transfer(payment: Row, saga: Row) -> Transfer:
    """The hold of a payment whose money comes through a channel: pending until it answers."""
    event = posting.Event(payment["payment_id"], payment["currency"], saga["planned_date"])
    [hold] = posting.channel_held(
        event,
        channel_id=saga["planned_channel_id"],
        settlement_date=saga["planned_date"],
        merchant_id=owner_of(payment),
        amount_minor=saga["amount_minor"],
    )
    return hold
