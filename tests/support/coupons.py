"""Coupons for tests: issued to payers, chosen for pay codes, named in confirmations."""

from typing import Any

from backend.coupons.service import ChooseCoupon, IssueCoupon
from backend.coupons.stocks.model import StockStep
from backend.coupons.stocks.service import MakeStock, SendCoupon, StepStock
from backend.payments.confirm import ConfirmByPayer
from tests.support.shop import MERCHANT, Shop

DAY_MS = 24 * 3_600_000


def issue(shop: Shop, payer_id: str, amount_minor: int, **changes: Any) -> str:
    """A coupon that is good for a day from now."""
    fields: dict[str, Any] = {
        "coupon_id": shop.id("cpn"),
        "payer_id": payer_id,
        "amount_minor": amount_minor,
        "currency": "CNY",
        "valid_from_ms": shop.clock.at_ms,
        "valid_until_ms": shop.clock.at_ms + DAY_MS,
    }
    return str(shop.do(IssueCoupon(**(fields | changes)))["coupon_id"])


def choose(shop: Shop, payer_id: str, amount_minor: int, **changes: Any) -> str:
    """A coupon that the payer's next pay code uses."""
    coupon_id = issue(shop, payer_id, amount_minor, **changes)
    shop.do(ChooseCoupon(payer_id=payer_id, coupon_id=coupon_id))
    return coupon_id


def confirm(shop: Shop, payer_id: str, amount_minor: int, coupon_id: str | None) -> Any:
    """The payer scans a code and names a coupon; the answer's body."""
    command = ConfirmByPayer(
        payment_id=shop.show_qr(amount_minor)["payment_id"],
        attempt_id=shop.id("att"),
        payer_id=payer_id,
        is_pin_verified=True,
        rules=shop.rules,
        coupon_id=coupon_id,
    )
    return shop.do(command)[1]


def state_of(shop: Shop, coupon_id: str) -> str:
    """Where a coupon is."""
    [row] = shop.rows(f"SELECT state FROM coupon WHERE coupon_id = '{coupon_id}'")
    return str(row["state"])


def events_of(shop: Shop, coupon_id: str) -> list[str]:
    """What happened to a coupon."""
    rows = shop.rows(f"SELECT * FROM coupon_event WHERE coupon_id = '{coupon_id}' ORDER BY number")
    return [row["event"].removeprefix("Coupon") for row in rows]


def own_money(shop: Shop) -> tuple[int, int, int]:
    """(promised to the reserve, owed by us, spent on coupons)."""
    due, owed, promo = ("C:OWN_DUE:CNY", "O:OWN_PAYABLE:CNY", "O:PROMO:CNY")
    return shop.balance(due), shop.balance(owed), shop.balance(promo)


def stocked(
    shop: Shop, payer_id: str, amount_minor: int, *, life_ms: int = DAY_MS
) -> tuple[str, str]:
    """A coupon that the merchant pays for, chosen by the payer: its stock, which has the money for
    this one, and its id."""
    stock_id, begin_ms = f"1{shop.clock.at_ms}", shop.clock.at_ms
    shop.do(
        MakeStock(
            stock_id=stock_id, owner="1900000001", merchant_id=MERCHANT, content_hash=b"",
            name="x", comment="", description="", amount_minor=amount_minor, minimum_minor=1,
            max_coupons=1, max_amount_minor=amount_minor, max_per_payer=1,
            begin_ms=begin_ms, end_ms=begin_ms + life_ms,
        )
    )  # fmt: skip
    owned = {"stock_id": stock_id, "owner": "1900000001"}
    shop.do(StepStock(step=StockStep.START, rules=shop.rules, **owned))
    sent = SendCoupon(
        coupon_id=shop.id("cpn"), payer_id=payer_id, out_request_no="1", content_hash=b"", **owned
    )
    coupon_id = str(shop.do(sent)["coupon_id"])
    shop.do(ChooseCoupon(payer_id=payer_id, coupon_id=coupon_id))
    return stock_id, coupon_id
