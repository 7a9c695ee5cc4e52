"""How much may still be given back, and out of which accounts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.ledger.rules import Sources
from backend.refunds.limits import REFUND_WITHIN_MS_MAX
from protocol.limits import REFUNDS_PER_PAYMENT_MAX
from protocol.payment import PaymentState

REFUNDABLE = frozenset({PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refundable:
    """A payment as a refund sees it."""

    state: PaymentState
    amount_minor: int
    currency: str
    refunded_minor: int
    refund_count: int
    paid_at_ms: int

    @property
    def rest_minor(self) -> int:
        """What has not been given back yet."""
        return self.amount_minor - self.refunded_minor


def refusal(payment: Refundable, *, amount_minor: int, currency: str, now_ms: int) -> str | None:
    """The code of the first reason why this refund cannot be; None if it can."""
    if payment.state is PaymentState.REFUNDED:
        return "refund_exceeds"
    if payment.state not in REFUNDABLE:
        return "payment_state"
    if payment.currency != currency:
        return "currency_mismatch"
    if amount_minor > payment.rest_minor:
        return "refund_exceeds"
    if payment.refund_count >= REFUNDS_PER_PAYMENT_MAX:
        return "refund_count_exceeded"
    if now_ms - payment.paid_at_ms > REFUND_WITHIN_MS_MAX:
        return "refund_too_late"
    return None


def drawn(
    accounts: Sequence[tuple[str, int]], *, amount_minor: int, fee_back_minor: int
) -> Sources:
    """Split a refund over accounts and what is available in each, in their order; empty if they do
    not hold enough. The returned fee goes to the first account drawn from, and covers, too."""
    sources = []
    left, extra = amount_minor, fee_back_minor
    for account, available in [one for one in accounts if one[1] > 0] or accounts[:1]:
        part = min(left, available + extra)
        extra = 0
        left -= part
        if part:
            sources.append((account, part))
    return sources if left == 0 else []
