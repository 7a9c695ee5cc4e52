"""What a program asks of the lists: the fields that a person types, by the same names."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from backend.listing.limits import ANSWER_ROWS, ANSWER_ROWS_MAX, EXPORT_ROWS_PER_READ
from backend.notify.limits import DEAD_LETTERS_PER_LIST_MAX

_Merchant = Annotated[str, Field(description="Its id, or a name that one merchant alone has.")]
_Store = Annotated[str, Field(description="Its id, or a name that one store alone has.")]
_Device = Annotated[str, Field(description="Its id, or the name of a store with one device.")]
_Amount = Annotated[str, Field(description="Exactly so much: 12.80")]
_Since = Annotated[str, Field(description="The first date, by the shop's clock: 2026-11-28")]
_Until = Annotated[str, Field(description="The last date.")]
_After = Annotated[str, Field(description="Where the page begins: `after` of the answer before.")]
_Limit = Annotated[int, Field(ge=1, le=ANSWER_ROWS_MAX)]
_FileLimit = Annotated[int, Field(ge=1, le=EXPORT_ROWS_PER_READ)]


class _Asked(BaseModel):
    """A name that is none is refused: what was meant to narrow must not be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OwnPaymentQuery(_Asked):
    """Which of a merchant's payments; what is left out does not matter."""

    store: _Store = ""
    device: _Device = ""
    state: str = ""
    amount: _Amount = ""
    since: _Since = ""
    until: _Until = ""
    day: Annotated[str, Field(description="The business date that they are settled with.")] = ""
    number: Annotated[str, Field(description="The payment's own.")] = ""


class PaymentQuery(OwnPaymentQuery):
    """The same of all merchants' payments."""

    merchant: _Merchant = ""


class OwnRefundQuery(_Asked):
    """Which of a merchant's refunds; what is left out does not matter."""

    store: _Store = ""
    state: str = ""
    who: Annotated[str, Field(description="A part of the cashier's or the device's name.")] = ""
    amount: _Amount = ""
    since: _Since = ""
    until: _Until = ""


class RefundQuery(OwnRefundQuery):
    """The same of all merchants' refunds."""

    merchant: _Merchant = ""


class _Page(_Asked):
    """What a page adds to the question."""

    after: _After = ""
    limit: _Limit = ANSWER_ROWS

    def filter(self) -> dict[str, str]:
        """The question alone, as it was typed."""
        return self.model_dump(exclude=set(_Page.model_fields))


class PaymentPageQuery(PaymentQuery, _Page):
    """``GET /operator/v1/payments``."""


class OwnPaymentPageQuery(OwnPaymentQuery, _Page):
    """``GET /v3/tillway/payments``."""


class OwnPaymentFileQuery(OwnPaymentQuery, _Page):
    """``GET /v3/tillway/payments/csv``."""

    limit: _FileLimit = EXPORT_ROWS_PER_READ


class RefundPageQuery(RefundQuery, _Page):
    """``GET /operator/v1/refunds``."""


class OwnRefundPageQuery(OwnRefundQuery, _Page):
    """``GET /v3/tillway/refunds``."""


class OwnRefundFileQuery(OwnRefundQuery, _Page):
    """``GET /v3/tillway/refunds/csv``."""

    limit: _FileLimit = EXPORT_ROWS_PER_READ


class DeadLetterPageQuery(_Page):
    """``GET /operator/v1/dead-letters``: callbacks that were given up; dates are when they were."""

    merchant: _Merchant = ""
    kind: Annotated[str, Field(description="The event: payment.captured")] = ""
    since: _Since = ""
    until: _Until = ""
    limit: Annotated[int, Field(ge=1, le=DEAD_LETTERS_PER_LIST_MAX)] = ANSWER_ROWS


class CallbackPageQuery(_Page):
    """``GET /operator/v1/callbacks``: which callbacks; dates are when they were written."""

    merchant: _Merchant = ""
    state: str = ""
    kind: Annotated[str, Field(description="The event: payment.captured")] = ""
    since: _Since = ""
    until: _Until = ""
