"""The base of everything that merchants' programs ask in XML: every field is a text at first."""

import json
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from backend.merchant_api.limits import (
    V2_AMOUNT_DIGITS_MAX,
    V2_DETAIL_CHARS_MAX,
    V2_TRANSACTION_CHARS_MAX,
)
from backend.merchant_api.v2.signing import SignType
from backend.merchant_api.wire.asked import AppId, Asked, MchId
from protocol.money import AMOUNT_MINOR_MAX


def digits(text: object) -> int:
    """The number that a field's digits are."""
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal()):
        raise ValueError("digits")
    if len(text) > V2_AMOUNT_DIGITS_MAX:
        raise ValueError("too many digits")
    return int(text)


def _json_object(text: str) -> str:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("JSON") from None
    if not isinstance(found, dict):
        raise ValueError("JSON object")  # noqa: TRY004  # pydantic reads ValueError
    return text


def _sign_type(text: object) -> SignType:
    return SignType(str(text))


class V2Asked(Asked):
    """The fields of a call, proven. ``sign`` and ``nonce_str`` are the gate's."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    sign_type: Annotated[SignType, BeforeValidator(_sign_type)] = SignType.MD5
    sub_mch_id: MchId | None = None
    """Of a service provider: for whom it acts. The caller's account says it to the desks."""
    sub_appid: AppId | None = None


Count = Annotated[int, BeforeValidator(digits), Field(ge=0, le=AMOUNT_MINOR_MAX)]
FenText = Annotated[int, BeforeValidator(digits), Field(gt=0, le=AMOUNT_MINOR_MAX)]
"""Fen as digits."""
JsonText = Annotated[str, Field(max_length=V2_DETAIL_CHARS_MAX), AfterValidator(_json_object)]
TransactionId = Annotated[str, Field(min_length=1, max_length=V2_TRANSACTION_CHARS_MAX)]
Word = Annotated[str, Field(min_length=1, max_length=32)]
Ip = Annotated[str, Field(min_length=1, max_length=45)]
