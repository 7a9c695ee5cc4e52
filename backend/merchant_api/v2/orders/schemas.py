"""What merchants' programs ask of orders in XML."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    GOODS_TAG_CHARS_MAX,
    OPENID_CHARS_MAX,
)
from backend.merchant_api.v2.asked import FenText, Ip, JsonText, TransactionId, V2Asked, Word
from backend.merchant_api.v2.faults import LACK_PARAMS, V2Error
from backend.merchant_api.wire.asked import AppId, NotifyUrl, OutTradeNo


class UnifiedOrder(V2Asked):
    """``POST /pay/unifiedorder``. ``time_expire`` is ``yyyyMMddHHmmss``, in the shop's time."""

    appid: AppId
    body: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    out_trade_no: OutTradeNo
    total_fee: FenText
    spbill_create_ip: Ip
    notify_url: NotifyUrl
    trade_type: Literal["JSAPI", "NATIVE", "APP", "MWEB"]
    fee_type: Literal["CNY"] = "CNY"
    device_info: Word | None = None
    detail: JsonText | None = None
    attach: Annotated[str, Field(max_length=ATTACH_CHARS_MAX)] | None = None
    time_expire: Annotated[str, Field(pattern=r"^[0-9]{14}$")] | None = None
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None
    product_id: Word | None = None
    limit_pay: Word | None = None
    openid: Annotated[str, Field(max_length=OPENID_CHARS_MAX)] | None = None
    sub_openid: Annotated[str, Field(max_length=OPENID_CHARS_MAX)] | None = None
    receipt: Literal["Y", "N"] | None = None
    profit_sharing: Literal["Y", "N"] | None = None
    scene_info: JsonText | None = None


class OneOrder(V2Asked):
    """``POST /pay/orderquery``, ``/secapi/pay/reverse``: the platform's number goes first."""

    appid: AppId
    transaction_id: TransactionId | None = None
    out_trade_no: OutTradeNo | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.transaction_id is None and self.out_trade_no is None:
            raise V2Error(LACK_PARAMS, "transaction_id or out_trade_no")
        return self


class ClosedOrder(V2Asked):
    """``POST /pay/closeorder``."""

    appid: AppId
    out_trade_no: OutTradeNo
