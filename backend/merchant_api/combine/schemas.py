"""What merchants' programs ask of orders that are paid at once. Wrong fields are named, never
echoed."""

from typing import Annotated, Literal

from pydantic import Field

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    COMBINE_PARTS_MAX,
    DESCRIPTION_CHARS_MAX,
    GOODS_TAG_CHARS_MAX,
    TIME_CHARS_MAX,
)
from backend.merchant_api.orders.schemas import H5SceneInfo, Payer, SceneInfo, SettleInfo
from backend.merchant_api.wire.asked import AppId, Asked, Fen, MchId, NotifyUrl, OutTradeNo


class PartAmount(Asked):
    """What is to be paid for one order, in fen."""

    total_amount: Fen
    currency: Literal["CNY"]


class PartOrder(Asked):
    """One of the orders. With ``sub_mchid``, ``mchid`` is a service provider's."""

    mchid: MchId
    sub_mchid: MchId | None = None
    attach: Annotated[str, Field(min_length=1, max_length=ATTACH_CHARS_MAX)]
    amount: PartAmount
    out_trade_no: OutTradeNo
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None
    description: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    settle_info: SettleInfo | None = None


class NewCombine(Asked):
    """``POST /v3/combine-transactions/native`` and ``…/app``."""

    combine_appid: AppId
    combine_mchid: MchId
    combine_out_trade_no: OutTradeNo
    scene_info: SceneInfo | None = None
    sub_orders: Annotated[list[PartOrder], Field(min_length=2, max_length=COMBINE_PARTS_MAX)]
    combine_payer_info: Payer | None = None
    time_expire: Annotated[str, Field(max_length=TIME_CHARS_MAX)] | None = None
    notify_url: NotifyUrl


class NewJsapiCombine(NewCombine):
    """``POST /v3/combine-transactions/jsapi``."""

    combine_payer_info: Payer


class NewH5Combine(NewCombine):
    """``POST /v3/combine-transactions/h5``."""

    scene_info: H5SceneInfo


class ClosedPart(Asked):
    """One of the orders that are given up."""

    mchid: MchId
    sub_mchid: MchId | None = None
    out_trade_no: OutTradeNo


class CloseCombined(Asked):
    """``POST /v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close``."""

    combine_appid: AppId
    sub_orders: Annotated[list[ClosedPart], Field(min_length=2, max_length=COMBINE_PARTS_MAX)]
