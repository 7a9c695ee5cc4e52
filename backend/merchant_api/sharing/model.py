"""Profit sharing as merchants' programs see it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from backend.merchant_api.orders.model import time_text

_RESULTS = {"pending": "PENDING", "succeeded": "SUCCESS"}


def round_shown(
    found: Mapping[str, Any], shares: Sequence[Mapping[str, Any]], *, transaction_id: str
) -> dict[str, Any]:
    """A round, as answers tell it."""
    is_over = all(share["state"] == "succeeded" for share in shares)
    return {
        "transaction_id": transaction_id,
        "out_order_no": found["out_order_no"],
        "order_id": found["round_id"],
        "state": "FINISHED" if is_over else "PROCESSING",
        "receivers": [_share_shown(share) for share in shares],
    }


def _share_shown(share: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "amount": share["amount_minor"],
        "description": share["description"],
        "type": share["kind"],
        "account": share["account"],
        "result": _RESULTS[share["state"]],
        "create_time": time_text(share["created_at_ms"]),
        "detail_id": f"{share['round_id']}{share['number']:02d}",
    }
    if share["done_at_ms"] is not None:
        found["finish_time"] = time_text(share["done_at_ms"])
    return found


def return_shown(found: Mapping[str, Any]) -> dict[str, Any]:
    """What came back; it does at once."""
    at = time_text(found["created_at_ms"])
    return {
        "order_id": found["round_id"],
        "out_order_no": found["out_order_no"],
        "out_return_no": found["out_return_no"],
        "return_id": found["return_id"],
        "return_mchid": found["account"],
        "amount": found["amount_minor"],
        "description": found["description"],
        "result": "SUCCESS",
        "create_time": at,
        "finish_time": at,
    }


def share_news(order: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What a merchant that receives is told."""
    return {
        "mchid": order["mchid"],
        "transaction_id": order["transaction_id"],
        "order_id": told["round_id"],
        "out_order_no": told["out_order_no"],
        "receiver": {
            "type": told["kind"],
            "account": told["account"],
            "amount": told["amount_minor"],
            "description": told["description"],
        },
        "success_time": time_text(told["done_at_ms"]),
    }
