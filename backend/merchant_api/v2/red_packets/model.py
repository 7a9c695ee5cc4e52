"""Red packets as API v2 tells them. Pure."""

from collections.abc import Mapping
from typing import Any

from backend.merchant_api.orders.model import time_text
from backend.merchant_api.v2.codec import Nested
from backend.red_packets.model import RedPacketState

_STATES = {
    RedPacketState.OPEN: "SENT",
    RedPacketState.TAKEN: "RECEIVED",
    RedPacketState.RETURNED: "REFUND",
}
_GOING_BACK = "RFUND_ING"
"""Its time is over, and it is not back yet. The name is misspelt on the wire."""


def gift_status(packet: Mapping[str, Any], now_ms: int) -> str:
    """Where a packet is, in the interface's word."""
    state = RedPacketState(packet["state"])
    is_late = state is RedPacketState.OPEN and now_ms >= packet["expires_at_ms"]
    return _GOING_BACK if is_late else _STATES[state]


def gift_fields(
    said: Mapping[str, Any],
    packet: Mapping[str, Any],
    claim: Mapping[str, Any] | None,
    *,
    now_ms: int,
) -> dict[str, str | int | Nested]:
    """The answer to a query: who took it and when, or when it went back."""
    found: dict[str, str | int | Nested] = {
        "mch_billno": said["mch_billno"],
        "detail_id": said["number"],
        "status": gift_status(packet, now_ms),
        "send_type": "API",
        "hb_type": "NORMAL",
        "total_num": 1,
        "total_amount": packet["total_minor"],
        "send_time": _spaced(packet["created_at_ms"]),
        "wishing": packet["wish"],
        "remark": said["remark"],
        "act_name": said["act_name"],
    }
    if packet["state"] == RedPacketState.RETURNED:
        found |= {
            "refund_time": _spaced(packet["ended_at_ms"]),
            "refund_amount": packet["left_minor"],
        }
    if claim is not None:
        taken = {
            "openid": said["openid"],
            "amount": str(claim["amount_minor"]),
            "rcv_time": _spaced(claim["at_ms"]),
        }
        found["hblist"] = {"hbinfo": taken}
    return found


def _spaced(at_ms: int) -> str:
    """``yyyy-MM-dd HH:mm:ss``, in the shop's time."""
    return time_text(at_ms)[:19].replace("T", " ")
