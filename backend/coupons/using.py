"""Using a coupon inside the payment's transaction: it pays once however many payments race.

A payment that another institution decides later uses its coupon when it is submitted, and gives it
back when it is declined or undone. ``return_coupon`` may be repeated.
"""

from dataclasses import dataclass

from backend.coupons.model import CouponCommand, CouponState, Spend, Terms, refusal
from backend.coupons.stocks.tables import COUPON_STOCK, STOCK_NEWS
from backend.coupons.stocks.timeline import look_again
from backend.coupons.tables import COUPON
from backend.coupons.timeline import step
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import chart
from backend.ledger.tables import ACCOUNT
from backend.notify.outbox import put_callback

COUPON_USED = "coupon.used"
_TERMS = tuple(Terms.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Applied:
    """What a coupon pays of a price, or the code of the reason why it does not."""

    coupon_id: str | None = None
    amount_minor: int = 0
    stock_id: str | None = None
    """The merchant's stock that pays for it; None: it is ours."""
    refusal: str | None = None

    def columns(self) -> Row:
        """What the payment's row keeps of it."""
        return {
            "coupon_id": self.coupon_id,
            "coupon_stock_id": self.stock_id,
            "coupon_minor": self.amount_minor,
        }


NO_COUPON = Applied()


def coupon_reads(ws: WorkingSet, coupon_id: str, currency: str) -> list[Read]:
    """What ``apply_coupon`` reads, and what posting rules 17 and 26 touch beside the merchant's
    money, as far as it is known by now."""
    accounts = [
        chart.client("OWN_DUE", currency),
        chart.own("PROMO", currency),
        chart.own("OWN_PAYABLE", currency),
    ]
    coupon = ws.loaded(COUPON, coupon_id)
    found: list[Read] = [(COUPON, coupon_id)]
    if coupon is not None and coupon["stock_id"] is not None:
        accounts.append(chart.stock(coupon["stock_id"], currency))
        found.append((STOCK_NEWS, coupon["merchant_id"]))
    return found + [(ACCOUNT, account) for account in accounts]


def apply_coupon(ws: WorkingSet, coupon_id: str, spend: Spend) -> Applied:
    """What a coupon would pay. Nothing changes; ``use_coupon`` follows once the money moves."""
    row = ws.get(COUPON, coupon_id)
    if row is None:
        return Applied(refusal="coupon_not_found")
    terms = Terms(**{name: row[name] for name in _TERMS})
    code = refusal(terms, spend)
    if code is not None:
        return Applied(refusal=code)
    return Applied(coupon_id, min(terms.amount_minor, spend.price_minor), row["stock_id"])


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


def stock_news_reads(payment: Row) -> list[Read]:
    """What ``tell_use`` reads."""
    return [] if payment["coupon_stock_id"] is None else [(STOCK_NEWS, payment["merchant_id"])]


def tell_use(ws: WorkingSet, payment: Row, now_ms: int) -> None:
    """A payment is paid: leave word for the merchant whose stock's coupon paid a part of it."""
    if payment["coupon_stock_id"] is None:
        return
    news = ws.get(STOCK_NEWS, payment["merchant_id"])
    if news is None:
        return
    put_callback(
        ws,
        merchant_id=payment["merchant_id"],
        url=news["notify_url"],
        form=news["notify_form"],
        event_type=COUPON_USED,
        subject_id=payment["payment_id"],
        number=1,
        resource={"coupon_id": payment["coupon_id"], "payment_id": payment["payment_id"]},
        at_ms=now_ms,
    )


def return_reads(payment: Row) -> list[Read]:
    """What ``return_coupon`` reads."""
    if payment["coupon_id"] is None:
        return []
    stock_id = payment["coupon_stock_id"]
    stock = [] if stock_id is None else [(COUPON_STOCK, stock_id)]
    return [(COUPON, payment["coupon_id"]), *stock]


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
    if payment["coupon_stock_id"] is not None:
        look_again(ws, payment["coupon_stock_id"], now_ms)
    if now_ms >= coupon["valid_until_ms"]:
        step(ws, coupon, CouponCommand.EXPIRE, actor="clock", now_ms=now_ms)
