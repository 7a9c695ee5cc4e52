"""What service providers' programs ask. Wrong fields are named, never echoed."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from backend.merchant_api.codepay.schemas import CodeContent
from backend.merchant_api.limits import OPENID_CHARS_MAX
from backend.merchant_api.orders.schemas import H5SceneInfo, OrderContent
from backend.merchant_api.wire.asked import AppId, Asked, MchId
from backend.wanted import Wanted

_OpenId = Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)]


class PartnerNames(Asked):
    """Who calls, and for whom."""

    sp_appid: AppId
    sp_mchid: MchId
    sub_appid: AppId | None = None
    sub_mchid: MchId


class NewPartnerOrder(OrderContent, PartnerNames):
    """``POST /v3/pay/partner/transactions/native`` and ``…/app``."""


class PartnerPayer(Asked):
    """Who is to pay, as the provider's app or the merchant's knows them."""

    sp_openid: _OpenId | None = None
    sub_openid: _OpenId | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.sp_openid is None) == (self.sub_openid is None):
            raise ValueError("sp_openid or sub_openid")
        return self


class NewPartnerJsapiOrder(NewPartnerOrder):
    """``POST /v3/pay/partner/transactions/jsapi``."""

    payer: PartnerPayer


class NewPartnerH5Order(NewPartnerOrder):
    """``POST /v3/pay/partner/transactions/h5``."""

    scene_info: H5SceneInfo


class NewPartnerCodePayment(CodeContent, PartnerNames):
    """``POST /v3/pay/partner/transactions/codepay``."""


class PartnerClose(Asked):
    """``POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close``."""

    sp_mchid: MchId
    sub_mchid: MchId


class PartnerReverse(PartnerNames):
    """``POST /v3/pay/partner/transactions/out-trade-no/{out_trade_no}/reverse``."""


class NewBinding(Wanted):
    """``POST /operator/v1/merchant-api/bindings``. ``is_on`` false ends it."""

    sp_mchid: MchId
    sub_mchid: MchId
    is_on: bool = True
