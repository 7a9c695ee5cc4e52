"""How a body is checked, and which error a bad one gets."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.limits import IDENTIFIER_CHARS_MAX, TEXT_CHARS_MAX
from protocol.money import AMOUNT_MINOR_MAX, MINOR_DIGITS

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufffe\uffff]").search


class Body(BaseModel):
    """A message body: frozen, strictly typed, keeping what it does not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="allow")

    def to_map(self) -> dict[str, Any]:
        """The map that goes on the wire; fields that are not set stay out."""
        return self.model_dump(exclude_none=True)

    @classmethod
    def from_map(cls, body: Mapping[str, Any]) -> Self:
        """The checked body; raises ``CallerError`` with the code that names what is wrong."""
        return parse_body(cls, body)


def _id_of(prefix: str) -> AfterValidator:
    def check(text: str) -> str:
        if not is_id(text, prefix=prefix):
            raise ValueError("id_invalid")
        return text

    return AfterValidator(check)


def _known_currency(text: str) -> str:
    if text not in MINOR_DIGITS:
        raise ValueError("currency_unsupported")
    return text


def check_characters(text: str) -> str:
    """The text, if it has no control character, lone surrogate, line separator or character that
    is none (U+FFFE, U+FFFF): these reach logs, screens and receipt printers, and not every database
    takes them, nor any XML, in which banks are told of payouts. Else ``ValueError``."""
    if _UNFIT(text):
        raise ValueError("field_invalid")
    return text


PaymentIdText = Annotated[str, _id_of("pay")]
AttemptIdText = Annotated[str, _id_of("att")]
RefundIdText = Annotated[str, _id_of("rfd")]
MandateIdText = Annotated[str, _id_of("mdt")]
NoticeIdText = Annotated[str, _id_of("ntc")]
DisputeIdText = Annotated[str, _id_of("dsp")]
CollectionIdText = Annotated[str, _id_of("cvr")]
CouponIdText = Annotated[str, _id_of("cpn")]
CaseIdText = Annotated[str, _id_of("cas")]
ReportIdText = Annotated[str, _id_of("rpt")]
LabelIdText = Annotated[str, _id_of("lbl")]
RedPacketIdText = Annotated[str, _id_of("rpk")]
OfflineVoucherIdText = Annotated[str, _id_of("ofv")]
RolloutIdText = Annotated[str, _id_of("rol")]
CurrencyText = Annotated[str, AfterValidator(_known_currency)]
PositiveMinor = Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
Name = Annotated[
    str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX), AfterValidator(check_characters)
]
Text = Annotated[str, Field(max_length=TEXT_CHARS_MAX), AfterValidator(check_characters)]

_Model = TypeVar("_Model", bound=BaseModel)

_BY_FIELD = {
    "amount_minor": "amount_invalid",
    "currency": "currency_unsupported",
    "payment_id": "id_invalid",
    "attempt_id": "id_invalid",
    "refund_id": "id_invalid",
    "mandate_id": "id_invalid",
}


def parse_body(model: type[_Model], body: Mapping[str, Any]) -> _Model:
    """Check a decoded map against a model. The error names the field, never its value."""
    try:
        return model.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CallerError(_BY_FIELD.get(field, "field_invalid"), field) from None
