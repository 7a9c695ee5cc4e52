"""What wallets and operators send about mandates. Wrong fields are named, never echoed."""

from typing import Annotated, Any, Literal

from pydantic import Field

from backend.mandates.limits import SIGNED_BYTES_MAX
from backend.passkeys.schemas import PasskeyAnswer
from backend.wanted import Wanted
from protocol.limits import TEXT_CHARS_MAX
from protocol.messages.base import CurrencyText, NoticeIdText
from protocol.money import AMOUNT_MINOR_MAX

_Signed = Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * SIGNED_BYTES_MAX)]


class Signature(Wanted):
    """What a payer signs a text with: ``signed`` is ``protocol.messages.mandate.sign_mandate`` of
    it, in hex; ``passkey`` is *ask*, which carries nothing out and is answered with what the
    passkey has to sign, and then its answer."""

    signed: _Signed | None = None
    passkey: Literal["ask"] | PasskeyAnswer | None = None


class SignedMandate(Signature):
    """``POST /wallet/v1/mandates``. With ``passkey`` the terms stand in ``text``, as in
    ``MandateText``, without the payer."""

    text: dict[str, Any] | None = None


class NewNotice(Wanted):
    """``POST /operator/v1/merchants/{merchant_id}/mandates/{mandate_id}/notices``. Who announces
    mints ``notice_id``: repeating it is harmless."""

    notice_id: NoticeIdText
    amount_minor: Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
    currency: CurrencyText
    description: Annotated[str, Field(max_length=TEXT_CHARS_MAX)] = ""
