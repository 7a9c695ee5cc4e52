"""What each channel's word does to the books. The fund that pays us a day later (rule 6b) moves own
money where the others move what the channel owes."""

from backend.channels.model import ADVANCING_BANK, ECNY, FUND, ChannelAnswer
from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger import rules as posting
from backend.ledger.model import Transfer
from backend.payments.entries import held_transfer, owner_of, with_stock


def paid(payment: Row, saga: Row, answer: ChannelAnswer, date: str) -> list[Transfer]:
    """5 or 6: the channel has taken the payer's money; the hold ends."""
    event = posting.Event(f"{saga['saga_id']}.captured", saga["currency"], date)
    hold, merchant_id = held_transfer(payment, saga), owner_of(payment)
    price = {name: payment[name] for name in ("amount_minor", "fee_minor", "coupon_minor")}
    if saga["channel_id"] == FUND:
        legs = posting.fund_paid_by_own_advance(event, hold, merchant_id=merchant_id, **price)
    elif saga["channel_id"] == ECNY:
        legs = posting.ecny_paid(event, hold, merchant_id=merchant_id, **price)
    else:
        rule = posting.fund_paid if saga["channel_id"] == ADVANCING_BANK else posting.card_paid
        legs = rule(
            event,
            hold,
            channel_id=saga["channel_id"],
            settlement_date=answer.settlement_date,
            merchant_id=merchant_id,
            **price,
        )
    return with_stock(payment, event, legs)


def refunded(saga: Row, answer: ChannelAnswer, date: str) -> list[Transfer]:
    """13: the channel has accepted a refund."""
    event = posting.Event(f"{saga['saga_id']}.accepted", saga["currency"], date)
    if saga["channel_id"] == FUND:
        transit = chart.client("REFUND", saga["currency"])
        return posting.own_advance_returned(
            event, from_account=transit, amount_minor=saga["amount_minor"]
        )
    return posting.channel_refund_accepted(
        event,
        channel_id=saga["channel_id"],
        settlement_date=answer.settlement_date,
        amount_minor=saga["amount_minor"],
    )


def kept(saga: Row, answer: ChannelAnswer, date: str) -> list[Transfer]:
    """21: the channel keeps what was given up; it is nobody's here."""
    event = posting.Event(f"{saga['saga_id']}.long", saga["currency"], date)
    if saga["channel_id"] == FUND:
        return posting.own_advance_long_found(event, amount_minor=saga["amount_minor"])
    return posting.long_found(
        event,
        channel_id=saga["channel_id"],
        settlement_date=answer.settlement_date,
        amount_minor=saga["amount_minor"],
    )


def given_back(saga: Row, answer: ChannelAnswer, date: str) -> list[Transfer]:
    """21: the channel has taken back what was nobody's here."""
    event = posting.Event(f"{saga['saga_id']}.accepted", saga["currency"], date)
    if saga["channel_id"] == FUND:
        long = chart.client("LONG", saga["currency"])
        return posting.own_advance_returned(
            event, from_account=long, amount_minor=saga["amount_minor"]
        )
    return posting.long_given_back(
        event,
        channel_id=saga["channel_id"],
        settlement_date=answer.settlement_date,
        amount_minor=saga["amount_minor"],
    )
