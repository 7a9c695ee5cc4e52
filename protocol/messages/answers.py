"""What the backend (or, for its own refusals, the hub) answers."""

from typing import Literal

from protocol.advice import Retry
from protocol.errors import TillwayError
from protocol.messages.base import (
    Body,
    CurrencyText,
    MandateIdText,
    Minor,
    Name,
    PaymentIdText,
    PositiveMinor,
    RefundIdText,
    Text,
)
from protocol.payment import PaymentState

PAYMENT_STATE = Literal[
    "created",
    "awaiting_payer",
    "processing",
    "unknown",
    "captured",
    "partially_refunded",
    "refunded",
    "declined",
    "closed",
    "expired",
    "reversed",
]


class ErrorBody(Body):
    """An error as a program and a person read it."""

    code: Name
    retry: Retry
    zh: Text
    en: Text

    @classmethod
    def of(cls, error: TillwayError) -> "ErrorBody":
        """The wire form of an error."""
        return cls(**error.to_wire())  # type: ignore[arg-type]  # the retry literal comes from the catalogue


class PaymentResult(Body):
    """How a payment stands.

    A payment reversed before it arrived is known by its id only: amount 0, method ``unknown``.
    """

    payment_id: PaymentIdText
    state: PAYMENT_STATE
    amount_minor: Minor
    currency: CurrencyText
    method: Name
    refunded_minor: Minor = 0
    payer_masked: Name | None = None
    code_url: Text | None = None
    code_expires_at_ms: int | None = None
    paid_at_ms: int | None = None
    coupon_minor: Minor = 0
    """The part of a paid amount that a coupon paid, not the payer."""
    error: ErrorBody | None = None

    @property
    def payment_state(self) -> PaymentState:
        """The state as the enum that the table knows."""
        return PaymentState(self.state)


class RefundResult(Body):
    """How a refund stands."""

    refund_id: RefundIdText
    payment_id: PaymentIdText
    state: Literal["succeeded", "failed", "processing"]
    amount_minor: PositiveMinor
    currency: CurrencyText
    error: ErrorBody | None = None


class Refusal(Body):
    """A request that was not carried out, and why. It says nothing about an earlier request."""

    error: ErrorBody


class MandateStanding(Body):
    """What a mandate allows its device now. ``room_minor`` is the most that one payment may take
    at this moment, by every limit; 0 for a mandate that pays nothing."""

    mandate_id: MandateIdText
    is_active: bool
    currency: CurrencyText
    room_minor: Minor
    valid_until_ms: int


class MandateChanged(Body):
    """A mandate of this device was stopped or goes on. What it allows now is asked: this word may
    come late, or twice."""

    mandate_id: MandateIdText


class Pong(Body):
    """The answer to a hello: the answerer's clock, so that a device can tell its own error."""

    now_ms: int
