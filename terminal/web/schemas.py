"""What the control API takes and gives. Amounts are integers of minor units, never floats."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from protocol.limits import OFFLINE_TOKEN_CHARS_MAX
from protocol.money import AMOUNT_MINOR_MAX, Money
from terminal.counter.drafts import Draft
from terminal.domain.card_sale import CardSale
from terminal.domain.delivery import Delivery
from terminal.domain.mark import Mark, MarkedAs, is_contradicted
from terminal.domain.refund import Refund
from terminal.domain.sale import Sale
from terminal.domain.screen import Screen
from terminal.domain.shift import CashMovement, Report
from terminal.domain.staff import Role
from terminal.limits import (
    CASH_REASON_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    DRAFT_DIGITS_MAX,
    GOODS_CODE_CHARS_MAX,
    PIN_DIGITS_MAX,
    REASON_CHARS_MAX,
    STAFF_NAME_CHARS_MAX,
)

_Amount = Annotated[int, Field(strict=True, ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
_Id = Annotated[str, Field(min_length=1, max_length=64)]
_Digits = Annotated[str, Field(pattern=r"^[0-9]*$", max_length=DRAFT_DIGITS_MAX)]
_Pin = Annotated[str, Field(pattern=r"^[0-9]+$", max_length=PIN_DIGITS_MAX)]
_Reason = Annotated[str, Field(max_length=CASH_REASON_CHARS_MAX)]
_Count = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX)]


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SaleIn(_In):
    """A new sale. Without a method the till asks for one."""

    amount_minor: _Amount
    currency: Annotated[str, Field(min_length=3, max_length=3)] = "CNY"
    method: Literal["pay_code", "merchant_qr", "mandate", "offline_token"] | None = None
    description: Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX)] = ""
    cashier: _Id | None = None
    draft_id: _Id | None = None
    """Of the keypad: charged once, however often it is asked for."""


class ApprovalIn(_In):
    """A supervisor's signature."""

    staff_id: Annotated[int, Field(strict=True, ge=1)]
    pin: _Pin


class HireIn(_In):
    """Somebody new."""

    name: Annotated[str, Field(min_length=1, max_length=STAFF_NAME_CHARS_MAX)]
    role: Role = Role.CASHIER
    pin: _Pin
    approval: ApprovalIn | None = None


class NewPinIn(_In):
    """Another PIN for somebody."""

    pin: _Pin
    approval: ApprovalIn | None = None


class LetGoIn(_In):
    """Somebody works here no longer."""

    approval: ApprovalIn | None = None


class MethodIn(_In):
    """How the payer pays the keyed amount."""

    method: Literal["pay_code", "merchant_qr", "offline_token"]


class RefundIn(_In):
    """Money back; without an amount all that is left."""

    payment_id: _Id
    amount_minor: _Amount | None = None
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] = ""
    approval: ApprovalIn | None = None


class SubjectIn(_In):
    """A payment (or a refund)."""

    payment_id: _Id


class CodeIn(_In):
    """What a scanner that types has read."""

    code: Annotated[str, Field(min_length=1, max_length=OFFLINE_TOKEN_CHARS_MAX)]


class DraftIn(_In):
    """What is keyed in."""

    draft_id: _Id
    digits: _Digits = ""
    note: Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX)] = ""


class GivenIn(_In):
    """The notes that a payer gave, as they are keyed."""

    draft_id: _Id
    digits: _Digits = ""


class GoodsIn(_In):
    """One more of something in the cart, or one fewer."""

    draft_id: _Id
    code: Annotated[str, Field(min_length=1, max_length=GOODS_CODE_CHARS_MAX)]
    step: Literal[1, -1] = 1


class SignInIn(ApprovalIn):
    """Somebody signs in or unlocks, and chooses another PIN where ``new_pin`` is one."""

    new_pin: _Pin | None = None


class TrainingIn(_In):
    """Begin or end training."""

    is_training: bool


class CashIn(_In):
    """A cash sale. Without ``tendered_minor`` the exact amount was given."""

    draft_id: _Id
    amount_minor: _Amount
    tendered_minor: _Count | None = None
    note: Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX)] = ""


class CounterRefundIn(_In):
    """Cash or a card payment back; without an amount all that is left. The same ``refund_id`` again
    gives nothing back again."""

    refund_id: _Id
    amount_minor: _Amount | None = None
    reason: _Reason = ""
    approval: ApprovalIn | None = None


class CardIn(_In):
    """A card sale at the PIN pad."""

    draft_id: _Id
    amount_minor: _Amount
    note: Annotated[str, Field(max_length=DESCRIPTION_CHARS_MAX)] = ""


class CardMarkIn(_In):
    """What a supervisor takes an unknown outcome for, and why."""

    marked_as: MarkedAs
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
    approval: ApprovalIn | None = None


class RefundMarkIn(CardMarkIn):
    """The same for a refund: ``paid`` is *the payer has the money back*."""

    refund_id: _Id


class MarkIn(CardMarkIn):
    """The same for a payment."""

    payment_id: _Id


class ShiftOpenIn(_In):
    """Begin a shift with so much in the drawer."""

    float_minor: _Count


class MovementIn(_In):
    """Cash in or out that is no sale. Taking out needs a signature."""

    kind: Literal["pay_in", "pay_out"]
    amount_minor: _Amount
    reason: _Reason = ""
    approval: ApprovalIn | None = None


class ShiftCloseIn(_In):
    """What was counted. A signature closes over unknown outcomes."""

    counted_minor: _Count
    reason: _Reason = ""
    approval: ApprovalIn | None = None


class ItemIn(_In):
    """What a vending machine is to give out."""

    item: _Id


def screen_out(screen: Screen, revision: int) -> dict[str, Any]:
    """The screen as JSON."""
    return {"revision": revision, **asdict(screen)}


def sale_out(
    sale: Sale, refunds: list[tuple[Refund, Mark | None]], mark: Mark | None
) -> dict[str, Any]:
    """A sale as JSON, with its refunds and what supervisors took the outcomes for."""
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
        "refunds": [refund_out(*refund) for refund in refunds],
        "mark": mark_out(mark, sale.state),
    }


def mark_out(mark: Mark | None, state: str) -> dict[str, Any] | None:
    """A supervisor's word as JSON, and whether the outcome is known by now to be the other one."""
    if mark is None:
        return None
    return {
        "marked_as": mark.marked_as.value,
        "reason": mark.reason,
        "by_name": mark.by_name,
        "at_ms": mark.at_ms,
        "is_contradicted": is_contradicted(mark, state),
    }


def card_out(sale: CardSale, mark: Mark | None) -> dict[str, Any]:
    """A card sale or refund as JSON."""
    return {**asdict(sale), "left_minor": sale.left_minor, "mark": mark_out(mark, sale.state)}


def draft_out(draft: Draft) -> dict[str, Any]:
    """What is keyed in, as JSON."""
    return {
        "draft_id": draft.draft_id,
        "digits": draft.digits,
        "note": draft.note,
        "given": draft.given,
        "lines": [{**asdict(line), "amount_minor": line.amount_minor} for line in draft.cart],
    }


def movement_out(movement: CashMovement) -> dict[str, Any]:
    """Cash that moved, as JSON."""
    return {**asdict(movement), "change_minor": movement.change_minor}


def report_out(report: Report) -> dict[str, Any]:
    """X or Z as JSON. What is expected in the drawer is told only after it was counted."""
    shown: dict[str, Any] = {
        "shift": asdict(report.shift),
        "at_ms": report.at_ms,
        "currency": report.currency,
        "methods": {name: asdict(tally) for name, tally in report.by_method.items()},
        "cash": {kind.value: asdict(tally) for kind, tally in report.cash.items()},
        "cards": {kind.value: asdict(tally) for kind, tally in report.cards.items()},
        "marked": {name.value: asdict(tally) for name, tally in report.marked.items()},
        "marked_refunds": {
            name.value: asdict(tally) for name, tally in report.marked_refunds.items()
        },
        "contradicted": asdict(report.contradicted),
        "sales": asdict(report.sales),
        "refunds": asdict(report.refunded),
        "net_minor": report.net_minor,
        "unknown": asdict(report.unknown),
    }
    if report.shift.counted_minor is not None:
        shown["expected_minor"] = report.expected_minor
        shown["difference_minor"] = report.difference_minor
    return shown


def refund_out(refund: Refund, mark: Mark | None) -> dict[str, Any]:
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
        "mark": mark_out(mark, refund.state),
    }
