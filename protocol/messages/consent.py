"""The payer's consent to one payment, signed by the key that the payer's phone unlocks by a finger
or a face: the word in place of the PIN.

Rule 1: it names the payment, the attempt, the merchant and the amount, so that it is good for
        nothing else; the attempt's id makes it good for once.
Rule 2: it ages: what was signed long ago, or in the future, is refused.
"""

from typing import Annotated

from pydantic import Field

from protocol import cbor, cose
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.limits import CONSENT_AGE_MS_MAX, ENVELOPE_BYTES_MAX
from protocol.messages.base import (
    AttemptIdText,
    Body,
    CurrencyText,
    Name,
    PaymentIdText,
    PositiveMinor,
)

_CONTEXT = b"tillway-consent-v1"


class ConsentText(Body):
    """Who pays what to whom, by which attempt, signed when (ms since the epoch)."""

    payment_id: PaymentIdText
    attempt_id: AttemptIdText
    payer_id: Name
    merchant_id: Name
    amount_minor: PositiveMinor
    currency: CurrencyText
    signed_at_ms: Annotated[int, Field(ge=0)]


def sign_consent(text: ConsentText, key: SigningKey) -> bytes:
    """The payer's signature over the text, as one COSE_Sign1 that carries it."""
    return cose.sign1(key, cbor.encode(text.to_map()), _CONTEXT)


def open_consent(signed: bytes, key: VerifyKey, *, now_ms: int) -> ConsentText:
    """The text that this payer has just signed; ``CallerError("consent_invalid")`` for a signature
    that fails, a text that is none, or one that is not of now."""
    try:
        sign1 = cose.parse1(signed)
        if not cose.verify1(sign1, key, _CONTEXT):
            raise CallerError("consent_invalid", "signature")
        fields = cbor.decode(sign1.payload, bytes_max=ENVELOPE_BYTES_MAX)
        text = ConsentText.from_map(fields if isinstance(fields, dict) else {})
    except CallerError as error:
        raise CallerError("consent_invalid", error.detail) from None
    if text.model_extra or abs(now_ms - text.signed_at_ms) > CONSENT_AGE_MS_MAX:
        raise CallerError("consent_invalid", "a term that is not known, or not of now")
    return text
