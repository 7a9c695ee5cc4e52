"""The posting rules of a payment that crosses: rule 3 in two halves, and the way back.

``C:XSHARD:<peer>:<currency>`` is what the other shard owes this one. A charge makes us owe the
peer; when the peer has credited the merchant, its account of us says the same with the other sign.
So the two accounts of a pair sum to minus what is on its way, and to zero when nothing is.

The payee's side carries the payment's own id and legs, as if payer and merchant lived together: so
an id that was used there with other content is met, and a refund finds the payment where it looks.
"""

from backend.ledger.chart import customer, merchant_pending
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from backend.ledger.rules.legs import fee_legs, posted
from backend.shards.model import Crossing, Order

CHARGED, RETURNED = ".charged", ".returned"


def between(peer: int, currency: str) -> str:
    """What another shard owes this one."""
    return f"C:XSHARD:{peer}:{currency}"


def crossing_charged(order: Order, peer: int) -> list[Transfer]:
    """3, the payer's side: Dr CUST / Cr XSHARD."""
    payer, passage = customer(order.user_id, order.currency), between(peer, order.currency)
    leg = (payer, passage, order.amount_minor)
    return posted(_event(order, CHARGED), "crossing_charged", [leg])


def crossing_credited(crossing: Crossing, sender: int) -> list[Transfer]:
    """3 with 4, the payee's side: Dr XSHARD / Cr MPEND, and the merchant's fee."""
    currency = crossing.currency
    pending = merchant_pending(crossing.owner, currency)
    legs = [
        (between(sender, currency), pending, crossing.amount_minor),
        *fee_legs(pending, "MDR", crossing.fee_minor, currency),
    ]
    return posted(_event(crossing), "crossing_credited", legs)


def crossing_returned(crossing: Crossing) -> list[Transfer]:
    """The payee's side refused: the charge goes back, Dr XSHARD / Cr CUST."""
    payer = customer(crossing.user_id, crossing.currency)
    leg = (between(crossing.peer, crossing.currency), payer, crossing.amount_minor)
    charge = f"{crossing.event_id}{CHARGED}:1"
    return posted(_event(crossing, RETURNED), "crossing_returned", [leg], refers_to=charge)


def _event(paid: Order | Crossing, step: str = "") -> Event:
    return Event(paid.event_id + step, paid.currency, paid.business_date)
