"""Contracts as API v2 tells them, of contracts as API v3 shows them. Pure."""

from collections.abc import Mapping
from typing import Any

_STANDS, _ENDED = 0, 1
_TERMINATED = "TERMINATED"


def contract_fields(shown: Mapping[str, Any]) -> dict[str, str | int]:
    """The answer to a query."""
    is_over = shown["contract_state"] == _TERMINATED
    found: dict[str, str | int] = {
        **contract_names(shown),
        "openid": shown["openid"],
        "contract_display_account": shown["contract_display_account"],
        "contract_state": _ENDED if is_over else _STANDS,
        "contract_signed_time": _spaced(shown["contract_signed_time"]),
        "contract_expired_time": _spaced(shown["contract_expired_time"]),
    }
    ended = shown.get("contract_terminate_info", {})
    if ended:
        found |= {
            "contract_terminated_time": _spaced(ended["contract_terminated_time"]),
            "contract_termination_mode": ended["contract_termination_mode"],
            "contract_termination_remark": ended.get("contract_termination_remark", ""),
        }
    return found


def contract_names(shown: Mapping[str, Any]) -> dict[str, str | int]:
    """What a contract is known by."""
    return {
        "contract_id": shown["contract_id"],
        "plan_id": shown["plan_id"],
        "contract_code": shown["out_contract_code"],
    }


def contract_news(shown: Mapping[str, Any], *, is_end: bool) -> dict[str, str | int]:
    """What a notice tells of a contract that has begun, or ended."""
    found = contract_names(shown) | {"openid": shown["openid"]}
    ended = shown.get("contract_terminate_info", {})
    if not is_end or not ended:
        return found | {
            "change_type": "ADD",
            "operate_time": _spaced(shown["contract_signed_time"]),
            "contract_expired_time": _spaced(shown["contract_expired_time"]),
        }
    return found | {
        "change_type": "DELETE",
        "operate_time": _spaced(ended["contract_terminated_time"]),
        "contract_termination_mode": ended["contract_termination_mode"],
    }


def _spaced(time: str) -> str:
    """``yyyy-MM-dd HH:mm:ss``."""
    return time[:19].replace("T", " ")
