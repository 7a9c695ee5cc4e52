"""What a device asks."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from protocol import cbor
from protocol.limits import (
    FINGERPRINT_ATTRIBUTES_MAX,
    FINGERPRINT_DIGEST_BYTES,
    FINGERPRINT_ITEMS_MAX,
    OFFLINE_TOKEN_CHARS_MAX,
    TEXT_CHARS_MAX,
)
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
from protocol.messages.explanation import Explanation

Method = Literal["pay_code", "merchant_qr", "mandate", "offline_token"]


class Verification(Body):
    """How the payer was verified at the device. Never a template or an image: only the verdict."""

    kind: Literal["fingerprint", "none"]
    score: Annotated[int, Field(ge=0, le=65535)] = 0
    slot: Annotated[int, Field(ge=0, le=65535)] = 0


class PaymentCreate(Body):
    """Ask for a payment and make its first attempt.

    ``pay_code``: the payer's 18 digits, scanned. ``merchant_qr``: answer with a code to show.
    ``mandate``: the device pays by itself under ``mandate_id``. ``offline_token``: the device has
    accepted the payer's token at ``accepted_at_ms``, while nobody could be asked.
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
    offline_token: Annotated[str, Field(max_length=OFFLINE_TOKEN_CHARS_MAX)] | None = None
    accepted_at_ms: Annotated[int, Field(ge=0)] | None = None
    verification: Verification | None = None
    till: Name
    cashier: Name | None = None
    explanation: Explanation | None = None
    """What a thing that pays by itself says of the amount."""


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


FingerprintText = Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
FingerprintSet = Annotated[list[FingerprintText], Field(max_length=FINGERPRINT_ITEMS_MAX)]
FingerprintCurve = Annotated[list[int], Field(max_length=FINGERPRINT_ITEMS_MAX)]
FingerprintValue = FingerprintText | int | FingerprintSet | FingerprintCurve | None


class DeviceFingerprint(Body):
    """What a device is made of: its attributes by name, ``None`` for what it could not read.

    Sent once after each start of the line, then when something that stands still has changed and
    every few hours. Requests carry its digest only: 16 bytes that bind each to what was judged,
    where the reading itself would cost some kilobytes each time. A measured value is an integer of
    a small unit that its name states. Each reading is sent as one request only: the same measured
    values in another one are a replay.
    """

    attrs: Annotated[dict[Name, FingerprintValue], Field(max_length=FINGERPRINT_ATTRIBUTES_MAX)]

    @property
    def digest(self) -> bytes:
        """What later requests are bound to."""
        encoded = cbor.encode(dict(self.attrs))
        return hashlib.sha256(encoded).digest()[:FINGERPRINT_DIGEST_BYTES]


class MandateQuery(Body):
    """Ask what a mandate still allows this device."""

    mandate_id: MandateIdText


class DeviceHello(Body):
    """A device reports itself after start."""

    software: Name
    profile: Name
    started_at_ms: int
