"""Using a coupon inside the payment's transaction: it pays once however many payments race.

A payment that another institution decides later uses its coupon when it is submitted, and gives it
back when it is declined or undone. ``return_coupon`` may be repeated.
"""

from dataclasses import dataclass

from backend.coupons.model import CouponCommand, CouponState, Spend, Terms, refusal
from backend.coupons.tables import COUPON
from backend.coupons.timeline import step
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger.tables import ACCOUNT

_TERMS = tuple(Terms.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a coupon pays of a price, or the code of the reason why it does not."""

    coupon_id: str | None = None
    amount_minor: int = 0
    refusal: str | None = None


NO_COUPON = Applied()


def coupon_reads(coupon_id: str, currency: str) -> list[Read]:
    """What ``apply_coupon`` reads, and what posting rule 17 touches beside the merchant's money."""
    accounts = (
        chart.client("OWN_DUE", currency),
        chart.own("PROMO", currency),
        chart.own("OWN_PAYABLE", currency),
    )
    return [(COUPON, coupon_id), *((ACCOUNT, account) for account in accounts)]


def apply_coupon(ws: WorkingSet, coupon_id: str, spend: Spend) -> Applied:
    """What a coupon would pay. Nothing changes; ``use_coupon`` follows once the money moves."""
    row = ws.get(COUPON, coupon_id)
    if row is None:
        return Applied(refusal="coupon_not_found")
    terms = Terms(**{name: row[name] for name in _TERMS})
    code = refusal(terms, spend)
    if code is not None:
        return Applied(refusal=code)
    return Applied(coupon_id, min(terms.amount_minor, spend.price_minor))


def use_coupon(ws: WorkingSet, payment: Row, *, actor: str, now_ms: int) -> None:
    """Mark the coupon of a payment used, if it has one. ``apply_coupon`` allowed it."""
    if payment["coupon_id"] is None:
        return
    coupon = ws.get(COUPON, payment["coupon_id"])
    assert coupon is not None
    step(
        ws,
        coupon,
        CouponCommand.USE,
        actor=actor,
        now_ms=now_ms,
        payment_id=payment["payment_id"],
    )


def return_reads(payment: Row) -> list[Read]:
    """What ``return_coupon`` reads."""
    return [] if payment["coupon_id"] is None else [(COUPON, payment["coupon_id"])]


def return_coupon(ws: WorkingSet, payment: Row, *, actor: str, now_ms: int) -> None:
    """A payment took nothing in the end: its coupon is the payer's again, or expires if its time is
    over. Nothing happens for a payment without one, or one that gave it back."""
    if payment["coupon_id"] is None:
        return
    coupon = ws.get(COUPON, payment["coupon_id"])
    assert coupon is not None, "coupons are never removed"
    payment_id = payment["payment_id"]
    if coupon["state"] != CouponState.USED or coupon["payment_id"] != payment_id:
        return
    coupon = step(
        ws, coupon, CouponCommand.RETURN, actor=actor, now_ms=now_ms, payment_id=payment_id
    )
    if now_ms >= coupon["valid_until_ms"]:
        step(ws, coupon, CouponCommand.EXPIRE, actor="clock", now_ms=now_ms)
