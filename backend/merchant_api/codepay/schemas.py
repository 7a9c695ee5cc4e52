"""What merchants' programs ask of payments by code. Wrong fields are named, never echoed."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    GOODS_TAG_CHARS_MAX,
)
from backend.merchant_api.orders.schemas import Amount, Detail, SettleInfo
from backend.merchant_api.wire.asked import AppId, Asked, MchId, OutTradeNo

_Place = Annotated[str, Field(min_length=1, max_length=32)]


class CodePayer(Asked):
    """What the payer shows."""

    auth_code: Annotated[str, Field(pattern=r"^1[0-5][0-9]{16}$")]


class CodeStore(Asked):
    """Where the till stands, by the platform's or the merchant's name for it."""

    id: _Place | None = None
    out_id: _Place | None = None

    @property
    def name(self) -> str:
        """By which of the two it is known."""
        return self.id or f"out:{self.out_id}"

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        if self.id is None and self.out_id is None:
            raise ValueError("id or out_id")
        return self


class CodeScene(Asked):
    """The till."""

    store_info: CodeStore
    device_id: _Place | None = None
    device_ip: Annotated[str, Field(max_length=45)] | None = None


class CodeContent(Asked):
    """What every payment by code says, whoever asks for it."""

    description: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    out_trade_no: OutTradeNo
    attach: Annotated[str, Field(max_length=ATTACH_CHARS_MAX)] | None = None
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None
    support_fapiao: bool | None = None
    payer: CodePayer
    amount: Amount
    scene_info: CodeScene
    detail: Detail | None = None
    settle_info: SettleInfo | None = None


class NewCodePayment(CodeContent):
    """``POST /v3/pay/transactions/codepay``."""

    appid: AppId
    mchid: MchId


class Reverse(Asked):
    """``POST /v3/pay/transactions/out-trade-no/{out_trade_no}/reverse``."""

    appid: AppId
    mchid: MchId
