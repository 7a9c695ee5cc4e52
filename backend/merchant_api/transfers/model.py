"""Transfers as merchants' programs see them. Pure."""

from collections.abc import Mapping
from typing import Any

from backend.merchant_api.orders.model import time_text
from backend.merchant_transfers.model import TransferState

_STATES = {
    TransferState.WAITING: "WAIT_USER_CONFIRM",
    TransferState.SUCCEEDED: "SUCCESS",
    TransferState.CANCELLED: "CANCELLED",
    TransferState.FAILED: "FAIL",
}


def accepted(said: Mapping[str, Any], transfer: Mapping[str, Any]) -> dict[str, str]:
    """What the call that makes one answers; ``package_info`` opens it in the receiver's wallet."""
    found = _names(said) | {
        "create_time": time_text(transfer["created_at_ms"]),
        "state": _STATES[TransferState(transfer["state"])],
    }
    if transfer["state"] == TransferState.WAITING:
        found["package_info"] = transfer["transfer_id"]
    return found | _why(transfer)


def given_up(said: Mapping[str, Any], transfer: Mapping[str, Any]) -> dict[str, str]:
    """What the call that gives one up answers."""
    return _names(said) | {
        "state": _STATES[TransferState(transfer["state"])],
        "update_time": time_text(transfer["updated_at_ms"]),
    }


def transfer_shown(said: Mapping[str, Any], transfer: Mapping[str, Any]) -> dict[str, Any]:
    """The transfer of queries; callbacks say the same."""
    return {
        "mch_id": said["mchid"],
        **_names(said),
        "appid": said["appid"],
        "openid": said["openid"],
        "state": _STATES[TransferState(transfer["state"])],
        "transfer_amount": transfer["amount_minor"],
        "transfer_remark": transfer["remark"],
        "create_time": time_text(transfer["created_at_ms"]),
        "update_time": time_text(transfer["updated_at_ms"]),
        **_why(transfer),
    }


def _names(said: Mapping[str, Any]) -> dict[str, str]:
    return {"out_bill_no": said["out_bill_no"], "transfer_bill_no": said["number"]}


def _why(transfer: Mapping[str, Any]) -> dict[str, str]:
    return {"fail_reason": transfer["reason"]} if transfer["reason"] else {}
