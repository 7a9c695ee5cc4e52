"""The base of everything that merchants' programs send."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from backend.merchant_api.limits import (
    APPID_CHARS_MAX,
    OUT_TRADE_NO_CHARS_MAX,
    OUT_TRADE_NO_CHARS_MIN,
    URL_CHARS_MAX,
)
from backend.merchants.model import check_notify_url
from protocol.errors import CallerError
from protocol.messages.base import check_characters
from protocol.money import AMOUNT_MINOR_MAX


class Asked(BaseModel):
    """A JSON object with at least these fields. What it has besides is ignored, as documented;
    its texts hold no control character."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    @field_validator("*", mode="after")
    @classmethod
    def _check_texts(cls, value: Any) -> Any:  # noqa: ANN401  # of every field
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, str):
                _check_text(text)
        return value


class Refusal(BaseModel):
    """What API v3 answers when it refuses. ``detail`` says which field, where it is and why."""

    code: str
    message: str
    detail: dict[str, Any] | None = None


def _check_text(text: str) -> None:
    try:
        check_characters(text)
    except ValueError:
        raise ValueError("no control characters") from None


def _callback_url(text: str) -> str:
    try:
        return check_notify_url(text)
    except CallerError:
        raise ValueError("http or https, no query") from None


AppId = Annotated[str, Field(min_length=1, max_length=APPID_CHARS_MAX)]
MchId = Annotated[str, Field(min_length=1, max_length=32)]
NUMBER_IN_PATH = r"^[0-9A-Za-z_\-|*@]+$"
OutTradeNo = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z_\-|*]+$",
        min_length=OUT_TRADE_NO_CHARS_MIN,
        max_length=OUT_TRADE_NO_CHARS_MAX,
    ),
]
NotifyUrl = Annotated[str, Field(max_length=URL_CHARS_MAX), AfterValidator(_callback_url)]
Fen = Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
