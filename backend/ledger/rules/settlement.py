"""Rules 7, 8, 10 and 24: what leaves for the merchant and for us, own money that follows a
promise, and what the reserve earns.

The reserve moves only on an external confirmation, never on an instruction.
"""

from collections.abc import Sequence
from typing import Literal

from backend.ledger.chart import client, merchant_available, merchant_pending, own
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, posted, signed

Bank = Literal["RESERVE", "NOSTRO"]
"""Where clients' money lies."""


def merchant_settled(
    event: Event,
    *,
    merchant_id: str,
    amount_minor: int,
    shards_minor: Sequence[tuple[str, int]] = (),
) -> list[Transfer]:
    """7. The settlement run: Dr MPEND / Cr MAVAIL. ``shards_minor`` are the parts of a hot
    merchant's sub-accounts (owner with shard, amount); they sum to the amount."""
    available = merchant_available(merchant_id, event.currency)
    parts = shards_minor or ((merchant_id, amount_minor),)
    assert sum(part for _, part in parts) == amount_minor
    legs = [(merchant_pending(owner, event.currency), available, part) for owner, part in parts]
    return posted(event, "merchant_settled", legs)


def payout_instructed(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """8. We have told the bank to pay a merchant: Dr MAVAIL / Cr PAYOUT."""
    available = merchant_available(merchant_id, event.currency)
    return posted(
        event, "payout_instructed", [(available, client("PAYOUT", event.currency), amount_minor)]
    )


def payout_confirmed(event: Event, *, amount_minor: int, bank: Bank = "RESERVE") -> list[Transfer]:
    """8. The bank has paid (pacs.002 ACSC): Dr PAYOUT / Cr RESERVE; foreign money that an exchange
    has brought (rule 23) is paid from NOSTRO."""
    transit, source = client("PAYOUT", event.currency), client(bank, event.currency)
    return posted(event, "payout_confirmed", [(transit, source, amount_minor)])


def payout_rejected(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """8. The bank has refused: Dr PAYOUT / Cr MAVAIL."""
    available = merchant_available(merchant_id, event.currency)
    return posted(
        event, "payout_rejected", [(client("PAYOUT", event.currency), available, amount_minor)]
    )


def payout_returned(
    event: Event, *, merchant_id: str, amount_minor: int, bank: Bank = "RESERVE"
) -> list[Transfer]:
    """8. The bank has sent a payout back after paying it (pacs.004): Dr RESERVE (or the NOSTRO it
    was paid from) / Cr MAVAIL."""
    available = merchant_available(merchant_id, event.currency)
    return posted(
        event, "payout_returned", [(client(bank, event.currency), available, amount_minor)]
    )


def fees_swept(event: Event, *, amount_minor: int) -> list[Transfer]:
    """10. Earned fees leave the reserve, when the day has reconciled: Dr UNSWEPT / Cr RESERVE;
    Dr OWN / Cr DUE_CLIENT. Negative (more fees given back than earned): the other way round."""
    currency = event.currency
    legs = [
        signed(client("UNSWEPT", currency), client("RESERVE", currency), amount_minor),
        signed(own("OWN", currency), own("DUE_CLIENT", currency), amount_minor),
    ]
    return posted(event, "fees_swept", legs)


def reserve_interest_paid(event: Event, *, amount_minor: int) -> list[Transfer]:
    """24. The reserve bank's statement shows interest: it is ours, in the reserve until the sweep.
    Dr RESERVE / Cr UNSWEPT; Dr DUE_CLIENT / Cr INTEREST. Negative: the bank took some back."""
    currency = event.currency
    legs = [
        signed(client("RESERVE", currency), client("UNSWEPT", currency), amount_minor),
        signed(own("DUE_CLIENT", currency), own("INTEREST", currency), amount_minor),
    ]
    return posted(event, "reserve_interest_paid", legs)


def own_funds_injected(event: Event, *, amount_minor: int) -> list[Transfer]:
    """6b, 16, 17 and 22, once the bank's statement shows it: own money has come into the reserve.
    Dr RESERVE / Cr OWN_DUE; Dr OWN_PAYABLE / Cr OWN. Negative (more came back than was promised,
    as when a merchant repays): the other way round."""
    currency = event.currency
    legs = [
        signed(client("RESERVE", currency), client("OWN_DUE", currency), amount_minor),
        signed(own("OWN_PAYABLE", currency), own("OWN", currency), amount_minor),
    ]
    return posted(event, "own_funds_injected", legs)
