"""Refunds as API v2 tells them, of refunds as API v3 shows them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.merchant_api.v2.refunds.schemas import RECHARGED, UNSETTLED

_STATES = {"SUCCESS": "SUCCESS", "PROCESSING": "PROCESSING", "CLOSED": "REFUNDCLOSE",
           "ABNORMAL": "CHANGE"}  # fmt: skip
_SOURCES = {"AVAILABLE": RECHARGED, "UNSETTLED": UNSETTLED}


def granted(shown: Mapping[str, Any]) -> dict[str, str | int]:
    """The answer to a refund's call."""
    amount = shown["amount"]
    return {
        "transaction_id": shown["transaction_id"],
        "out_trade_no": shown["out_trade_no"],
        "out_refund_no": shown["out_refund_no"],
        "refund_id": shown["refund_id"],
        "refund_channel": shown["channel"],
        "refund_fee": amount["refund"],
        "settlement_refund_fee": amount["settlement_refund"],
        "coupon_refund_fee": amount["discount_refund"],
        "cash_refund_fee": amount["payer_refund"],
        **_order_amounts(amount),
    }


def listed(page: Sequence[Mapping[str, Any]], total_count: int) -> dict[str, str | int]:
    """A page of an order's refunds, one at least, each with its place in its names."""
    first = page[0]
    found: dict[str, str | int] = {
        "transaction_id": first["transaction_id"],
        "out_trade_no": first["out_trade_no"],
        "total_refund_count": total_count,
        "refund_count": len(page),
        "refund_fee": sum(one["amount"]["refund"] for one in page),
        **_order_amounts(first["amount"]),
    }
    for place, one in enumerate(page):
        found |= {f"{name}_{place}": value for name, value in _one(one).items()}
    return found


def news(told: Mapping[str, Any], funds_account: str) -> dict[str, str | int]:
    """What a notice seals, of a refund as API v3's callbacks tell it."""
    amount = told["amount"]
    return {
        "transaction_id": told["transaction_id"],
        "out_trade_no": told["out_trade_no"],
        "refund_id": told["refund_id"],
        "out_refund_no": told["out_refund_no"],
        "total_fee": amount["total"],
        "settlement_total_fee": amount["total"],
        "refund_fee": amount["refund"],
        "settlement_refund_fee": amount["refund"],
        "refund_status": _STATES[told["refund_status"]],
        "success_time": _spaced(told.get("success_time", "")),
        "refund_recv_accout": told["user_received_account"],
        "refund_account": _SOURCES[funds_account],
        "refund_request_source": "API",
    }


def _one(shown: Mapping[str, Any]) -> dict[str, str | int]:
    amount = shown["amount"]
    return {
        "out_refund_no": shown["out_refund_no"],
        "refund_id": shown["refund_id"],
        "refund_channel": shown["channel"],
        "refund_fee": amount["refund"],
        "settlement_refund_fee": amount["settlement_refund"],
        "coupon_refund_fee": amount["discount_refund"],
        "refund_status": _STATES[shown["status"]],
        "refund_account": _SOURCES[shown["funds_account"]],
        # The name is misspelt on the wire.
        "refund_recv_accout": shown["user_received_account"],
        "refund_success_time": _spaced(shown.get("success_time", "")),
    }


def _order_amounts(amount: Mapping[str, Any]) -> dict[str, str | int]:
    return {
        "total_fee": amount["total"],
        "settlement_total_fee": amount["total"],
        "fee_type": "CNY",
        "cash_fee": amount["payer_total"],
    }


def _spaced(time: str) -> str:
    """``yyyy-MM-dd HH:mm:ss``; nothing of nothing."""
    return time[:19].replace("T", " ")
