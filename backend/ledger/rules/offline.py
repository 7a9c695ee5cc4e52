"""Rule 27: payments that a till accepted while nobody could be asked."""

from backend.ledger import chart
from backend.ledger.chart import client, escrow, merchant_pending, own
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, fee_legs, own_money_legs, posted, undone
from backend.ledger.rules.returns import Sources


def offline_paid(
    event: Event, *, voucher_id: str, merchant_id: str, amount_minor: int, fee_minor: int
) -> list[Transfer]:
    """27 with 4. An offline token comes back and its voucher covers it: Dr ESCROW / Cr MPEND, and
    the merchant's fee. The money was set aside by rule 20 when the voucher was given."""
    pending = merchant_pending(merchant_id, event.currency)
    legs = [
        (escrow(voucher_id, event.currency), pending, amount_minor),
        *fee_legs(pending, "MDR", fee_minor, event.currency),
    ]
    return posted(event, "offline_paid", legs)


def offline_covered(
    event: Event, *, merchant_id: str, amount_minor: int, fee_minor: int
) -> list[Transfer]:
    """27 with 4. A voucher was spent twice, and the house bears it: Dr OWN_DUE / Cr MPEND; Dr LOSS
    / Cr OWN_PAYABLE, and the merchant's fee."""
    pending = merchant_pending(merchant_id, event.currency)
    loss = own("LOSS", event.currency)
    legs = [
        *own_money_legs(pending, loss, amount_minor, event.currency),
        *fee_legs(pending, "MDR", fee_minor, event.currency),
    ]
    return posted(event, "offline_covered", legs)


def offline_cover_returned(
    event: Event, *, sources: Sources, fee_back_minor: int
) -> list[Transfer]:
    """27. A refund of what the house had borne comes back to the house: Dr MPEND (then MAVAIL) / Cr
    OWN_DUE; Dr OWN_PAYABLE / Cr LOSS, and the fee back to the first source as in 12."""
    currency = event.currency
    assert all(chart.account(source).code in {"MPEND", "MAVAIL"} for source, _ in sources)
    amount_minor = sum(part for _, part in sources)
    legs = [
        *((source, client("OWN_DUE", currency), part) for source, part in sources),
        (own("OWN_PAYABLE", currency), own("LOSS", currency), amount_minor),
        *undone(fee_legs(sources[0][0], "MDR", fee_back_minor, currency)),
    ]
    return posted(event, "offline_cover_returned", legs)
