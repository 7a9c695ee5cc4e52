"""Rules 2, 5, 6, 11 and 19: money that comes through a channel (card scheme, bank, fund, e-CNY).

A payment through a channel is held first (``channel_held``); whoever holds it ends the hold, for it
has no expiry. What is paid ends it in the same chain.
"""

from collections.abc import Sequence

from backend.ledger import chart
from backend.ledger.chart import (
    channel,
    client,
    memo,
    merchant_available,
    merchant_of,
    merchant_pending,
    own,
)
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import (
    Event,
    Leg,
    ended,
    fee_legs,
    held,
    own_money_legs,
    posted,
    signed,
    undone,
)


def channel_settled(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """2. A channel's settlement has reached the reserve: Dr RESERVE / Cr CH. Negative: we paid."""
    reserve = client("RESERVE", event.currency)
    owed = channel(channel_id, settlement_date, event.currency)
    return posted(event, "channel_settled", [signed(reserve, owed, amount_minor)])


def channel_held(
    event: Event, *, channel_id: str, settlement_date: str, merchant_id: str, amount_minor: int
) -> list[Transfer]:
    """5 and 6, first phase. A channel has been asked to pay: pending Dr CH / Cr MPEND, without an
    expiry, because only the channel's answer (or a reversal) ends what is unknown."""
    source = channel(channel_id, settlement_date, event.currency)
    leg = (source, merchant_pending(merchant_id, event.currency), amount_minor)
    return [held(event, "channel_held", leg, expires_at_ms=None)]


def card_paid(
    event: Event,
    hold: Transfer,
    *,
    channel_id: str,
    settlement_date: str,
    merchant_id: str,
    amount_minor: int,
    fee_minor: int,
    cost_minor: int = 0,
    coupon_minor: int = 0,
    is_real_time: bool = False,
) -> list[Transfer]:
    """5 with 4 and 17. A card has paid (0210 with DE39 = 00): Dr CH / Cr MPEND, the merchant's fee,
    and the channel's cost: Dr CHANNEL_COST / Cr COST_PAYABLE.

    ``amount_minor`` is the whole price; the card pays what the coupon does not. ``is_real_time``:
    the merchant has it at once, Dr MPEND / Cr MAVAIL of all but the fee.
    """
    currency = event.currency
    pending = merchant_pending(merchant_id, currency)
    return _paid(
        event,
        "card_paid",
        hold,
        (channel(channel_id, settlement_date, currency), pending, amount_minor - coupon_minor),
        [
            *own_money_legs(pending, own("PROMO", currency), coupon_minor, currency),
            *fee_legs(pending, "MDR", fee_minor, currency),
            _cost_leg(cost_minor, currency),
            _real_time_leg(merchant_id, amount_minor - fee_minor, currency, is_real_time),
        ],
    )


def ecny_paid(
    event: Event, hold: Transfer, *, merchant_id: str, amount_minor: int, fee_minor: int,
    coupon_minor: int = 0,
) -> list[Transfer]:  # fmt: skip
    """19 with 4 and 17. e-CNY has been paid into our wallet, final at once: Dr ECNY / Cr MPEND. The
    wallet is changed into the reserve by rule 2, refunded from by rule 13."""
    currency = event.currency
    pending = merchant_pending(merchant_id, currency)
    return _paid(
        event,
        "ecny_paid",
        hold,
        (client("ECNY", currency), pending, amount_minor - coupon_minor),
        [
            *own_money_legs(pending, own("PROMO", currency), coupon_minor, currency),
            *fee_legs(pending, "MDR", fee_minor, currency),
        ],
    )


def fund_paid(
    event: Event,
    hold: Transfer,
    *,
    channel_id: str,
    settlement_date: str,
    merchant_id: str,
    amount_minor: int,
    fee_minor: int,
    cost_minor: int = 0,
    coupon_minor: int = 0,
    is_real_time: bool = False,
) -> list[Transfer]:
    """6a with 4 and 17. A money-market fund pays; its bank advances at T+0: as a card, from the
    advancing bank's channel. Memo, because the debt is the fund's to the bank: Dr FUND_ADVANCED /
    Cr FUND_OWED of the channel's date. The bank's money arrives by rule 2."""
    currency = event.currency
    pending = merchant_pending(merchant_id, currency)
    charged_minor = amount_minor - coupon_minor
    return _paid(
        event,
        "fund_paid",
        hold,
        (channel(channel_id, settlement_date, currency), pending, charged_minor),
        [
            *own_money_legs(pending, own("PROMO", currency), coupon_minor, currency),
            *fee_legs(pending, "MDR", fee_minor, currency),
            _cost_leg(cost_minor, currency),
            _real_time_leg(merchant_id, amount_minor - fee_minor, currency, is_real_time),
            _advanced_leg(channel_id, settlement_date, charged_minor, currency),
        ],
    )


def fund_repaid_bank(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """6a at T+1. The fund has repaid its bank; memo only: Dr FUND_OWED / Cr FUND_ADVANCED."""
    debit, credit, _ = _advanced_leg(channel_id, settlement_date, amount_minor, event.currency)
    return posted(event, "fund_repaid_bank", [(credit, debit, amount_minor)])


def fund_paid_by_own_advance(
    event: Event, hold: Transfer, *, merchant_id: str, amount_minor: int, fee_minor: int,
    coupon_minor: int = 0,
) -> list[Transfer]:  # fmt: skip
    """6b with 4 and 17. We advance a fund's payment from own money (a switch, off by default):
    Dr OWN_DUE / Cr MPEND; Dr ADVANCE / Cr OWN_PAYABLE. The hold on the channel is released."""
    currency = event.currency
    pending = merchant_pending(merchant_id, currency)
    legs = [
        *own_money_legs(pending, own("ADVANCE", currency), amount_minor - coupon_minor, currency),
        *own_money_legs(pending, own("PROMO", currency), coupon_minor, currency),
        *fee_legs(pending, "MDR", fee_minor, currency),
    ]
    return _beside(event, "fund_paid_by_own_advance", hold, legs)


def own_advance_long_found(event: Event, *, amount_minor: int) -> list[Transfer]:
    """6b with 21. A fund will pay us for a payment that was given up: Dr OWN_DUE / Cr LONG;
    Dr ADVANCE / Cr OWN_PAYABLE."""
    long, advance = client("LONG", event.currency), own("ADVANCE", event.currency)
    legs = own_money_legs(long, advance, amount_minor, event.currency)
    return posted(event, "own_advance_long_found", legs)


def own_advance_returned(event: Event, *, from_account: str, amount_minor: int) -> list[Transfer]:
    """6b with 13, 15 or 21. A fund has taken a refund, a lost dispute, or what was nobody's, and
    pays us so much less: Dr REFUND, DISPUTE or LONG / Cr OWN_DUE; Dr OWN_PAYABLE / Cr ADVANCE."""
    assert chart.account(from_account).code in {"REFUND", "DISPUTE", "LONG"}
    advance = own("ADVANCE", event.currency)
    legs = undone(own_money_legs(from_account, advance, amount_minor, event.currency))
    return posted(event, "own_advance_returned", legs)


def own_advance_repaid(event: Event, *, amount_minor: int) -> list[Transfer]:
    """6b at T+1. The fund has repaid our advance to our own bank account: Dr OWN / Cr ADVANCE.
    Negative: more went back than came."""
    currency = event.currency
    leg = signed(own("OWN", currency), own("ADVANCE", currency), amount_minor)
    return posted(event, "own_advance_repaid", [leg])


def customer_withdrawal_through_channel(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """9. A channel has paid out a payer's balance, from its net of the day: Dr PAYOUT / Cr CH.
    The reserve moves when the channel's day is settled (rule 2)."""
    owed = channel(channel_id, settlement_date, event.currency)
    leg = (client("PAYOUT", event.currency), owed, amount_minor)
    return posted(event, "customer_withdrawal_through_channel", [leg])


def channel_cost_accrued(event: Event, *, cost_minor: int) -> list[Transfer]:
    """5, for channels that charge parts of a minor unit: the whole units of a day, counted
    elsewhere. Dr CHANNEL_COST / Cr COST_PAYABLE."""
    return posted(event, "channel_cost_accrued", [_cost_leg(cost_minor, event.currency)])


def channel_settled_net(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int, cost_minor: int
) -> list[Transfer]:
    """11. A channel has kept its cost back from the settlement: Dr RESERVE / Cr CH of what came,
    Dr UNSWEPT / Cr CH of the cost; Dr COST_PAYABLE / Cr DUE_CLIENT. ``amount_minor`` is gross."""
    currency = event.currency
    owed = channel(channel_id, settlement_date, currency)
    legs = [
        signed(client("RESERVE", currency), owed, amount_minor - cost_minor),
        (client("UNSWEPT", currency), owed, cost_minor),
        (own("COST_PAYABLE", currency), own("DUE_CLIENT", currency), cost_minor),
    ]
    return posted(event, "channel_settled_net", legs)


def _paid(
    event: Event, rule: str, hold: Transfer, paid: Leg, legs: Sequence[Leg]
) -> list[Transfer]:
    """End the hold and post: by the hold itself if it says the same as what was paid, else (another
    settlement date or amount) beside it."""
    if (hold.debit, hold.credit, hold.amount_minor) == paid:
        taken = ended(event, rule, hold, "post", hold.amount_minor)
        return [taken, *posted(event, rule, legs, first_leg=2)]
    return _beside(event, rule, hold, [paid, *legs])


def _beside(event: Event, rule: str, hold: Transfer, legs: Sequence[Leg]) -> list[Transfer]:
    """Post the legs, then release the hold."""
    transfers = posted(event, rule, legs)
    leg = len(transfers) + 1
    return [*transfers, ended(event, rule, hold, "void", hold.amount_minor, leg=leg)]


def _cost_leg(cost_minor: int, currency: str) -> Leg:
    return own("CHANNEL_COST", currency), own("COST_PAYABLE", currency), cost_minor


def _real_time_leg(owner: str, net_minor: int, currency: str, is_real_time: bool) -> Leg:
    available = merchant_available(merchant_of(owner), currency)
    return merchant_pending(owner, currency), available, net_minor if is_real_time else 0


def _advanced_leg(channel_id: str, settlement_date: str, amount_minor: int, currency: str) -> Leg:
    owner = f"{channel_id}.{settlement_date}"
    advanced, owed = memo("FUND_ADVANCED", owner, currency), memo("FUND_OWED", owner, currency)
    return advanced, owed, amount_minor
