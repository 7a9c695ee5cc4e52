"""What a device asks."""

from typing import Annotated, Literal

from pydantic import Field

from protocol.messages.base import (
    AttemptIdText,
    Body,
    CurrencyText,
    MandateIdText,
    Name,
    PaymentIdText,
    PositiveMinor,
    RefundIdText,
    Text,
)

Method = Literal["pay_code", "merchant_qr", "mandate"]


class Verification(Body):
    """How the payer was verified at the device. Never a template or an image: only the verdict."""

    kind: Literal["fingerprint", "none"]
    score: Annotated[int, Field(ge=0, le=65535)] = 0
    slot: Annotated[int, Field(ge=0, le=65535)] = 0


class PaymentCreate(Body):
    """Ask for a payment and make its first attempt.

    ``pay_code``: the payer's 18 digits, scanned. ``merchant_qr``: answer with a code to show.
    ``mandate``: the device pays by itself under ``mandate_id``.
    """

    payment_id: PaymentIdText
    attempt_id: AttemptIdText
    method: Method
    amount_minor: PositiveMinor
    currency: CurrencyText
    merchant_id: Name
    description: Text = ""
    pay_code: Annotated[str, Field(pattern=r"^\d{16,24}$")] | None = None
    mandate_id: MandateIdText | None = None
    verification: Verification | None = None
    till: Name
    cashier: Name | None = None


class PaymentQuery(Body):
    """Ask how a payment stands."""

    payment_id: PaymentIdText


class PaymentClose(Body):
    """Give up a payment that nobody has paid."""

    payment_id: PaymentIdText


class PaymentReverse(Body):
    """Undo a payment whose outcome is unknown or unwanted; safe to repeat."""

    payment_id: PaymentIdText


class RefundCreate(Body):
    """Give back all or part of a captured payment."""

    refund_id: RefundIdText
    payment_id: PaymentIdText
    amount_minor: PositiveMinor
    currency: CurrencyText
    reason: Text = ""
    till: Name
    cashier: Name | None = None


class RefundQuery(Body):
    """Ask how a refund stands."""

    refund_id: RefundIdText


class DeviceHello(Body):
    """A device reports itself after start."""

    software: Name
    profile: Name
    started_at_ms: int
