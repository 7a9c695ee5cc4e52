"""What a supervisor takes an unknown outcome for, so that a shift can end.

Rule 1: a mark changes no state and moves no money: it says who took the outcome for what, and why.
Rule 2: marks are only added; the latest counts. A later signed answer stands beside it.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError
from terminal.domain.card_sale import CardState
from terminal.domain.refund import RefundState
from terminal.domain.sale import SaleState
from terminal.limits import REASON_CHARS_MAX


class MarkedAs(StrEnum):
    """What an unknown outcome is taken for; of a refund: whether the payer has the money back."""

    PAID = "paid"
    NOT_PAID = "not_paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One supervisor's word about one payment or refund. ``subject``: its number, or ``card-N``."""

    subject: str
    marked_as: MarkedAs
    reason: str
    by_name: str
    at_ms: int
    amount_minor: int


_TRUTHS: dict[str, MarkedAs] = {
    SaleState.PAID: MarkedAs.PAID,
    SaleState.DECLINED: MarkedAs.NOT_PAID,
    SaleState.CANCELLED: MarkedAs.NOT_PAID,
    CardState.APPROVED: MarkedAs.PAID,
    RefundState.SUCCEEDED: MarkedAs.PAID,
    RefundState.FAILED: MarkedAs.NOT_PAID,
}


def check_reason(reason: str) -> str:
    """The reason as it is kept; ``field_invalid`` for none, or one that is too long."""
    text = reason.strip()
    if not 0 < len(text) <= REASON_CHARS_MAX or not text.isprintable():
        raise CallerError("field_invalid", "reason")
    return text


def is_contradicted(mark: Mark, state: str) -> bool:
    """Whether the outcome is known by now, and is the other one."""
    truth = _TRUTHS.get(state)
    return truth is not None and truth is not mark.marked_as
