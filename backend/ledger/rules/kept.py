"""Rules 18 and 20: money kept for somebody: red packets, and prepaid contracts."""

from backend.ledger.chart import client, customer, escrow, merchant_available, merchant_pending
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, posted


def red_packet_sent(event: Event, *, user_id: str, amount_minor: int) -> list[Transfer]:
    """18. A user puts money into a red packet: Dr CUST / Cr REDPKT."""
    sender = customer(user_id, event.currency)
    leg = (sender, client("REDPKT", event.currency), amount_minor)
    return posted(event, "red_packet_sent", [leg])


def red_packet_claimed(event: Event, *, user_id: str, amount_minor: int) -> list[Transfer]:
    """18. A user takes a share of a red packet: Dr REDPKT / Cr CUST of the claimant."""
    claimant = customer(user_id, event.currency)
    leg = (client("REDPKT", event.currency), claimant, amount_minor)
    return posted(event, "red_packet_claimed", [leg])


def red_packet_expired(event: Event, *, user_id: str, amount_minor: int) -> list[Transfer]:
    """18. What nobody took in 24 hours goes back: Dr REDPKT / Cr CUST of the sender."""
    sender = customer(user_id, event.currency)
    leg = (client("REDPKT", event.currency), sender, amount_minor)
    return posted(event, "red_packet_expired", [leg])


def merchant_packet_sent(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """18. A merchant puts settled money into a red packet: Dr MAVAIL / Cr REDPKT."""
    sender = merchant_available(merchant_id, event.currency)
    leg = (sender, client("REDPKT", event.currency), amount_minor)
    return posted(event, "merchant_packet_sent", [leg])


def merchant_packet_expired(event: Event, *, merchant_id: str, amount_minor: int) -> list[Transfer]:
    """18. A merchant's packet that was not taken goes back: Dr REDPKT / Cr MAVAIL."""
    sender = merchant_available(merchant_id, event.currency)
    leg = (client("REDPKT", event.currency), sender, amount_minor)
    return posted(event, "merchant_packet_expired", [leg])


def escrow_funded(
    event: Event, *, user_id: str, contract_id: str, amount_minor: int
) -> list[Transfer]:
    """20. A payer prepays a contract: Dr CUST / Cr ESCROW."""
    payer = customer(user_id, event.currency)
    leg = (payer, escrow(contract_id, event.currency), amount_minor)
    return posted(event, "escrow_funded", [leg])


def escrow_released(
    event: Event, *, contract_id: str, merchant_id: str, amount_minor: int
) -> list[Transfer]:
    """20. A condition of the contract is met: Dr ESCROW / Cr MPEND."""
    pending = merchant_pending(merchant_id, event.currency)
    leg = (escrow(contract_id, event.currency), pending, amount_minor)
    return posted(event, "escrow_released", [leg])


def escrow_returned(
    event: Event, *, contract_id: str, user_id: str, amount_minor: int
) -> list[Transfer]:
    """20. The rest of a contract goes back: Dr ESCROW / Cr CUST."""
    payer = customer(user_id, event.currency)
    leg = (escrow(contract_id, event.currency), payer, amount_minor)
    return posted(event, "escrow_returned", [leg])
