"""What merchants' programs ask of orders. Wrong fields are named, never echoed."""

from typing import Annotated, Literal

from pydantic import Field

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    GOODS_LINES_MAX,
    GOODS_TAG_CHARS_MAX,
    OPENID_CHARS_MAX,
    TEXT_CHARS_MAX,
    TIME_CHARS_MAX,
)
from backend.merchant_api.wire.asked import AppId, Asked, Fen, MchId, NotifyUrl, OutTradeNo
from protocol.money import AMOUNT_MINOR_MAX

_Text = Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
_Word = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class Amount(Asked):
    """What is to be paid, in fen."""

    total: Fen
    currency: Literal["CNY"] = "CNY"


class Payer(Asked):
    """Who is to pay."""

    openid: Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)]


class GoodsLine(Asked):
    """A line of what is bought."""

    merchant_goods_id: _Word
    wechatpay_goods_id: _Text | None = None
    goods_name: _Text | None = None
    quantity: Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]
    unit_price: _Minor


class Detail(Asked):
    """What is bought."""

    cost_price: _Minor | None = None
    invoice_id: _Text | None = None
    goods_detail: Annotated[list[GoodsLine], Field(max_length=GOODS_LINES_MAX)] | None = None


class StoreInfo(Asked):
    """Where it is bought."""

    id: _Word
    name: _Text | None = None
    area_code: _Text | None = None
    address: _Text | None = None


class SceneInfo(Asked):
    """Where the payer is."""

    payer_client_ip: Annotated[str, Field(min_length=1, max_length=45)]
    device_id: Annotated[str, Field(max_length=32)] | None = None
    store_info: StoreInfo | None = None


class H5Info(Asked):
    """The page or app that opens the payment."""

    type: Annotated[str, Field(min_length=1, max_length=32)]
    app_name: _Text | None = None
    app_url: _Text | None = None
    bundle_id: _Text | None = None
    package_name: _Text | None = None


class H5SceneInfo(SceneInfo):
    """Where the payer of a page is."""

    h5_info: H5Info


class SettleInfo(Asked):
    """How it is settled."""

    profit_sharing: bool | None = None
    """Whether what is earned is frozen until it has been shared."""


def is_shared(settle: SettleInfo | None) -> bool:
    """Whether an order asks to be shared."""
    return settle is not None and settle.profit_sharing is True


class OrderContent(Asked):
    """What every order says, whoever asks for it."""

    description: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    out_trade_no: OutTradeNo
    time_expire: Annotated[str, Field(max_length=TIME_CHARS_MAX)] | None = None
    attach: Annotated[str, Field(max_length=ATTACH_CHARS_MAX)] | None = None
    notify_url: NotifyUrl
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None
    support_fapiao: bool | None = None
    amount: Amount
    detail: Detail | None = None
    scene_info: SceneInfo | None = None
    settle_info: SettleInfo | None = None


class NewOrder(OrderContent):
    """``POST /v3/pay/transactions/native`` and ``…/app``."""

    appid: AppId
    mchid: MchId
    payer: Payer | None = None


class NewJsapiOrder(NewOrder):
    """``POST /v3/pay/transactions/jsapi``."""

    payer: Payer


class NewH5Order(NewOrder):
    """``POST /v3/pay/transactions/h5``."""

    scene_info: H5SceneInfo


class Close(Asked):
    """``POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close``."""

    mchid: MchId
