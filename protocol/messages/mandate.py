"""The mandate: what a payer signs so that a device may take payments by itself.

The signed bytes are the deterministic CBOR of the text below; the payer's wallet holds the private
key, the backend keeps the text, the signature and the public key, and can show them to anybody.

Rule 1: a term that is left out binds nobody: an older text, which cannot say it, means what it
        meant when it was signed.
Rule 2: a text with a term that this program does not know is refused. Other messages keep unknown
        fields and go on; here one may be a limit that its payer relies on.
"""

from typing import Annotated

from pydantic import Field

from protocol import cbor, cose
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.limits import ENVELOPE_BYTES_MAX, NOTICE_HOURS_MAX
from protocol.messages.base import Body, CurrencyText, MandateIdText, Minor, Name, PositiveMinor

_CONTEXT = b"tillway-mandate-v1"


class MandateText(Body):
    """Who lets whom take how much: one device of one merchant, per payment, day and month.

    ``notice_hours``: a debit above ``notice_above_minor`` (left out: every debit) must have been
    announced to the payer so many hours before. ``ask_above_minor``: above it a debit that a thing
    makes by itself waits for the payer's word.
    """

    mandate_id: MandateIdText
    payer_id: Name
    merchant_id: Name
    device: Name
    currency: CurrencyText
    limit_payment_minor: PositiveMinor
    limit_day_minor: PositiveMinor
    limit_month_minor: PositiveMinor | None = None
    notice_hours: Annotated[int, Field(ge=1, le=NOTICE_HOURS_MAX)] | None = None
    notice_above_minor: Minor | None = None
    ask_above_minor: Minor | None = None
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
    return check_terms(read_mandate(sign1.payload))


def read_mandate(payload: bytes) -> MandateText:
    """What a text says, whoever has signed it; ``envelope_malformed`` for what is no text."""
    fields = cbor.decode(payload, bytes_max=ENVELOPE_BYTES_MAX)
    if not isinstance(fields, dict):
        raise CallerError("envelope_malformed")
    return MandateText.from_map(fields)


def check_terms(text: MandateText) -> MandateText:
    """The text, if its terms are known (rule 2) and go together."""
    if text.model_extra:
        raise CallerError("mandate_term_unknown")
    if not _limits_rise(text):
        raise CallerError("mandate_limits")
    if text.valid_from_ms >= text.valid_until_ms:
        raise CallerError("mandate_validity")
    if text.notice_above_minor is not None and text.notice_hours is None:
        raise CallerError("field_invalid", "notice_above_minor")
    return text


def _limits_rise(text: MandateText) -> bool:
    month_minor = text.limit_month_minor
    return text.limit_payment_minor <= text.limit_day_minor and (
        month_minor is None or text.limit_day_minor <= month_minor
    )
