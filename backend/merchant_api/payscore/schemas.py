"""What merchants' programs ask of service orders. Wrong fields are named, never echoed."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import (
    OPENID_CHARS_MAX,
    OUT_ORDER_NO_CHARS_MAX,
    SERVICE_ATTACH_CHARS_MAX,
    SERVICE_DISCOUNTS_MAX,
    SERVICE_INTRODUCTION_CHARS_MAX,
    SERVICE_ITEMS_MAX,
    SERVICE_REASON_CHARS_MAX,
    SERVICE_TEXT_CHARS_MAX,
)
from backend.merchant_api.papay.schemas import ContractCode
from backend.merchant_api.payscore.model import total_of
from backend.merchant_api.wire.asked import AppId, Asked, Fen, NotifyUrl
from protocol.money import AMOUNT_MINOR_MAX

OutOrderNo = Annotated[
    str,
    Field(pattern=r"^[0-9A-Za-z_\-|*]+$", min_length=1, max_length=OUT_ORDER_NO_CHARS_MAX),
]
ServiceId = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]
_Text = Annotated[str, Field(max_length=SERVICE_TEXT_CHARS_MAX)]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]
_Count = Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
_Time = Annotated[str, Field(pattern=r"^([0-9]{8}([0-9]{6})?|OnAccept)$")]
_PaidTime = Annotated[str, Field(pattern=r"^[0-9]{14}$")]


class Item(Asked):
    """What is paid for."""

    name: Annotated[str, Field(min_length=1, max_length=SERVICE_TEXT_CHARS_MAX)]
    amount: _Minor | None = None
    description: _Text | None = None
    count: _Count | None = None


class TimeRange(Asked):
    """When the service is, ``yyyyMMdd`` or ``yyyyMMddHHmmss``."""

    start_time: _Time | None = None
    end_time: _Time | None = None
    start_time_remark: _Text | None = None
    end_time_remark: _Text | None = None


class ServiceTime(TimeRange):
    """When it begins, at least."""

    start_time: _Time


class Location(Asked):
    """Where the service is."""

    start_location: _Text | None = None
    end_location: _Text | None = None


class RiskFund(Asked):
    """The most that can be debited, and what for."""

    name: Literal["DEPOSIT", "ADVANCE", "CASH_DEPOSIT", "ESTIMATE_ORDER_COST"]
    amount: Fen
    description: _Text | None = None


class NewService(Asked):
    """``POST /v3/payscore/serviceorder``."""

    out_order_no: OutOrderNo
    appid: AppId
    service_id: ServiceId
    service_introduction: Annotated[
        str, Field(min_length=1, max_length=SERVICE_INTRODUCTION_CHARS_MAX)
    ]
    time_range: ServiceTime
    risk_fund: RiskFund
    post_payments: Annotated[list[Item], Field(max_length=SERVICE_ITEMS_MAX)] | None = None
    post_discounts: Annotated[list[Item], Field(max_length=SERVICE_DISCOUNTS_MAX)] | None = None
    location: Location | None = None
    attach: Annotated[str, Field(max_length=SERVICE_ATTACH_CHARS_MAX)] | None = None
    notify_url: NotifyUrl
    need_user_confirm: bool = True
    openid: Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)] | None = None
    """Whose permission it is; only where the payer need not confirm."""

    def said(self) -> dict[str, Any]:
        """What is kept and shown of it."""
        names = {"service_introduction", "time_range", "risk_fund", "post_payments",
                 "post_discounts", "location", "attach"}  # fmt: skip
        return self.model_dump(include=names, exclude_none=True)


class NewPermission(Asked):
    """``POST /v3/payscore/permissions``."""

    service_id: ServiceId
    appid: AppId
    authorization_code: ContractCode
    notify_url: NotifyUrl


class EndPermission(Asked):
    """``POST …/terminate`` of a permission."""

    service_id: ServiceId
    reason: Annotated[str, Field(min_length=1, max_length=SERVICE_REASON_CHARS_MAX)]


class OfService(Asked):
    """``POST /v3/payscore/serviceorder/{out_order_no}/pay``, and what all of them begin with."""

    appid: AppId
    service_id: ServiceId


class Cancel(OfService):
    """``POST …/cancel``."""

    reason: Annotated[str, Field(min_length=1, max_length=SERVICE_REASON_CHARS_MAX)]


class Cost(OfService):
    """What the service costs."""

    post_payments: Annotated[list[Item], Field(min_length=1, max_length=SERVICE_ITEMS_MAX)]
    post_discounts: Annotated[list[Item], Field(max_length=SERVICE_DISCOUNTS_MAX)] | None = None
    total_amount: _Minor

    @model_validator(mode="after")
    def _sums(self) -> Self:
        if total_of(self.model_dump()) != self.total_amount:
            raise ValueError("total_amount is the items' sum less the discounts")
        return self


class Modify(Cost):
    """``POST …/modify``."""

    total_amount: Fen
    reason: Annotated[str, Field(min_length=1, max_length=SERVICE_REASON_CHARS_MAX)]

    def said(self) -> dict[str, Any]:
        """What is kept and shown of it."""
        return self.model_dump(include={"post_payments", "post_discounts"}, exclude_none=True)


class Complete(Cost):
    """``POST …/complete``."""

    time_range: TimeRange | None = None
    location: Location | None = None

    def said(self) -> dict[str, Any]:
        """What is kept and shown of it."""
        names = {"post_payments", "post_discounts", "time_range", "location"}
        return self.model_dump(include=names, exclude_none=True)


class PaidElsewhere(Asked):
    """When the merchant was paid by other means, ``yyyyMMddHHmmss``."""

    paid_time: _PaidTime


class Sync(OfService):
    """``POST …/sync``."""

    type: Literal["Order_Paid"]
    detail: PaidElsewhere
