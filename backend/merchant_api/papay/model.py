"""Contracts as their two sides see them. Pure.

Rule 1: a contract is a mandate and what the merchant said about it; its state is the mandate's.
Rule 2: the payer signs exactly the plan's terms, for the merchant number's programs alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from backend.merchant_api.orders.model import openid_of, time_text
from protocol.messages.mandate import MandateText

SIGNED, TERMINATED = "SIGNED", "TERMINATED"
PERMISSION_FORM = "v3.permission"
"""How news of a contract is dressed that permits services (``payscore``): it lets them begin, and
nothing is debited under it but what they cost."""
_BY_EXPIRY, _BY_PAYER, _BY_MERCHANT = "1", "2", "3"
"""Who ended it, by the numbers that the older interface documents."""
_SIGN_PAGE = "https://payapp.weixin.qq.com/papay/sign"
_ROW = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ContractRows:
    """A contract with all it belongs to, as rows."""

    contract: _ROW
    plan: _ROW
    mandate: _ROW | None
    """None: its payer has not signed it."""
    termination: _ROW | None
    """The mandate's event, if it was ended."""


def sign_page(contract_id: str) -> str:
    """The page that opens a proposal in the payer's wallet."""
    return f"{_SIGN_PAGE}?{urlencode({'pre_entrustweb_id': contract_id})}"


def program_of(mchid: str) -> str:
    """The device that a merchant number's programs are to the engine."""
    return f"api-{mchid}"


def contract_text(contract: _ROW, plan: _ROW, *, payer_id: str, merchant_id: str) -> MandateText:
    """What the payer signs."""
    has_notice = plan["notice_hours"] is not None
    return MandateText(
        mandate_id=contract["contract_id"],
        payer_id=payer_id,
        merchant_id=merchant_id,
        device=program_of(contract["mchid"]),
        currency=plan["currency"],
        limit_payment_minor=plan["limit_payment_minor"],
        limit_day_minor=plan["limit_day_minor"],
        limit_month_minor=plan["limit_month_minor"],
        notice_hours=plan["notice_hours"],
        notice_above_minor=plan["notice_above_minor"] if has_notice else None,
        valid_from_ms=contract["valid_from_ms"],
        valid_until_ms=contract["valid_until_ms"],
    )


def contract_shown(rows: ContractRows, *, openid_key: bytes, now_ms: int) -> dict[str, Any]:
    """The contract object of queries and callbacks, once it is signed."""
    contract, mandate = rows.contract, rows.mandate
    assert mandate is not None, "a proposal is shown to its payer only"
    ended = _ended(contract, mandate, rows.termination, now_ms)
    found = {
        "mchid": contract["mchid"],
        "contract_id": contract["contract_id"],
        "appid": contract["appid"],
        "plan_id": contract["plan_id"],
        "out_contract_code": contract["out_contract_code"],
        "contract_display_account": contract["display_account"],
        "contract_state": TERMINATED if ended else SIGNED,
        "contract_signed_time": time_text(mandate["created_at_ms"]),
        "contract_expired_time": time_text(mandate["valid_until_ms"]),
        "openid": openid_of(openid_key, contract["appid"], contract["payer_id"]),
        "out_user_code": contract["out_user_code"],
    }
    return found | ({"contract_terminate_info": ended} if ended else {})


def payers_view(
    rows: ContractRows, *, payer_id: str, merchant: _ROW, now_ms: int
) -> dict[str, Any]:
    """A contract as its payer sees it. ``state`` is ``proposed``, ``expired`` or the mandate's;
    ``text`` is what is signed."""
    contract, mandate = rows.contract, rows.mandate
    ends_at_ms = contract["expires_at_ms" if mandate is None else "valid_until_ms"]
    state = "proposed" if mandate is None else mandate["status"]
    if now_ms >= ends_at_ms and rows.termination is None:
        state = "expired"
    merchant_id = merchant["merchant_id"]
    return {
        "contract_id": contract["contract_id"],
        "merchant_name": merchant["name"],
        "plan_name": rows.plan["name"],
        "display_account": contract["display_account"],
        "state": state,
        "expires_at_ms": ends_at_ms,
        "text": contract_text(
            contract, rows.plan, payer_id=payer_id, merchant_id=merchant_id
        ).to_map(),
    }


def _ended(
    contract: _ROW, mandate: _ROW, termination: _ROW | None, now_ms: int
) -> dict[str, str] | None:
    """How it ended; None while it stands. A suspended one stands: its debits are refused."""
    if termination is not None:
        is_payers = termination["actor"].startswith("payer:")
        return {
            "contract_termination_mode": _BY_PAYER if is_payers else _BY_MERCHANT,
            "contract_terminated_time": time_text(termination["at_ms"]),
            "contract_termination_remark": contract["termination_remark"],
        }
    if now_ms >= mandate["valid_until_ms"]:
        return {
            "contract_termination_mode": _BY_EXPIRY,
            "contract_terminated_time": time_text(mandate["valid_until_ms"]),
            "contract_termination_remark": "",
        }
    return None
