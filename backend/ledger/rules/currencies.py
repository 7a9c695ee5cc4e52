"""Rule 23: paying in one currency what is priced in another.

An exchange is one event with legs in two currencies. Each transfer is of one currency, and they are
one linked chain: all or none. The event's currency is the payer's; the other comes as ``Money``.
"""

from dataclasses import replace

from backend.ledger.chart import client, customer, merchant_pending
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, Leg, fee_legs, posted
from protocol.errors import CallerError
from protocol.money import Money


def exchange_paid(
    event: Event,
    *,
    user_id: str,
    merchant_id: str,
    amount_minor: int,
    spread_minor: int,
    bought: Money,
) -> list[Transfer]:
    """23. A payer pays in the event's currency what a merchant gets in another: Dr CUST / Cr FXPOS,
    and there Dr FXPOS / Cr MPEND. The spread is a transfer of its own: Dr FXPOS / Cr UNSWEPT;
    Dr DUE_CLIENT / Cr FX_SPREAD. What is left on FXPOS is what buying will cost."""
    position = client("FXPOS", event.currency)
    legs = [
        (customer(user_id, event.currency), position, amount_minor),
        *fee_legs(position, "FX_SPREAD", spread_minor, event.currency),
    ]
    pending = merchant_pending(merchant_id, bought.currency)
    other = (client("FXPOS", bought.currency), pending, bought.amount_minor)
    return _in_two_currencies(event, "exchange_paid", legs, other, bought.currency)


def exchange_bought(event: Event, *, amount_minor: int, bought: Money) -> list[Transfer]:
    """23. The exchange bank has confirmed both sides of buying what was promised: Dr FXPOS / Cr
    RESERVE, and in the other currency Dr NOSTRO / Cr FXPOS."""
    legs = [(client("FXPOS", event.currency), client("RESERVE", event.currency), amount_minor)]
    other = (
        client("NOSTRO", bought.currency), client("FXPOS", bought.currency), bought.amount_minor,
    )  # fmt: skip
    return _in_two_currencies(event, "exchange_bought", legs, other, bought.currency)


def _in_two_currencies(
    event: Event, rule: str, legs: list[Leg], other: Leg, other_currency: str
) -> list[Transfer]:
    if other_currency == event.currency:
        raise CallerError("currency_mismatch", event.id)
    transfers = posted(event, rule, legs)
    abroad = replace(event, currency=other_currency)
    return [*transfers, *posted(abroad, rule, [other], first_leg=len(transfers) + 1)]
