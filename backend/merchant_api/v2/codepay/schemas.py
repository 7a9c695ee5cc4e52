"""What merchants' programs ask of payments by code in XML."""

from typing import Annotated, Literal

from pydantic import Field

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    GOODS_TAG_CHARS_MAX,
    TEXT_CHARS_MAX,
)
from backend.merchant_api.v2.asked import FenText, Ip, JsonText, V2Asked, Word
from backend.merchant_api.wire.asked import AppId, OutTradeNo


class MicroPay(V2Asked):
    """``POST /pay/micropay``."""

    appid: AppId
    body: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    out_trade_no: OutTradeNo
    total_fee: FenText
    spbill_create_ip: Ip
    auth_code: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX, repr=False)]
    fee_type: Literal["CNY"] = "CNY"
    device_info: Word | None = None
    detail: JsonText | None = None
    attach: Annotated[str, Field(max_length=ATTACH_CHARS_MAX)] | None = None
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None
    limit_pay: Word | None = None
    receipt: Literal["Y", "N"] | None = None
    profit_sharing: Literal["Y", "N"] | None = None
    scene_info: JsonText | None = None
