"""What wallets and operators send about mandates. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.mandates.limits import SIGNED_BYTES_MAX
from backend.wanted import Wanted
from protocol.limits import TEXT_CHARS_MAX
from protocol.messages.base import CurrencyText, NoticeIdText
from protocol.money import AMOUNT_MINOR_MAX


class SignedMandate(Wanted):
    """``POST /wallet/v1/mandates``: ``protocol.messages.mandate.sign_mandate``, in hex."""

    signed: Annotated[str, Field(pattern=r"^([0-9a-f]{2})+$", max_length=2 * SIGNED_BYTES_MAX)]


class NewNotice(Wanted):
    """``POST /operator/v1/merchants/{merchant_id}/mandates/{mandate_id}/notices``. Who announces
    mints ``notice_id``: repeating it is harmless."""

    notice_id: NoticeIdText
    amount_minor: Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
    currency: CurrencyText
    description: Annotated[str, Field(max_length=TEXT_CHARS_MAX)] = ""
