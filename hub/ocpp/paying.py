"""What a charge asks of the backend, and what the answer makes of the charge. Pure.

Rule 1: a debit is one ``payment.create`` with one id and one body; it is said again, in a new
        envelope, until the backend has answered it, and asked after by ``payment.query`` then.
Rule 2: what was paid ahead is captured before the charger begins; the rest goes back by one
        ``refund.create``.
Rule 3: only the backend's word moves a charge; a refusal by the hub or a silence moves nothing.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from hub.ocpp.model import MS_PER_MINUTE, WH_PER_KWH, Charge, ChargeState, ChargeStep
from protocol.messages import (
    ExplainedLine,
    Explanation,
    PaymentCreate,
    PaymentResult,
    Reading,
    RefundCreate,
    RefundResult,
)
from protocol.money import Money
from protocol.payment import PAID_STATES, PaymentState

CREATE, QUERY, CLOSE = "payment.create", "payment.query", "payment.close"
REFUND, REFUND_QUERY = "refund.create", "refund.query"
_ENDED_UNPAID = frozenset(
    {PaymentState.DECLINED, PaymentState.CLOSED, PaymentState.EXPIRED, PaymentState.REVERSED}
)
_S, _T = ChargeState, ChargeStep


@dataclass(frozen=True, slots=True)
class Asking:
    """What is to be asked next. ``is_once``: under one request id, until it is answered."""

    message_type: str
    is_once: bool = False


def next_asking(charge: Charge, answered: frozenset[str], *, is_wanted: bool) -> Asking | None:
    """What to ask about a charge, or None. ``answered`` are the once-only requests that have their
    answer; ``is_wanted`` says whether a cable still waits where a code is offered."""
    if charge.state is _S.OFFERED:
        if CREATE not in answered:
            return Asking(CREATE, is_once=True)
        return Asking(QUERY if is_wanted else CLOSE)
    if charge.state is _S.OWED and charge.prepaid_minor:
        if REFUND not in answered:
            return Asking(REFUND, is_once=True)
        return Asking(REFUND_QUERY)
    if charge.state is _S.OWED:
        return Asking(QUERY) if CREATE in answered else Asking(CREATE, is_once=True)
    return Asking(QUERY) if charge.state is _S.ASKED else None


def first_request(
    charge: Charge, *, attempt_id: str, merchant_id: str
) -> tuple[str, PaymentCreate | RefundCreate]:
    """What a charge's state asks for, once: the type and the body."""
    if charge.state is _S.OWED and charge.prepaid_minor:
        return REFUND, refund_body(charge)
    return CREATE, create_body(charge, attempt_id=attempt_id, merchant_id=merchant_id)


def create_body(charge: Charge, *, attempt_id: str, merchant_id: str) -> PaymentCreate:
    """The debit under the mandate, or the code for an amount paid ahead."""
    is_ahead = bool(charge.prepaid_minor)
    connector = charge.connector
    return PaymentCreate(
        payment_id=charge.payment_id,
        attempt_id=attempt_id,
        method="merchant_qr" if is_ahead else "mandate",
        amount_minor=charge.prepaid_minor or charge.amount_minor,
        currency=charge.currency,
        merchant_id=merchant_id,
        description=f"{connector} 号枪充电 EV charging, connector {connector}",
        mandate_id=charge.mandate_id,
        till=charge.charger,
        explanation=None if is_ahead else explain(charge),
    )


def refund_body(charge: Charge) -> RefundCreate:
    """The rest of what was paid ahead."""
    assert charge.refund_id is not None
    ahead, used = (
        Money(minor, charge.currency) for minor in (charge.prepaid_minor, charge.amount_minor)
    )
    return RefundCreate(
        refund_id=charge.refund_id,
        payment_id=charge.payment_id,
        amount_minor=charge.prepaid_minor - charge.amount_minor,
        currency=charge.currency,
        reason=f"预付 {ahead}，实用 {used} Paid ahead {ahead}, used {used}",
        till=charge.charger,
    )


def explain(charge: Charge) -> Explanation:
    """The readings and prices that the amount came of."""
    lines = [
        ExplainedLine(
            what="energy",
            quantity=charge.energy_wh,
            unit="Wh",
            price_minor=charge.per_kwh_minor,
            per=WH_PER_KWH,
            amount_minor=charge.energy_minor,
        )
    ]
    if charge.per_minute_minor:
        lines.append(
            ExplainedLine(
                what="time",
                quantity=charge.duration_ms,
                unit="ms",
                price_minor=charge.per_minute_minor,
                per=MS_PER_MINUTE,
                amount_minor=charge.time_minor,
            )
        )
    start_wh = charge.last_wh if charge.start_wh is None else charge.start_wh
    shown = ((start_wh, charge.began_at_ms), (charge.last_wh, charge.ended_at_ms))
    return Explanation(
        thing="charge",
        reason=charge.end_reason,
        began_at_ms=charge.began_at_ms,
        ended_at_ms=charge.ended_at_ms,
        readings=[Reading(what="meter", value=wh, unit="Wh", at_ms=at) for wh, at in shown],
        lines=lines,
        cap_minor=charge.amount_minor if charge.amount_minor < charge.cost_minor else None,
    )


def after_end(charge: Charge) -> Charge:
    """A charge that has just ended: what needs no payment and no refund is settled at once."""
    if charge.prepaid_minor:
        is_used_up = charge.amount_minor == charge.prepaid_minor
        return charge.move(_T.PAY) if is_used_up else charge
    if charge.state is _S.REFUSED:
        return charge.move(_T.REFUSE) if charge.energy_wh else replace(charge, amount_minor=0)
    if charge.amount_minor == 0:
        return charge.move(_T.WAIVE)
    if charge.mandate_id is None:
        return charge.move(_T.REFUSE, error_code="payer_unknown")
    return charge


def after_payment(charge: Charge, result: PaymentResult) -> Charge:
    """What the backend says of the charge's payment; the same charge where that is no news."""
    state = result.payment_state
    if charge.state is _S.OFFERED:
        if state in PAID_STATES:
            return charge.move(_T.FUND)
        if state in _ENDED_UNPAID:
            return charge.move(_T.DROP, error_code=_code(result))
        return replace(charge, code_url=result.code_url or charge.code_url)
    if charge.prepaid_minor or charge.state not in {_S.OWED, _S.ASKED}:
        return charge
    if state in PAID_STATES:
        return charge.move(_T.PAY)
    if state in _ENDED_UNPAID:
        return charge.move(_T.REFUSE, error_code=_code(result))
    if state is PaymentState.AWAITING_PAYER and charge.state is _S.OWED:
        return charge.move(_T.ASK)
    return charge


def has_run_out(before: Charge, after: Charge) -> bool:
    """Whether this step dropped a code because it expired, so that another may be offered."""
    was_offered = before.state is _S.OFFERED and after.state is _S.DROPPED
    return was_offered and after.error_code == f"payment_{PaymentState.EXPIRED}"


def after_refund(charge: Charge, result: RefundResult) -> Charge:
    """What the backend says of the rest that goes back."""
    if charge.state is not _S.OWED or result.state == "processing":
        return charge
    if result.state == "succeeded":
        return charge.move(_T.PAY)
    code = result.error.code if result.error else "refund_failed"
    return charge.move(_T.REFUSE, error_code=code)


def shown(charge: Charge) -> dict[str, Any]:
    """A charge as the status port and a charger's display show it; the tag stays out."""
    return {
        "payment_id": charge.payment_id,
        "charger": charge.charger,
        "connector": charge.connector,
        "state": charge.state.value,
        "energy_wh": charge.energy_wh,
        "cost_minor": charge.amount_minor if charge.ended_at_ms else charge.cost_minor,
        "limit_minor": charge.limit_minor,
        "currency": charge.currency,
        "per_kwh_minor": charge.per_kwh_minor,
        "per_minute_minor": charge.per_minute_minor,
        "prepaid_minor": charge.prepaid_minor,
        "code_url": charge.code_url if charge.state is _S.OFFERED else "",
        "reason": charge.end_reason or charge.stop_reason,
        "error_code": charge.error_code,
    }


def shown_text(charge: Charge) -> str:
    """The same as one line of JSON, for a charger's display."""
    return json.dumps(shown(charge), separators=(",", ":"))


def _code(result: PaymentResult) -> str:
    return result.error.code if result.error else f"payment_{result.state}"
