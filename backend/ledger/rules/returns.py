"""Rules 12 to 16: refunds, reversals, disputes, and what a merchant cannot cover itself."""

from collections.abc import Sequence

from backend.ledger import chart
from backend.ledger.chart import (
    channel,
    client,
    customer,
    dispute,
    merchant_available,
    merchant_pending,
    merchant_receivable,
    own,
)
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, Leg, fee_legs, own_money_legs, posted, undone
from protocol.errors import CallerError

Sources = Sequence[tuple[str, int]]
"""Whose money goes back: accounts and amounts, which sum to the refund. The caller's choice: a
merchant's pending accounts first, then what is available."""
Shards = Sequence[tuple[str, int]]
"""A hot merchant's sub-accounts (owner with shard) and an amount of each."""


def balance_refunded(
    event: Event,
    *,
    user_id: str,
    sources: Sources,
    fee_back_minor: int,
    coupon_back_minor: int = 0,
    refers_to: str | None = None,
) -> list[Transfer]:
    """12. Refund to a balance: Dr MPEND (then MAVAIL) / Cr CUST, and the fee back to the
    first source: Dr UNSWEPT / Cr MPEND; Dr MDR / Cr DUE_CLIENT. What a coupon had paid goes back
    to us: Dr MPEND / Cr OWN_DUE; Dr OWN_PAYABLE / Cr PROMO.

    ``fee_back_minor`` is cumulative (``money.fee_returned``), so that fifty refunds give back the
    fee exactly."""
    payer = customer(user_id, event.currency)
    legs = _refund_legs(payer, sources, fee_back_minor, coupon_back_minor, event.currency)
    return posted(event, "balance_refunded", legs, refers_to=refers_to)


def channel_refund_started(
    event: Event,
    *,
    sources: Sources,
    fee_back_minor: int,
    coupon_back_minor: int = 0,
    refers_to: str | None = None,
) -> list[Transfer]:
    """13. Refund of a payment that came through a channel, which has been asked: as 12, but to
    Cr REFUND. If the channel refuses, ``reversed_transfers`` undoes it."""
    transit = client("REFUND", event.currency)
    legs = _refund_legs(transit, sources, fee_back_minor, coupon_back_minor, event.currency)
    return posted(event, "channel_refund_started", legs, refers_to=refers_to)


def channel_refund_accepted(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """13. The channel has accepted the refund and will keep it back: Dr REFUND / Cr CH."""
    owed = channel(channel_id, settlement_date, event.currency)
    leg = (client("REFUND", event.currency), owed, amount_minor)
    return posted(event, "channel_refund_accepted", [leg])


def reversed_transfers(event: Event, originals: Sequence[Transfer]) -> list[Transfer]:
    """14. Undo an event before settlement (0400): the exact contra of its posted transfers, in
    reverse order, each naming its original. A hold that the event took is not held again; one that
    is still pending is voided, not reversed."""
    moved = [original for original in originals if original.kind in {"posted", "post"}]
    if not moved or any(original.kind == "pending" for original in originals):
        raise CallerError("transfer_state", event.id)
    return [
        Transfer(
            f"{event.id}:{leg}", 1, original.credit, original.debit, original.amount_minor,
            original.currency, "reversed", "posted", original.id, None, event.business_date,
        )
        for leg, original in enumerate(reversed(moved), 1)
    ]  # fmt: skip


def pending_gathered(event: Event, *, merchant_id: str, parts_minor: Shards) -> list[Transfer]:
    """14. Before a hot merchant's payment is undone whose own sub-account is short: the others lend
    to it, Dr MPEND of each / Cr MPEND of the payment's owner (``merchant_id``, with its shard)."""
    own_account = merchant_pending(merchant_id, event.currency)
    legs = [
        (merchant_pending(owner, event.currency), own_account, part) for owner, part in parts_minor
    ]
    return posted(event, "pending_gathered", legs)


def dispute_opened(
    event: Event, *, merchant_id: str, case_id: str, amount_minor: int, cover_minor: int = 0
) -> list[Transfer]:
    """15, with 16 for the part the merchant cannot cover. An issuer disputes a payment: the money
    is put aside until the case is decided, Dr MAVAIL / Cr DISPUTE."""
    available = merchant_available(merchant_id, event.currency)
    legs = [
        *_cover_legs(merchant_id, cover_minor, event.currency),
        (available, dispute(case_id, event.currency), amount_minor),
    ]
    return posted(event, "dispute_opened", legs)


def dispute_lost(
    event: Event, *, case_id: str, amount_minor: int, to_account: str
) -> list[Transfer]:
    """15. The payer was right: Dr DISPUTE / Cr CH of the card's channel (the issuer keeps it back),
    or Cr CUST of a payer who had paid from the balance."""
    assert chart.account(to_account).code in {"CH", "CUST"}
    leg = (dispute(case_id, event.currency), to_account, amount_minor)
    return posted(event, "dispute_lost", [leg])


def dispute_won(
    event: Event, *, case_id: str, merchant_id: str, amount_minor: int
) -> list[Transfer]:
    """15. The merchant was right: Dr DISPUTE / Cr MAVAIL."""
    available = merchant_available(merchant_id, event.currency)
    leg = (dispute(case_id, event.currency), available, amount_minor)
    return posted(event, "dispute_won", [leg])


def merchant_covered(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """16. A merchant cannot cover a refund or a dispute, so own money does: Dr OWN_DUE / Cr MAVAIL;
    Dr MERCH_RECV / Cr OWN_PAYABLE."""
    legs = _cover_legs(merchant_id, amount_minor, event.currency)
    return posted(event, "merchant_covered", legs)


def merchant_cover_repaid(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """16. The merchant repays what was covered from what it has earned since: Dr MAVAIL / Cr
    OWN_DUE; Dr OWN_PAYABLE / Cr MERCH_RECV."""
    legs = undone(_cover_legs(merchant_id, amount_minor, event.currency))
    return posted(event, "merchant_cover_repaid", legs)


def _cover_legs(merchant_id: str, amount_minor: int, currency: str) -> list[Leg]:
    available = merchant_available(merchant_id, currency)
    receivable = merchant_receivable(merchant_id, currency)
    return own_money_legs(available, receivable, amount_minor, currency)


def _refund_legs(
    payee: str, sources: Sources, fee_back_minor: int, coupon_back_minor: int, currency: str
) -> list[Leg]:
    """The sources pay the payee first, then (what a coupon had paid) us."""
    legs: list[Leg] = []
    left_minor = sum(amount_minor for _, amount_minor in sources) - coupon_back_minor
    for source, amount_minor in sources:
        assert chart.account(source).code in {"MPEND", "MAVAIL", "SHARE"}
        part = min(amount_minor, left_minor)
        left_minor -= part
        legs.append((source, payee, part))
        legs.append((source, client("OWN_DUE", currency), amount_minor - part))
    if coupon_back_minor:
        legs.append((own("OWN_PAYABLE", currency), own("PROMO", currency), coupon_back_minor))
    return [*legs, *undone(fee_legs(sources[0][0], "MDR", fee_back_minor, currency))]
