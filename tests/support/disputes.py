"""What issuers, operators and merchants do in a dispute."""

from typing import Any

from backend.clearing.closed import ClosedDays
from backend.disputes.cover import CollectCover, Collected
from backend.disputes.model import DisputeCommand
from backend.disputes.service import DecideDispute, GiveEvidence, OpenDispute
from backend.ledger.rules import Event, dispute_opened, merchant_settled, payout_instructed
from tests.support.books import Post
from tests.support.shop import MERCHANT, Shop

MPEND, MAVAIL = f"C:MPEND:{MERCHANT}:CNY", f"C:MAVAIL:{MERCHANT}:CNY"
OWED = f"O:MERCH_RECV:{MERCHANT}:CNY"


def opened(shop: Shop, payment_id: str, amount_minor: int, **changes: Any) -> OpenDispute:
    """The command that opens a dispute."""
    fields: dict[str, Any] = {
        "dispute_id": shop.id("dsp"),
        "payment_id": payment_id,
        "amount_minor": amount_minor,
        "currency": "CNY",
        "reason": "goods_not_received",
        "rules": shop.rules,
    }
    return OpenDispute(**(fields | changes))


def dispute(shop: Shop, payment_id: str, amount_minor: int, **changes: Any) -> dict[str, Any]:
    return shop.do(opened(shop, payment_id, amount_minor, **changes))


def decide(
    shop: Shop, case: dict[str, Any], command: DisputeCommand, settlement_date: str = ""
) -> dict[str, Any]:
    return shop.do(
        DecideDispute(
            dispute_id=case["dispute_id"],
            command=command,
            settlement_date=settlement_date,
            rules=shop.rules,
            days=ClosedDays(),
        )
    )


def give_evidence(shop: Shop, case: dict[str, Any], text: str, **changes: Any) -> dict[str, Any]:
    fields = {"dispute_id": case["dispute_id"], "merchant_id": MERCHANT, "evidence": text}
    return shop.do(GiveEvidence(**(fields | changes)))


def collect(shop: Shop, *, collection_id: str | None = None) -> Collected:
    command = CollectCover(
        collection_id=collection_id or shop.id("cvr"), merchant_id=MERCHANT, rules=shop.rules
    )
    found: Collected = shop.do(command)
    return found


def settle(shop: Shop) -> None:
    """What the merchant has earned becomes available."""
    amount_minor = shop.balance(MPEND)
    if amount_minor:
        event = Event(shop.id("pyo"), "CNY", "2026-11-24")
        shop.do(Post(merchant_settled(event, merchant_id=MERCHANT, amount_minor=amount_minor)))


def pay_out(shop: Shop) -> None:
    """All that the merchant has available leaves."""
    amount_minor = shop.balance(MAVAIL)
    if amount_minor:
        event = Event(shop.id("pyo"), "CNY", "2026-11-24")
        shop.do(Post(payout_instructed(event, merchant_id=MERCHANT, amount_minor=amount_minor)))


def cover(shop: Shop, amount_minor: int) -> None:
    """Own money bears a dispute of so much, which the merchant owes from now on."""
    case_id = shop.id("dsp")
    legs = dispute_opened(
        Event(case_id, "CNY", "2026-11-24"),
        merchant_id=MERCHANT,
        case_id=case_id,
        amount_minor=amount_minor,
        cover_minor=amount_minor,
    )
    shop.do(Post(legs))


def put_aside(shop: Shop, case: dict[str, Any]) -> int:
    return shop.balance(f"C:DISPUTE:{case['dispute_id']}:CNY")
