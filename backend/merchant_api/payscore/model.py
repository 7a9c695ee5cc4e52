"""A service order's life, and how its two sides see it. Pure.

Rule 1: only ``next_state`` says which state follows.
Rule 2: the total is what the items sum to, less the discounts, and never above the risk fund.
Rule 3: whether it is collected is said by its payment, or by the merchant who was paid elsewhere.
Rule 4: the payer signs the risk fund as a mandate of the merchant number's programs, or has signed
        a permission for all services of a kind.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backend.merchant_api.faults import INVALID_REQUEST, ApiError
from backend.merchant_api.orders.model import openid_of, time_text
from backend.merchant_api.papay.model import program_of
from protocol.messages.mandate import MandateText
from protocol.payment import PAID_STATES, WAITING_STATES, PaymentState

_ROW = Mapping[str, Any]


class ServiceState(StrEnum):
    """Where a service order is."""

    CREATED = "created"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    """The service is done; its cost is being collected, or is collected."""
    SETTLED = "settled"
    """Nothing is to be collected, or the merchant was paid elsewhere."""
    REVOKED = "revoked"


class ServiceCommand(StrEnum):
    """What may happen to it."""

    CONFIRM = "confirm"
    CANCEL = "cancel"
    COMPLETE = "complete"
    MODIFY = "modify"
    PAY = "pay"
    SETTLE = "settle"


_S, _C = ServiceState, ServiceCommand

TRANSITIONS: dict[tuple[ServiceState, ServiceCommand], ServiceState] = {
    (_S.CREATED, _C.CONFIRM): _S.CONFIRMED,
    (_S.CREATED, _C.CANCEL): _S.REVOKED,
    (_S.CONFIRMED, _C.CANCEL): _S.REVOKED,
    (_S.CONFIRMED, _C.COMPLETE): _S.COMPLETED,
    (_S.COMPLETED, _C.MODIFY): _S.COMPLETED,
    (_S.COMPLETED, _C.PAY): _S.COMPLETED,
    (_S.COMPLETED, _C.SETTLE): _S.SETTLED,
}

_SHOWN: Mapping[ServiceState, tuple[str, str]] = {
    _S.CREATED: ("CREATED", ""),
    _S.CONFIRMED: ("DOING", "USER_CONFIRM"),
    _S.COMPLETED: ("DOING", "MCH_COMPLETE"),
    _S.SETTLED: ("DONE", ""),
    _S.REVOKED: ("REVOKED", ""),
}
_AVAILABLE, _UNAVAILABLE = "AVAILABLE", "UNAVAILABLE"
_BY_US, _ELSEWHERE = "NEWTON", "MCH"
"""By which way it was collected, in the interface's words."""


@dataclass(frozen=True, slots=True)
class ServiceRows:
    """A service order with all it belongs to, as rows."""

    order: _ROW
    plan: _ROW
    paid_order: _ROW | None
    """The order of its last try to debit, with its payment."""
    payment: _ROW | None


def next_state(state: str, command: ServiceCommand) -> ServiceState:
    """The state after a command; ``INVALID_REQUEST`` where it has no place."""
    found = TRANSITIONS.get((ServiceState(state), command))
    if found is None:
        raise ApiError(INVALID_REQUEST, "服务订单当前状态不允许此操作")
    return found


def total_of(said: _ROW) -> int:
    """What the items sum to, less the discounts, in fen."""
    payments = sum(one.get("amount") or 0 for one in said.get("post_payments") or ())
    discounts = sum(one.get("amount") or 0 for one in said.get("post_discounts") or ())
    return int(payments - discounts)


def service_text(order: _ROW, plan: _ROW, *, payer_id: str, merchant_id: str) -> MandateText:
    """What the payer signs: up to the risk fund."""
    return MandateText(
        mandate_id=order["order_id"],
        payer_id=payer_id,
        merchant_id=merchant_id,
        device=program_of(order["mchid"]),
        currency=plan["currency"],
        limit_payment_minor=order["risk_minor"],
        limit_day_minor=order["risk_minor"],
        valid_from_ms=order["created_at_ms"],
        valid_until_ms=order["valid_until_ms"],
    )


def is_paid(rows: ServiceRows) -> bool:
    """Whether a try has taken its money."""
    return rows.payment is not None and PaymentState(rows.payment["state"]) in PAID_STATES


def is_open(payment: _ROW | None) -> bool:
    """Whether a try may take money yet, or has: another would be one too many."""
    if payment is None:
        return False
    return PaymentState(payment["state"]) in PAID_STATES | WAITING_STATES


def service_shown(rows: ServiceRows, *, openid_key: bytes, now_ms: int) -> dict[str, Any]:
    """The service order of answers and callbacks."""
    order = rows.order
    state, words = _state(rows, now_ms)
    found = {
        "appid": order["appid"],
        "mchid": order["mchid"],
        "out_order_no": order["out_order_no"],
        "service_id": str(order["service_id"]),
        "order_id": order["order_id"],
        "notify_url": order["notify_url"],
        "state": state,
        **json.loads(order["said"]),
    }
    if words:
        found["state_description"] = words
    if order["payer_id"] is not None:
        found["openid"] = openid_of(openid_key, order["appid"], order["payer_id"])
    if order["state"] in {_S.COMPLETED, _S.SETTLED}:
        found |= {
            "total_amount": order["total_minor"],
            "need_collection": order["total_minor"] > 0,
        }
        if order["total_minor"]:
            found["collection"] = _collection(rows)
    return found


def payers_service(
    rows: ServiceRows, *, payer_id: str, merchant: _ROW, now_ms: int
) -> dict[str, Any]:
    """A service order as its payer sees it; ``text`` is what is signed."""
    order, said = rows.order, json.loads(rows.order["said"])
    state, words = _state(rows, now_ms)
    merchant_id = merchant["merchant_id"]
    text = service_text(order, rows.plan, payer_id=payer_id, merchant_id=merchant_id)
    return {
        "order_id": order["order_id"],
        "merchant_name": merchant["name"],
        "introduction": said["service_introduction"],
        "risk_minor": order["risk_minor"],
        "total_minor": order["total_minor"],
        "state": words or state,
        "expires_at_ms": order["expires_at_ms"],
        "text": text.to_map(),
    }


def permission_shown(shown: _ROW) -> dict[str, Any]:
    """The permission object of answers and callbacks, of a contract as it is shown."""
    ended = shown.get("contract_terminate_info", {})
    found = {
        "appid": shown["appid"],
        "mchid": shown["mchid"],
        "service_id": str(shown["plan_id"]),
        "openid": shown["openid"],
        "authorization_code": shown["out_contract_code"],
        "authorization_state": _UNAVAILABLE if ended else _AVAILABLE,
        "authorization_success_time": shown["contract_signed_time"],
    }
    if ended:
        found["cancel_authorization_time"] = ended["contract_terminated_time"]
    return found


def _state(rows: ServiceRows, now_ms: int) -> tuple[str, str]:
    order = rows.order
    if order["state"] == _S.CREATED and now_ms >= order["expires_at_ms"]:
        return "EXPIRED", ""
    if is_paid(rows):
        return "DONE", ""
    return _SHOWN[ServiceState(order["state"])]


def _collection(rows: ServiceRows) -> dict[str, Any]:
    """How the money stands."""
    order, total = rows.order, rows.order["total_minor"]
    head = {"total_amount": total}
    if rows.paid_order is not None and rows.payment is not None and is_paid(rows):
        detail = {
            "seq": 1,
            "amount": total,
            "paid_type": _BY_US,
            "paid_time": time_text(rows.payment["paid_at_ms"]),
            "transaction_id": rows.paid_order["transaction_id"],
        }
    elif order["state"] == _S.SETTLED:
        paid_time = order["paid_elsewhere_at"]
        detail = {"seq": 1, "amount": total, "paid_type": _ELSEWHERE, "paid_time": paid_time}
    else:
        return head | {"state": "USER_PAYING", "paying_amount": total, "paid_amount": 0}
    paid = {"state": "USER_PAID", "paying_amount": 0, "paid_amount": total}
    return head | paid | {"details": [detail]}
