"""Rules 1, 3, 4, 9 and 17: a payer's balance (零钱) filled, spent, held and taken out."""

from backend.ledger.chart import channel, client, customer, merchant_pending, own
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import (
    Event,
    ended,
    fee_legs,
    held,
    own_money_legs,
    posted,
    undone,
)


def top_up(
    event: Event, *, user_id: str, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """1. A bank has confirmed a top-up: Dr CH / Cr CUST."""
    source = channel(channel_id, settlement_date, event.currency)
    return posted(event, "top_up", [(source, customer(user_id, event.currency), amount_minor)])


def balance_paid(
    event: Event,
    *,
    user_id: str,
    merchant_id: str,
    amount_minor: int,
    fee_minor: int,
    coupon_minor: int = 0,
) -> list[Transfer]:
    """3 with 4 and 17. A payer pays from the balance: Dr CUST / Cr MPEND, and the merchant's fee.

    ``amount_minor`` is the whole price. A coupon pays its part of it by rule 17; the payer pays the
    rest. ``merchant_id`` may name a shard.
    """
    currency = event.currency
    pending = merchant_pending(merchant_id, currency)
    legs = [
        (customer(user_id, currency), pending, amount_minor - coupon_minor),
        *fee_legs(pending, "MDR", fee_minor, currency),
    ]
    if coupon_minor:
        legs[1:1] = own_money_legs(pending, own("PROMO", currency), coupon_minor, currency)
    return posted(event, "balance_paid", legs)


def balance_held(
    event: Event, *, user_id: str, merchant_id: str, amount_minor: int, expires_at_ms: int
) -> list[Transfer]:
    """3, first phase. The payer's balance is held for a merchant until it is posted or voided:
    pending Dr CUST / Cr MPEND."""
    payer = customer(user_id, event.currency)
    pending = merchant_pending(merchant_id, event.currency)
    leg = (payer, pending, amount_minor)
    return [held(event, "balance_held", leg, expires_at_ms=expires_at_ms)]


def hold_posted(event: Event, hold: Transfer, *, amount_minor: int) -> list[Transfer]:
    """3, second phase: take all or a part of a hold; the rest is released."""
    return [ended(event, "hold_post", hold, "post", amount_minor)]


def hold_voided(event: Event, hold: Transfer) -> list[Transfer]:
    """3, 5 or 6, second phase: release the hold."""
    return [ended(event, "hold_void", hold, "void", hold.amount_minor)]


def hold_expired(event: Event, hold: Transfer) -> list[Transfer]:
    """3, second phase: the hold's time has passed."""
    return [ended(event, "hold_expire", hold, "expire", hold.amount_minor)]


def fee_charged(event: Event, *, merchant_id: str, fee_minor: int) -> list[Transfer]:
    """4. MDR alone: Dr MPEND / Cr UNSWEPT; Dr DUE_CLIENT / Cr MDR."""
    pending = merchant_pending(merchant_id, event.currency)
    return posted(event, "fee_charged", fee_legs(pending, "MDR", fee_minor, event.currency))


def customer_withdrawn(
    event: Event, *, user_id: str, amount_minor: int, fee_minor: int
) -> list[Transfer]:
    """9. We have told the bank to pay out a payer's balance: Dr CUST / Cr PAYOUT, and on top of it
    the fee: Dr CUST / Cr UNSWEPT; Dr DUE_CLIENT / Cr WITHDRAWAL_FEE."""
    currency = event.currency
    payer = customer(user_id, currency)
    legs = [
        (payer, client("PAYOUT", currency), amount_minor),
        *fee_legs(payer, "WITHDRAWAL_FEE", fee_minor, currency),
    ]
    return posted(event, "customer_withdrawn", legs)


def customer_withdrawal_confirmed(event: Event, *, amount_minor: int) -> list[Transfer]:
    """9. The bank has paid (pacs.002 ACSC): Dr PAYOUT / Cr RESERVE."""
    transit, reserve = client("PAYOUT", event.currency), client("RESERVE", event.currency)
    return posted(event, "customer_withdrawal_confirmed", [(transit, reserve, amount_minor)])


def customer_withdrawal_rejected(
    event: Event, *, user_id: str, amount_minor: int, fee_minor: int
) -> list[Transfer]:
    """9. The bank has refused: Dr PAYOUT / Cr CUST, and the fee back: Dr UNSWEPT / Cr CUST;
    Dr WITHDRAWAL_FEE / Cr DUE_CLIENT."""
    currency = event.currency
    payer = customer(user_id, currency)
    legs = [
        (client("PAYOUT", currency), payer, amount_minor),
        *undone(fee_legs(payer, "WITHDRAWAL_FEE", fee_minor, currency)),
    ]
    return posted(event, "customer_withdrawal_rejected", legs)


def coupon_paid(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """17. Our coupon pays a part: Dr OWN_DUE / Cr MPEND; Dr PROMO / Cr OWN_PAYABLE. The own money
    goes to the reserve the same day (``own_funds_injected``)."""
    pending = merchant_pending(merchant_id, event.currency)
    promo = own("PROMO", event.currency)
    legs = own_money_legs(pending, promo, amount_minor, event.currency)
    return posted(event, "coupon_paid", legs)
