"""What wallets and operators send about payers. Wrong fields are named, never echoed."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from backend.passkeys.schemas import ByWord, PinText, Word
from backend.risk.lists.limits import REASON_CHARS_MAX
from backend.wallet.limits import (
    CONSENT_BYTES_MAX,
    NAME_CHARS_MAX,
    PIN_FREE_MINOR_MAX,
    QR_TEXT_CHARS_MAX,
)
from backend.wallet.switches import Switch
from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.base import AttemptIdText, CouponIdText, CurrencyText, PaymentIdText
from protocol.money import AMOUNT_MINOR_MAX

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
_Amount = Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
_Consent = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * CONSENT_BYTES_MAX)]


class NewPayer(Wanted):
    """``POST /operator/v1/payers``. ``key_public`` is hex; the wallet keeps the private key."""

    payer_id: _Id
    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    pin: PinText
    key_suite: Literal["SM2-SM3", "ES256", "Ed25519"]
    key_public: Annotated[str, Field(pattern=r"^([0-9a-f]{2}){32,65}$")]


class PayerStatus(Wanted):
    """``POST /operator/v1/payers/{payer_id}/status``."""

    status: Literal["active", "frozen"]


class Block(Wanted):
    """``POST /operator/v1/payers/{payer_id}/block``. ``until_ms`` 0: until taken off."""

    is_on: bool
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARS_MAX)]
    until_ms: Annotated[int, Field(ge=0)] = 0


class PinFreeLimit(ByWord):
    """``POST /wallet/v1/pin-free``. ``limit_minor`` null: the wallet's own limit; 0: always ask."""

    KIND: ClassVar[str] = "pin_free"
    AMOUNT: ClassVar[str] = ""
    limit_minor: Annotated[int, Field(ge=0, le=PIN_FREE_MINOR_MAX)] | None
    currency: CurrencyText = "CNY"


class PinChange(Wanted):
    """``POST /wallet/v1/pin``. It takes the present PIN: a finger stands for small sums,
    and does not decide over the large ones."""

    pin: PinText
    new_pin: PinText


class Switched(Wanted):
    """``POST /wallet/v1/switches``: a tester turns one of the payer's switches."""

    switch: Switch = Field(strict=False)
    is_on: bool


class Scanned(Wanted):
    """``POST /wallet/v1/scan``: the text of a merchant's code."""

    content: Annotated[str, Field(min_length=1, max_length=QR_TEXT_CHARS_MAX)]


class Refused(Wanted):
    """``POST /wallet/v1/refuse``: a payment by code that waits for the PIN in vain."""

    payment_id: PaymentIdText


class Confirmation(Word):
    """``POST /wallet/v1/confirm``. The wallet mints ``attempt_id``: repeating it is harmless.
    ``instrument_id`` names what to pay with (``balance`` for the balance); else the default.
    ``coupon_id`` names a coupon that must pay its part. ``consent`` is the hex of what the phone
    has signed (``protocol/messages/consent.py``): it stands for the PIN, as a passkey does."""

    payment_id: PaymentIdText
    attempt_id: AttemptIdText
    consent: _Consent | None = None
    instrument_id: _Id | None = None
    coupon_id: CouponIdText | None = None
