"""The posting rules of a payment that crosses: rule 3 in two halves, and the way back.

``C:XSHARD:<peer>:<currency>`` is what the other shard owes this one. A charge makes us owe the
peer; when the peer has credited the merchant, its account of us says the same with the other sign.
So the two accounts of a pair sum to minus what is on its way, and to zero when nothing is.

The payee's side carries the payment's own id and legs, as if payer and merchant lived together: so
an id that was used there with other content is met, and a refund finds the payment where it looks.
"""

from backend.ledger.chart import client, customer, merchant_pending, own
from backend.ledger.model import Transfer
from backend.ledger.rules import Event
from backend.shards.model import Crossing, Order

CHARGED, RETURNED = ".charged", ".returned"


def between(peer: int, currency: str) -> str:
    """What another shard owes this one."""
    return f"C:XSHARD:{peer}:{currency}"


def crossing_charged(order: Order, peer: int) -> list[Transfer]:
    """3, the payer's side: Dr CUST / Cr XSHARD."""
    payer, passage = customer(order.user_id, order.currency), between(peer, order.currency)
    return _posted(order, CHARGED, [(payer, passage, order.amount_minor)])


def crossing_credited(crossing: Crossing, sender: int) -> list[Transfer]:
    """3 with 4, the payee's side: Dr XSHARD / Cr MPEND, and the merchant's fee."""
    currency, fee_minor = crossing.currency, crossing.fee_minor
    pending = merchant_pending(crossing.owner, currency)
    legs = [
        (between(sender, currency), pending, crossing.amount_minor),
        (pending, client("UNSWEPT", currency), fee_minor),
        (own("DUE_CLIENT", currency), own("MDR", currency), fee_minor),
    ]
    return _posted(crossing.order, "", legs)


def crossing_returned(crossing: Crossing) -> list[Transfer]:
    """The payee's side refused: the charge goes back, Dr XSHARD / Cr CUST."""
    payer = customer(crossing.user_id, crossing.currency)
    passage = between(crossing.peer, crossing.currency)
    legs = [(passage, payer, crossing.amount_minor)]
    return _posted(crossing.order, RETURNED, legs, refers_to=f"{crossing.event_id}{CHARGED}:1")


def _posted(
    order: Order, step: str, legs: list[tuple[str, str, int]], *, refers_to: str | None = None
) -> list[Transfer]:
    event = Event(order.event_id + step, order.currency, order.business_date)
    rule = f"crossing{step or '.credited'}".replace(".", "_")
    return [
        Transfer(
            f"{event.id}:{leg}", 1, debit, credit, amount_minor, event.currency,
            rule, "posted", refers_to, None, event.business_date,
        )
        for leg, (debit, credit, amount_minor) in enumerate((leg for leg in legs if leg[2]), 1)
    ]  # fmt: skip
