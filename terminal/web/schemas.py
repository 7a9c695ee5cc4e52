"""What the control API takes and gives. Amounts are integers of minor units, never floats."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from protocol.money import AMOUNT_MINOR_MAX, Money
from terminal.domain.delivery import Delivery
from terminal.domain.refund import Refund
from terminal.domain.sale import Sale
from terminal.domain.screen import Screen
from terminal.limits import DESCRIPTION_CHARS_MAX, REASON_CHARS_MAX

_Amount = Annotated[int, Field(strict=True, ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SaleIn(_In):
    """A new sale. Without a method the till asks for one."""

    amount_minor: _Amount
    currency: Annotated[str, Field(min_length=3, max_length=3)] = "CNY"
    method: Literal["pay_code", "merchant_qr", "mandate"] | None = None
    description: Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX)] = ""
    cashier: _Id | None = None


class MethodIn(_In):
    """How the payer pays the keyed amount."""

    method: Literal["pay_code", "merchant_qr"]


class RefundIn(_In):
    """Money back; without an amount all that is left."""

    payment_id: _Id
    amount_minor: _Amount | None = None
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] = ""


class SubjectIn(_In):
    """A payment (or a refund)."""

    payment_id: _Id


class ItemIn(_In):
    """What a vending machine is to give out."""

    item: _Id


def screen_out(screen: Screen, revision: int) -> dict[str, Any]:
    """The screen as JSON."""
    return {"revision": revision, **asdict(screen)}


def sale_out(sale: Sale, refunds: list[Refund]) -> dict[str, Any]:
    """A sale as JSON."""
    return {
        "payment_id": sale.payment_id,
        "attempt_id": sale.attempt_id,
        "state": sale.state.value,
        "ended_as": sale.ended_as,
        "method": sale.method,
        "amount_minor": sale.amount_minor,
        "amount": Money(sale.amount_minor, sale.currency).decimal(),
        "currency": sale.currency,
        "refunded_minor": sale.refunded_minor,
        "coupon_minor": sale.coupon_minor,
        "error_code": sale.error_code,
        "payer_masked": sale.payer_masked,
        "created_at_ms": sale.created_at_ms,
        "sent_at_ms": sale.sent_at_ms,
        "settled_at_ms": sale.settled_at_ms,
        "paid_at_ms": sale.paid_at_ms,
        "is_recovered": sale.is_recovered,
        "delivery": sale.delivery.value,
        "is_dispensed": sale.delivery is Delivery.GIVEN,
        "item": sale.item,
        "description": sale.description,
        "refunds": [refund_out(refund) for refund in refunds],
    }


def refund_out(refund: Refund) -> dict[str, Any]:
    """A refund as JSON."""
    return {
        "refund_id": refund.refund_id,
        "payment_id": refund.payment_id,
        "state": refund.state.value,
        "amount_minor": refund.amount_minor,
        "currency": refund.currency,
        "reason": refund.reason,
        "error_code": refund.error_code,
        "is_recovered": refund.is_recovered,
    }
