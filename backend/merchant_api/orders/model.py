"""Orders as merchants' programs see them. Pure.

Rule 1: an order is a payment and what the merchant said about it; its state is the payment's.
Rule 2: the platform's number of an order is made of its payment's id, so it is never two.
Rule 3: a payer is shown to a merchant under a name of that merchant's app only.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from protocol.clock import CHINA
from protocol.payment import PaymentState

_DIGITS = 15
_H5_PAGE = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb"
_S = PaymentState
_STATES: Mapping[PaymentState, tuple[str, str]] = {
    _S.CREATED: ("NOTPAY", "订单未支付"),
    _S.AWAITING_PAYER: ("NOTPAY", "订单未支付"),
    _S.PROCESSING: ("USERPAYING", "用户支付中"),
    _S.UNKNOWN: ("USERPAYING", "用户支付中"),
    _S.CAPTURED: ("SUCCESS", "支付成功"),
    _S.PARTIALLY_REFUNDED: ("REFUND", "转入退款"),
    _S.REFUNDED: ("REFUND", "转入退款"),
    _S.DECLINED: ("PAYERROR", "支付失败"),
    _S.CLOSED: ("CLOSED", "订单已关闭"),
    _S.EXPIRED: ("CLOSED", "订单已关闭"),
    _S.REVERSED: ("REVOKED", "已撤销"),
}
_BY_CODE: Mapping[PaymentState, tuple[str, str]] = {
    _S.AWAITING_PAYER: ("USERPAYING", "需要用户输入支付密码"),
    _S.EXPIRED: ("PAYERROR", "支付失败，用户未输入支付密码"),
}
_PAID = frozenset({"SUCCESS", "REFUND"})


def transaction_number(head: str, subject_id: str, at_ms: int) -> str:
    """The platform's number: a head, five digits, the date, ten digits."""
    digest = hashlib.sha256(subject_id.encode()).digest()
    digits = str(int.from_bytes(digest[:8], "big") % 10**_DIGITS).rjust(_DIGITS, "0")
    day = datetime.fromtimestamp(at_ms / 1000, CHINA).strftime("%Y%m%d")
    return f"{head}{digits[:5]}{day}{digits[5:]}"


def time_text(at_ms: int) -> str:
    """A moment as the interface writes it, in the shop's time."""
    return datetime.fromtimestamp(at_ms // 1000, CHINA).isoformat()


def read_time(text: str) -> int | None:
    """The moment of an RFC 3339 text, ms; None for any other text, and for a moment that
    ``time_text`` could not write."""
    try:
        found = datetime.fromisoformat(text)
        return None if found.tzinfo is None else int(found.astimezone(CHINA).timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


def prepay_id(payment_id: str, created_at_ms: int) -> str:
    """``wx``, the date and the id's 26 characters: what opens the payment in the payer's app."""
    day = datetime.fromtimestamp(created_at_ms / 1000, CHINA).strftime("%Y%m%d")
    return f"wx{day}{payment_id.partition('_')[2]}"


def h5_url(prepay: str, payment_id: str) -> str:
    """The page that opens the payment in the payer's app."""
    return f"{_H5_PAGE}?{urlencode({'prepay_id': prepay, 'package': payment_id})}"


def openid_of(key: bytes, appid: str, payer_id: str) -> str:
    """A payer's name to one app: 28 characters that say nothing to another."""
    digest = hmac.digest(key, f"{appid}\n{payer_id}".encode(), hashlib.sha256)
    return "o" + base64.urlsafe_b64encode(digest).decode("ascii")[:27]


def trade_state(payment: Mapping[str, Any], now_ms: int) -> tuple[str, str]:
    """The state that the interface names, and its words."""
    state = PaymentState(payment["state"])
    if state is _S.AWAITING_PAYER and now_ms >= payment["code_expires_at_ms"]:
        state = _S.EXPIRED
    if payment["method"] == "pay_code" and state in _BY_CODE:
        return _BY_CODE[state]
    if state is _S.CAPTURED and payment["refunding_minor"]:
        state = _S.PARTIALLY_REFUNDED
    return _STATES[state]


def transaction(
    order: Mapping[str, Any], payment: Mapping[str, Any], *, now_ms: int, openid_key: bytes
) -> dict[str, Any]:
    """The transaction object of queries and callbacks."""
    state, words = trade_state(payment, now_ms)
    total, coupon = payment["amount_minor"], payment["coupon_minor"]
    found: dict[str, Any] = {
        **order_names(order),
        "out_trade_no": order["out_trade_no"],
        "trade_state": state,
        "trade_state_desc": words,
        "trade_type": order["trade_type"],
        "attach": order["attach"],
        "amount": {"total": total, "currency": payment["currency"]},
        "promotion_detail": [],
    }
    if order["device_id"]:
        found["scene_info"] = {"device_id": order["device_id"]}
    if state not in _PAID:
        return found
    found |= {
        "transaction_id": order["transaction_id"],
        "bank_type": "OTHERS",
        "success_time": time_text(payment["paid_at_ms"]),
        "payer": _payer(order, payment["payer_id"], openid_key),
        "promotion_detail": _promotions(payment),
    }
    found["amount"] |= {"payer_total": total - coupon, "payer_currency": payment["currency"]}
    return found


def order_names(order: Mapping[str, Any]) -> dict[str, str]:
    """Who asks, and for whom, in the names of the caller's mode."""
    if not order["sub_mchid"]:
        return {"appid": order["appid"], "mchid": order["mchid"]}
    found = {
        "sp_appid": order["appid"],
        "sp_mchid": order["mchid"],
        "sub_mchid": order["sub_mchid"],
    }
    return found | ({"sub_appid": order["sub_appid"]} if order["sub_appid"] else {})


def _payer(order: Mapping[str, Any], payer_id: str, openid_key: bytes) -> dict[str, str]:
    openid = openid_of(openid_key, order["appid"], payer_id)
    if not order["sub_mchid"]:
        return {"openid": openid}
    if not order["sub_appid"]:
        return {"sp_openid": openid}
    sub_openid = openid_of(openid_key, order["sub_appid"], payer_id)
    return {"sp_openid": openid, "sub_openid": sub_openid}


def _promotions(payment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A coupon is money to the merchant, so of the type that is settled, whoever pays for it: we,
    or the merchant, which had set it aside."""
    if not payment["coupon_minor"]:
        return []
    found = {
        "coupon_id": payment["coupon_id"],
        "scope": "GLOBAL",
        "type": "CASH",
        "amount": payment["coupon_minor"],
        "wechatpay_contribute": payment["coupon_minor"],
        "merchant_contribute": 0,
        "other_contribute": 0,
        "currency": payment["currency"],
    }
    if payment["coupon_stock_id"] is None:
        return [found]
    return [
        found
        | {
            "stock_id": payment["coupon_stock_id"],
            "wechatpay_contribute": 0,
            "merchant_contribute": payment["coupon_minor"],
        }
    ]
