"""What merchants' programs ask of coupons. Wrong fields are named, never echoed; conditions that
are not kept here are refused."""

from typing import Annotated, Any, Literal

from pydantic import Field

from backend.coupons.stocks.limits import COUPON_MINOR_MAX, COUPONS_MAX, COUPONS_PER_PAYER_MAX
from backend.merchant_api.limits import (
    STOCK_COMMENT_CHARS_MAX,
    STOCK_DESCRIPTION_CHARS_MAX,
    STOCK_NAME_CHARS_MAX,
    STOCK_NUMBER_CHARS_MAX,
    STOCK_REQUEST_CHARS_MAX,
    TIME_CHARS_MAX,
)
from backend.merchant_api.wire.asked import AppId, Asked, Fen, MchId, NotifyUrl

StockNumber = Annotated[str, Field(min_length=1, max_length=STOCK_NUMBER_CHARS_MAX)]
_Request = Annotated[
    str, Field(pattern=r"^[0-9A-Za-z_\-|*]+$", min_length=1, max_length=STOCK_REQUEST_CHARS_MAX)
]
_Time = Annotated[str, Field(max_length=TIME_CHARS_MAX)]


class StockUseRule(Asked):
    """How many coupons there are, and who gets them."""

    max_coupons: Annotated[int, Field(gt=0, le=COUPONS_MAX)]
    max_amount: Fen
    max_amount_by_day: None = None
    max_coupons_per_user: Annotated[int, Field(gt=0, le=COUPONS_PER_PAYER_MAX)]
    natural_person_limit: bool = False
    prevent_api_abuse: bool = False


class FixedCoupon(Asked):
    """What a coupon is worth, and from which price on."""

    coupon_amount: Annotated[int, Field(gt=0, le=COUPON_MINOR_MAX)]
    transaction_minimum: Fen


class CouponUseRule(Asked):
    """What a coupon may be used for."""

    fixed_normal_coupon: FixedCoupon
    available_merchants: Annotated[list[MchId], Field(min_length=1, max_length=1)]
    coupon_available_time: None = None
    goods_tag: None = None
    trade_type: None = None
    limit_card: None = None
    limit_pay: None = None
    available_items: None = None
    combine_use: bool | None = None


class PatternInfo(Asked):
    """How it looks; what is kept of it is what it says."""

    description: Annotated[str, Field(max_length=STOCK_DESCRIPTION_CHARS_MAX)] = ""


class NewStock(Asked):
    """``POST /v3/marketing/favor/coupon-stocks``."""

    stock_name: Annotated[str, Field(min_length=1, max_length=STOCK_NAME_CHARS_MAX)]
    comment: Annotated[str, Field(max_length=STOCK_COMMENT_CHARS_MAX)] = ""
    belong_merchant: MchId
    available_begin_time: _Time
    available_end_time: _Time
    stock_use_rule: StockUseRule
    pattern_info: PatternInfo | None = None
    coupon_use_rule: CouponUseRule
    no_cash: Literal[False] = False
    stock_type: Literal["NORMAL"]
    out_request_no: _Request
    ext_info: Any = None


class Creator(Asked):
    """``POST /v3/marketing/favor/stocks/{stock_id}/start`` and the other steps."""

    stock_creator_mchid: MchId


class NewCoupon(Asked):
    """``POST /v3/marketing/favor/users/{openid}/coupons``."""

    stock_id: StockNumber
    out_request_no: _Request
    appid: AppId
    stock_creator_mchid: MchId
    coupon_value: None = None
    coupon_minimum: None = None


class NewsAddress(Asked):
    """``POST /v3/marketing/favor/callbacks``."""

    mchid: MchId
    notify_url: NotifyUrl
    switch: bool = True
