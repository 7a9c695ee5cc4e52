"""The life of a refund, how much may still be given back, and out of which accounts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.coupons.model import coupon_back
from backend.ledger.rules import Sources
from backend.refunds.limits import REFUND_WITHIN_MS_MAX
from protocol.errors import CallerError
from protocol.limits import REFUNDS_PER_PAYMENT_MAX
from protocol.payment import PaymentState


class RefundState(StrEnum):
    """Where a refund is."""

    ASKED = "asked"
    """Asked for in this very transaction; never stored."""
    PROCESSING = "processing"
    """The merchant has given the money; the channel has not answered."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundStep(StrEnum):
    """What can happen to a refund."""

    SUBMIT = "submit"
    SUCCEED = "succeed"
    FAIL = "fail"


_S, _T = RefundState, RefundStep
TRANSITIONS: dict[tuple[RefundState, RefundStep], RefundState] = {
    (_S.ASKED, _T.SUBMIT): _S.PROCESSING,
    (_S.ASKED, _T.SUCCEED): _S.SUCCEEDED,
    (_S.ASKED, _T.FAIL): _S.FAILED,
    (_S.PROCESSING, _T.SUCCEED): _S.SUCCEEDED,
    (_S.PROCESSING, _T.FAIL): _S.FAILED,
}


def next_state(state: RefundState, step: RefundStep) -> RefundState:
    """The state a step leads to; ``CallerError("payment_state")`` where there is no edge."""
    found = TRANSITIONS.get((state, step))
    if found is None:
        raise CallerError("payment_state", f"{step} in {state}")
    return found


REFUNDABLE = frozenset({PaymentState.CAPTURED, PaymentState.PARTIALLY_REFUNDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refundable:
    """A payment as a refund sees it."""

    state: PaymentState
    amount_minor: int
    currency: str
    refunded_minor: int
    refunding_minor: int
    disputed_minor: int
    coupon_minor: int
    coupon_returned_minor: int
    refund_count: int
    paid_at_ms: int

    @property
    def rest_minor(self) -> int:
        """What is neither given back, nor on its way back, nor disputed."""
        gone_minor = self.refunded_minor + self.refunding_minor + self.disputed_minor
        return self.amount_minor - gone_minor

    @property
    def before_minor(self) -> int:
        """What counts as given back for the next refund."""
        return self.refunded_minor + self.refunding_minor

    def coupon_back(self, amount_minor: int) -> int:
        """Which part of a refund of this amount is the coupon's."""
        return coupon_back(
            price_minor=self.amount_minor,
            coupon_minor=self.coupon_minor,
            returned_minor=self.coupon_returned_minor,
            before_minor=self.before_minor,
            refund_minor=amount_minor,
        )

    @property
    def payers_rest_minor(self) -> int:
        """What the payer has paid, and neither has back, nor will have, nor disputes."""
        return self.rest_minor - (self.coupon_minor - self.coupon_returned_minor)


def refusal(payment: Refundable, *, amount_minor: int, currency: str, now_ms: int) -> str | None:
    """The code of the first reason why this refund cannot be; None if it can."""
    if payment.state is PaymentState.REFUNDED:
        return "refund_exceeds"
    if payment.state not in REFUNDABLE:
        return "payment_state"
    if payment.currency != currency:
        return "currency_mismatch"
    if amount_minor > payment.rest_minor:
        is_held = amount_minor <= payment.rest_minor + payment.disputed_minor
        return "payment_disputed" if is_held else "refund_exceeds"
    if amount_minor - payment.coupon_back(amount_minor) > payment.payers_rest_minor:
        return "payment_disputed"  # only then does the payer's part not fit into the rest
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
