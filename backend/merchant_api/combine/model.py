"""Orders that are paid at once, as merchants' programs see them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.merchant_api.orders.model import openid_of, transaction

_SHOWN = ("trade_type", "trade_state", "bank_type", "attach", "success_time", "transaction_id")


@dataclass(frozen=True, slots=True)
class Combined:
    """A number with its orders and their payments, the lead first, as rows."""

    said: Mapping[str, Any]
    parts: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]


def combined_shown(combined: Combined, *, now_ms: int, openid_key: bytes) -> dict[str, Any]:
    """The object of queries and callbacks."""
    said = combined.said
    found: dict[str, Any] = {
        "combine_appid": said["appid"],
        "combine_mchid": said["mchid"],
        "combine_out_trade_no": said["out_trade_no"],
        "sub_orders": [
            _part(order, transaction(order, payment, now_ms=now_ms, openid_key=openid_key))
            for order, payment in combined.parts
        ],
    }
    if said["device_id"]:
        found["scene_info"] = {"device_id": said["device_id"]}
    _, lead = combined.parts[0]
    if lead["payer_id"] is not None and lead["paid_at_ms"] is not None:
        openid = openid_of(openid_key, said["appid"], lead["payer_id"])
        found["combine_payer_info"] = {"openid": openid}
    return found


def _part(order: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    amount = shown["amount"]
    names = {"mchid": order["mchid"], "out_trade_no": order["out_trade_no"]}
    if order["sub_mchid"]:
        names["sub_mchid"] = order["sub_mchid"]
    money = {"total_amount": amount["total"], "currency": amount["currency"]}
    if "payer_total" in amount:
        money |= {
            "payer_amount": amount["payer_total"],
            "payer_currency": amount["payer_currency"],
        }
    return names | {name: shown[name] for name in _SHOWN if name in shown} | {"amount": money}
