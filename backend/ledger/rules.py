"""The posting rules: each business event as a named function from the event to its transfers.

Numbers are those of the table of 23 rules in ``docs/ledger.md``. Dr/Cr is written
``(debit, credit, amount)``; a rule that touches both books returns the mirrored pair together.
Legs of amount zero (a fee rounded to nothing) are left out before they are numbered, so an event's
numbers have no gap and ``service.post`` can see that a leg is too few or too many.

Rule 1: an event's id makes the transfers' ids (``<event id>:<leg>``). A step of a longer business
        (a payout confirmed) is an event of its own: ``<payout id>.confirmed``.
Rule 2: the reserve moves only on an external confirmation, never on an instruction.
Rule 3: own money and client money meet only in UNSWEPT and DUE_CLIENT, by the same amount at once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backend.ledger.chart import (
    channel,
    client,
    customer,
    merchant_available,
    merchant_pending,
    own,
)
from backend.ledger.model import Kind, Transfer
from protocol.errors import CallerError

_Leg = tuple[str, str, int]
_EVENT_ID = re.compile(r"[A-Za-z0-9_.#-]{1,80}").fullmatch


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: its id, the currency it moves, and the business date it belongs to."""

    id: str
    currency: str
    business_date: str

    def __post_init__(self) -> None:
        if not _EVENT_ID(self.id):
            raise CallerError("id_invalid", self.id)


# 1 ───────────────────────────────────────────────────────────────────── top-up and settlement


def top_up(
    event: Event, *, user_id: str, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """1. A bank has confirmed a top-up: Dr CH / Cr CUST."""
    source = channel(channel_id, settlement_date, event.currency)
    return _posted(event, "top_up", [(source, customer(user_id, event.currency), amount_minor)])


def channel_settled(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """2. A channel's settlement has reached the reserve: Dr RESERVE / Cr CH. Negative: we paid."""
    reserve = client("RESERVE", event.currency)
    owed = channel(channel_id, settlement_date, event.currency)
    return _posted(event, "channel_settled", [_signed(reserve, owed, amount_minor)])


# 3, 4 ──────────────────────────────────────────────────────────────────────────── paying


def balance_paid(
    event: Event, *, user_id: str, merchant_id: str, amount_minor: int, fee_minor: int
) -> list[Transfer]:
    """3 with 4. A payer pays from the balance: Dr CUST / Cr MPEND, and the merchant's fee."""
    currency = event.currency
    pending = merchant_pending(merchant_id, currency)
    legs = [
        (customer(user_id, currency), pending, amount_minor),
        *_fee_legs(pending, "MDR", fee_minor, currency),
    ]
    return _posted(event, "balance_paid", legs)


def balance_held(
    event: Event, *, user_id: str, merchant_id: str, amount_minor: int, expires_at_ms: int
) -> list[Transfer]:
    """3, first phase. The payer's balance is held for a merchant until it is posted or voided."""
    payer = customer(user_id, event.currency)
    pending = merchant_pending(merchant_id, event.currency)
    leg = (payer, pending, amount_minor)
    return _legs(event, "balance_held", [leg], kind="pending", expires_at_ms=expires_at_ms)


def fee_charged(event: Event, *, merchant_id: str, fee_minor: int) -> list[Transfer]:
    """4. MDR alone: Dr MPEND / Cr UNSWEPT; Dr DUE_CLIENT / Cr MDR."""
    pending = merchant_pending(merchant_id, event.currency)
    return _posted(event, "fee_charged", _fee_legs(pending, "MDR", fee_minor, event.currency))


# 7, 8 ─────────────────────────────────────────────────────────────── settlement and payout


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
    return _posted(event, "merchant_settled", legs)


def payout_instructed(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """8. We have told the bank to pay a merchant: Dr MAVAIL / Cr PAYOUT."""
    available = merchant_available(merchant_id, event.currency)
    return _posted(
        event, "payout_instructed", [(available, client("PAYOUT", event.currency), amount_minor)]
    )


def payout_confirmed(event: Event, *, amount_minor: int) -> list[Transfer]:
    """8. The bank has paid: Dr PAYOUT / Cr RESERVE."""
    transit, reserve = client("PAYOUT", event.currency), client("RESERVE", event.currency)
    return _posted(event, "payout_confirmed", [(transit, reserve, amount_minor)])


def payout_rejected(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """8. The bank has refused: Dr PAYOUT / Cr MAVAIL."""
    available = merchant_available(merchant_id, event.currency)
    return _posted(
        event, "payout_rejected", [(client("PAYOUT", event.currency), available, amount_minor)]
    )


def payout_returned(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """8. A paid payout came back (pacs.004): Dr RESERVE / Cr MAVAIL."""
    available = merchant_available(merchant_id, event.currency)
    return _posted(
        event, "payout_returned", [(client("RESERVE", event.currency), available, amount_minor)]
    )


# 10 ───────────────────────────────────────────────────────────────────────────── fee sweep


def fees_swept(event: Event, *, amount_minor: int) -> list[Transfer]:
    """10. Earned fees leave the reserve, when the day has reconciled: Dr UNSWEPT / Cr RESERVE;
    Dr OWN / Cr DUE_CLIENT. Negative (more fees given back than earned): the other way round."""
    currency = event.currency
    legs = [
        _signed(client("UNSWEPT", currency), client("RESERVE", currency), amount_minor),
        _signed(own("OWN", currency), own("DUE_CLIENT", currency), amount_minor),
    ]
    return _posted(event, "fees_swept", legs)


# 12, 14 ──────────────────────────────────────────────────────────────── refund and reversal


def balance_refunded(  # the source account is the caller's choice: pending first, else available
    event: Event,
    *,
    user_id: str,
    merchant_id: str,
    amount_minor: int,
    fee_back_minor: int,
    from_available: bool = False,
    refers_to: str | None = None,
) -> list[Transfer]:
    """12. Refund of a balance payment: Dr MPEND (else MAVAIL) / Cr CUST, and the fee back:
    Dr UNSWEPT / Cr MPEND; Dr MDR / Cr DUE_CLIENT. ``fee_back_minor`` is cumulative
    (``money.fee_returned``), so that fifty refunds give back the fee exactly."""
    currency = event.currency
    account = merchant_available if from_available else merchant_pending
    source = account(merchant_id, currency)
    returned = [(credit, debit, fee) for debit, credit, fee in
                _fee_legs(source, "MDR", fee_back_minor, currency)]  # fmt: skip
    legs = [(source, customer(user_id, currency), amount_minor), *returned]
    return _legs(event, "balance_refunded", legs, kind="posted", refers_to=refers_to)


def reversed_transfers(event: Event, originals: Sequence[Transfer]) -> list[Transfer]:
    """14. Undo an event before settlement: the exact contra of its posted transfers, in reverse
    order, each naming its original."""
    if any(original.kind != "posted" for original in originals):
        raise CallerError("transfer_state", event.id)
    return [
        Transfer(
            f"{event.id}:{leg}", 1, original.credit, original.debit, original.amount_minor,
            original.currency, "reversed", "posted", original.id, None, event.business_date,
        )
        for leg, original in enumerate(reversed(originals), 1)
    ]  # fmt: skip


# 17 ───────────────────────────────────────────────────────────────────────────── coupons


def coupon_paid(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """17. Our coupon pays a part: own money goes to the reserve the same day.
    Dr RESERVE / Cr MPEND; Dr PROMO / Cr OWN."""
    currency = event.currency
    legs = [
        (client("RESERVE", currency), merchant_pending(merchant_id, currency), amount_minor),
        (own("PROMO", currency), own("OWN", currency), amount_minor),
    ]
    return _posted(event, "coupon_paid", legs)


# Holds ─────────────────────────────────────────────────────────────────────────────────────


def hold_posted(event: Event, hold: Transfer, *, amount_minor: int) -> list[Transfer]:
    """Second phase: take all or a part of a hold; the rest is released."""
    return [_ending(event, hold, "post", amount_minor)]


def hold_voided(event: Event, hold: Transfer) -> list[Transfer]:
    """Second phase: release the hold."""
    return [_ending(event, hold, "void", hold.amount_minor)]


def hold_expired(event: Event, hold: Transfer) -> list[Transfer]:
    """Second phase: the hold's time has passed."""
    return [_ending(event, hold, "expire", hold.amount_minor)]


def _ending(event: Event, hold: Transfer, kind: Kind, amount_minor: int) -> Transfer:
    return Transfer(
        f"{event.id}:1", 1, hold.debit, hold.credit, amount_minor, hold.currency,
        f"hold_{kind}", kind, hold.id, None, event.business_date,
    )  # fmt: skip


def _fee_legs(account: str, income: str, fee_minor: int, currency: str) -> list[_Leg]:
    """A fee earned: the mirrored pair of the two books."""
    return [
        (account, client("UNSWEPT", currency), fee_minor),
        (own("DUE_CLIENT", currency), own(income, currency), fee_minor),
    ]


def _signed(debit: str, credit: str, amount_minor: int) -> _Leg:
    """A leg that runs the other way if the amount is negative."""
    return (debit, credit, amount_minor) if amount_minor >= 0 else (credit, debit, -amount_minor)


def _posted(event: Event, rule: str, legs: Iterable[_Leg]) -> list[Transfer]:
    return _legs(event, rule, legs, kind="posted")


def _legs(
    event: Event,
    rule: str,
    legs: Iterable[_Leg],
    *,
    kind: Kind,
    refers_to: str | None = None,
    expires_at_ms: int | None = None,
) -> list[Transfer]:
    event_id, currency, business_date = event.id, event.currency, event.business_date
    return [
        Transfer(
            f"{event_id}:{leg}", 1, debit, credit, amount_minor, currency,
            rule, kind, refers_to, expires_at_ms, business_date,
        )
        for leg, (debit, credit, amount_minor) in enumerate((leg for leg in legs if leg[2]), 1)
    ]  # fmt: skip
