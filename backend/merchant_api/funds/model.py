"""Merchants' balances and withdrawals as their programs see them. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from backend.clearing.model import MoveState
from backend.merchant_api.faults import ApiError, wrong_field
from backend.merchant_api.orders.model import time_text
from protocol.clock import DAY_MS

_EPOCH = date(1970, 1, 1)
_STATES: Mapping[MoveState, str] = {
    MoveState.INSTRUCTED: "CREATE_SUCCESS",
    MoveState.UNKNOWN: "CREATE_SUCCESS",
    MoveState.CONFIRMED: "SUCCESS",
    MoveState.REJECTED: "FAIL",
    MoveState.RETURNED: "REFUND",
    MoveState.RELEASED: "REFUND",
}


def day_end_ms(day: date, today: date, offset_ms: int) -> int:
    """The last moment of a day that is over; ``PARAM_ERROR`` for any other."""
    if day >= today:
        raise not_over()
    return ((day - _EPOCH).days + 1) * DAY_MS - offset_ms - 1


def not_over() -> ApiError:
    """The day has no end yet."""
    return wrong_field("/date", "仅支持今天以前的日期", location="query")


def withdrawal(said: Mapping[str, Any], payout: Mapping[str, Any]) -> dict[str, Any]:
    """How a withdrawal stands. The account is the merchant's, as people may see it."""
    state = _STATES[MoveState(payout["state"])]
    found = {
        "status": state,
        "withdraw_id": payout["payout_id"],
        "out_request_no": said["out_request_no"],
        "amount": payout["amount_minor"],
        "create_time": time_text(said["created_at_ms"]),
        "update_time": time_text(payout["updated_at_ms"]),
        "account_type": "BASIC",
        "account_number": payout["account_no"][-4:],
        "account_bank": payout["account_bank"],
        "remark": said["remark"],
        "bank_memo": said["bank_memo"],
    }
    return found | ({"reason": payout["reason"]} if state in {"FAIL", "REFUND"} else {})
