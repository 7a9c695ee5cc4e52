"""Refunds as merchants' programs see them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.instruments.model import BALANCE
from backend.merchant_api.orders.model import order_names, time_text
from backend.refunds.model import RefundState

_STATES = {
    RefundState.PROCESSING: "PROCESSING",
    RefundState.SUCCEEDED: "SUCCESS",
    RefundState.FAILED: "ABNORMAL",
}
_RECEIVED = {BALANCE: "支付用户零钱"}
_OTHERS_RECEIVED = "支付用户银行卡"


TO_PAYER, TO_MERCHANT = "USER_BANK_CARD", "MERCHANT_BANK_CARD"
"""The two ways to settle a refund that the payer's bank has refused."""
_CHANNELS = {"": "ORIGINAL", TO_PAYER: "OTHER_BALANCE", TO_MERCHANT: "OTHER_BANKCARD"}


@dataclass(frozen=True, slots=True)
class RefundRows:
    """A refund of a merchant's program with all it belongs to, as rows."""

    said: Mapping[str, Any]
    refund: Mapping[str, Any]
    order: Mapping[str, Any]
    payment: Mapping[str, Any]
    settled: str = ""
    """How it was settled after the payer's bank had refused it; ``refund`` is then the one that
    stands in its place, if there is one."""

    @property
    def status(self) -> str:
        """As the interface says it."""
        if self.settled == TO_MERCHANT:
            return "SUCCESS"
        return _STATES[RefundState(self.refund["state"])]


def refund_shown(rows: RefundRows) -> dict[str, Any]:
    """The refund object of answers."""
    refund, amount = rows.refund, _amount(rows)
    paid_back = amount["payer_refund"]
    found = {
        **_names(rows),
        "channel": _CHANNELS[rows.settled],
        "create_time": time_text(refund["created_at_ms"]),
        "status": rows.status,
        "funds_account": rows.said["funds_account"],
        "amount": amount
        | {
            "from": [],
            "settlement_total": amount["total"],
            "settlement_refund": amount["refund"],
            "discount_refund": amount["refund"] - paid_back,
            "currency": refund["currency"],
        },
        "promotion_detail": _promotions(rows),
    }
    return found | _success(refund)


def refund_news(rows: RefundRows) -> dict[str, Any]:
    """The refund object of callbacks: fewer fields, and ``refund_status`` for ``status``."""
    names = order_names(rows.order)
    # Of apps the news of a refund says nothing.
    head = {name: names[name] for name in names if name.endswith("mchid")}
    head["refund_status"] = rows.status
    return head | _names(rows) | {"amount": _amount(rows)} | _success(rows.refund)


def _names(rows: RefundRows) -> dict[str, Any]:
    return {
        "refund_id": rows.said["number"],
        "out_refund_no": rows.said["out_refund_no"],
        "transaction_id": rows.order["transaction_id"],
        "out_trade_no": rows.order["out_trade_no"],
        "user_received_account": _received(rows),
    }


def _received(rows: RefundRows) -> str:
    if rows.settled == TO_MERCHANT:
        return "商户结算银行账户"
    return _RECEIVED.get(rows.refund["funding"], _OTHERS_RECEIVED)


def _promotions(rows: RefundRows) -> list[dict[str, Any]]:
    """What of the refund a coupon had paid. One that is settled with the price is a ``COUPON``."""
    if not rows.refund["coupon_returned_minor"]:
        return []
    return [
        {
            "promotion_id": rows.payment["coupon_id"],
            "scope": "GLOBAL",
            "type": "COUPON",
            "amount": rows.payment["coupon_minor"],
            "refund_amount": rows.refund["coupon_returned_minor"],
        }
    ]


def _amount(rows: RefundRows) -> dict[str, int]:
    refund, payment = rows.refund, rows.payment
    total: int = payment["amount_minor"]
    asked: int = refund["amount_minor"]
    return {
        "total": total,
        "refund": asked,
        "payer_total": total - payment["coupon_minor"],
        "payer_refund": asked - refund["coupon_returned_minor"],
    }


def _success(refund: Mapping[str, Any]) -> dict[str, str]:
    """When it was done: known for the balance, which is given back at once."""
    if refund["state"] != RefundState.SUCCEEDED or refund["funding"] != BALANCE:
        return {}
    return {"success_time": time_text(refund["created_at_ms"])}
