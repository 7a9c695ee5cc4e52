"""Stocks and coupons as merchants' programs see them. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.coupons.model import CouponState
from backend.coupons.stocks.model import StockState
from backend.merchant_api.orders.model import time_text

_HEAD, _DIGITS = "1", 18
STATUSES = {
    StockState.UNACTIVATED: "unactivated",
    StockState.RUNNING: "running",
    StockState.PAUSED: "paused",
    StockState.STOPPED: "stoped",
}
"""In the interface's spelling."""
COUPON_STATUSES = {
    CouponState.ISSUED: "SENDED",
    CouponState.USED: "USED",
    CouponState.EXPIRED: "EXPIRED",
    CouponState.VOIDED: "EXPIRED",
}


@dataclass(frozen=True, slots=True)
class CouponRows:
    """A coupon, its stock, and what uses it."""

    coupon: Mapping[str, Any]
    stock: Mapping[str, Any]
    payment: Mapping[str, Any] | None
    transaction_id: str | None
    """The platform's number of its order; None if no program made the payment."""


def stock_number(mchid: str, out_request_no: str) -> str:
    """The platform's number of a stock, the same for the same number of the merchant's."""
    digest = hashlib.sha256(f"{mchid}/stock/{out_request_no}".encode()).digest()
    return _HEAD + str(int.from_bytes(digest[:8], "big") % 10**_DIGITS).rjust(_DIGITS, "0")


def stock_shown(stock: Mapping[str, Any]) -> dict[str, Any]:
    """A stock of lists and details."""
    found = {
        "stock_id": stock["stock_id"],
        "stock_creator_mchid": stock["owner"],
        "stock_name": stock["name"],
        "status": STATUSES[StockState(stock["state"])],
        "create_time": time_text(stock["created_at_ms"]),
        "description": stock["description"],
        "stock_use_rule": {
            "max_coupons": stock["max_coupons"],
            "max_amount": stock["max_amount_minor"],
            "max_coupons_per_user": stock["max_per_payer"],
            "fixed_normal_coupon": _worth(stock),
            "coupon_type": "NORMAL",
        },
        "available_begin_time": time_text(stock["begin_ms"]),
        "available_end_time": time_text(stock["end_ms"]),
        "distributed_coupons": stock["sent_count"],
        "no_cash": False,
        "singleitem": False,
        "stock_type": "NORMAL",
    }
    if stock["started_at_ms"] is not None:
        found["start_time"] = time_text(stock["started_at_ms"])
    if stock["stopped_at_ms"] is not None:
        found["stop_time"] = time_text(stock["stopped_at_ms"])
    return found


def coupon_shown(rows: CouponRows) -> dict[str, Any]:
    """A coupon of lists, details and callbacks. It is used once its payment is paid."""
    coupon, stock = rows.coupon, rows.stock
    state = CouponState(coupon["state"])
    paid = rows.payment if rows.payment and rows.payment["paid_at_ms"] is not None else None
    if state is CouponState.USED and paid is None:
        state = CouponState.ISSUED
    found = {
        "stock_creator_mchid": stock["owner"],
        "stock_id": stock["stock_id"],
        "coupon_id": coupon["coupon_id"],
        "coupon_name": stock["name"],
        "status": COUPON_STATUSES[state],
        "description": stock["description"],
        "create_time": time_text(coupon["created_at_ms"]),
        "coupon_type": "NORMAL",
        "no_cash": False,
        "available_begin_time": time_text(coupon["valid_from_ms"]),
        "available_end_time": time_text(coupon["valid_until_ms"]),
        "singleitem": False,
        "normal_coupon_information": _worth(coupon),
    }
    if paid is None:
        return found
    return found | {
        "consume_information": {
            "consume_time": time_text(paid["paid_at_ms"]),
            "consume_mchid": stock["owner"],
            "transaction_id": rows.transaction_id or paid["payment_id"],
        }
    }


def _worth(row: Mapping[str, Any]) -> dict[str, int]:
    return {
        "coupon_amount": row["amount_minor"],
        "transaction_minimum": row["minimum_minor"],
    }
