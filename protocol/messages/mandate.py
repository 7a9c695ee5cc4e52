"""The mandate: what a payer signs so that a device may take payments by itself.

The signed bytes are the deterministic CBOR of the text below; the payer's wallet holds the private
key, the backend keeps the text, the signature and the public key, and can show them to anybody.
"""

from typing import Annotated

from pydantic import Field

from protocol import cbor, cose
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.limits import ENVELOPE_BYTES_MAX
from protocol.messages.base import Body, CurrencyText, MandateIdText, Name, PositiveMinor

_CONTEXT = b"tillway-mandate-v1"


class MandateText(Body):
    """Who lets whom take how much: one device of one merchant, per payment and per day."""

    mandate_id: MandateIdText
    payer_id: Name
    merchant_id: Name
    device: Name
    currency: CurrencyText
    limit_payment_minor: PositiveMinor
    limit_day_minor: PositiveMinor
    valid_from_ms: Annotated[int, Field(ge=0)]
    valid_until_ms: Annotated[int, Field(ge=0)]


def sign_mandate(text: MandateText, key: SigningKey) -> bytes:
    """The payer's signature over the text, as one COSE_Sign1 that carries it."""
    return cose.sign1(key, cbor.encode(text.to_map()), _CONTEXT)


def open_mandate(signed: bytes, key: VerifyKey) -> MandateText:
    """The text this payer signed; ``CallerError("mandate_signature")`` if the signature fails."""
    sign1 = cose.parse1(signed)
    if not cose.verify1(sign1, key, _CONTEXT):
        raise CallerError("mandate_signature")
    fields = cbor.decode(sign1.payload, bytes_max=ENVELOPE_BYTES_MAX)
    if not isinstance(fields, dict):
        raise CallerError("envelope_malformed")
    text = MandateText.from_map(fields)
    if text.limit_day_minor < text.limit_payment_minor or text.valid_until_ms <= text.valid_from_ms:
        raise CallerError("field_invalid", "limits or validity")
    return text
