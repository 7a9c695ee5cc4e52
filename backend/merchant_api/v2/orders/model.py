"""Orders as API v2 tells them. Pure."""

from collections.abc import Mapping
from typing import Any

_TRADE_TYPES = {"AUTH": "PAP"}
"""What the two interfaces call otherwise: a debit under a contract."""


def compact_time(text: str) -> str:
    """``yyyyMMddHHmmss`` of the newer interface's time, which is the shop's."""
    return "".join(letter for letter in text[:19] if letter.isdecimal())


def expanded_time(text: str) -> str:
    """The newer interface's time of ``yyyyMMddHHmmss``."""
    day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    return f"{day}T{text[8:10]}:{text[10:12]}:{text[12:14]}+08:00"


def order_fields(shown: Mapping[str, Any]) -> dict[str, str | int]:
    """The fields of a query's answer, of a transaction as API v3 shows it: more than its number
    only when it is paid."""
    found: dict[str, str | int] = {
        "out_trade_no": shown["out_trade_no"],
        "attach": shown["attach"],
        "trade_state": shown["trade_state"],
        "trade_state_desc": shown["trade_state_desc"],
        "device_info": shown.get("scene_info", {}).get("device_id", ""),
    }
    return found | paid_fields(shown) if "transaction_id" in shown else found


def paid_fields(shown: Mapping[str, Any]) -> dict[str, str | int]:
    """What is told of a paid order: of a coupon, how much of the sum it bore."""
    amount = shown["amount"]
    payer = shown["payer"]
    found: dict[str, str | int] = {
        "openid": payer.get("openid") or payer["sp_openid"],
        "sub_openid": payer.get("sub_openid", ""),
        "is_subscribe": "N",
        "trade_type": _TRADE_TYPES.get(shown["trade_type"], shown["trade_type"]),
        "bank_type": shown["bank_type"],
        "total_fee": amount["total"],
        "settlement_total_fee": amount["total"],
        "fee_type": amount["currency"],
        "cash_fee": amount["payer_total"],
        "cash_fee_type": amount["payer_currency"],
        "transaction_id": shown["transaction_id"],
        "out_trade_no": shown["out_trade_no"],
        "attach": shown["attach"],
        "time_end": compact_time(shown["success_time"]),
        "device_info": shown.get("scene_info", {}).get("device_id", ""),
    }
    coupons = shown["promotion_detail"]
    if coupons:
        found |= {
            "coupon_fee": sum(coupon["amount"] for coupon in coupons),
            "coupon_count": len(coupons),
        }
    for place, coupon in enumerate(coupons):
        found |= {
            f"coupon_type_{place}": coupon["type"],
            f"coupon_id_{place}": coupon["coupon_id"],
            f"coupon_fee_{place}": coupon["amount"],
        }
    return found
