"""What merchants' programs ask of profit sharing. Wrong fields are named, never echoed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import (
    ENCRYPTED_CHARS_MAX,
    OPENID_CHARS_MAX,
    SHARE_DESCRIPTION_CHARS_MAX,
    SHARE_NUMBER_CHARS_MAX,
)
from backend.merchant_api.wire.asked import AppId, Asked, Fen, MchId
from backend.sharing.limits import RECEIVERS_PER_ROUND_MAX

ShareNumber = Annotated[
    str,
    Field(pattern=r"^[0-9A-Za-z_\-|*@]+$", min_length=1, max_length=SHARE_NUMBER_CHARS_MAX),
]
TransactionId = Annotated[str, Field(min_length=1, max_length=32)]
_Account = Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)]
_Description = Annotated[str, Field(min_length=1, max_length=SHARE_DESCRIPTION_CHARS_MAX)]
_Secret = Annotated[str, Field(min_length=1, max_length=ENCRYPTED_CHARS_MAX)]
_Kind = Literal["MERCHANT_ID", "PERSONAL_OPENID"]
_Relation = Literal[
    "SERVICE_PROVIDER", "STORE", "STAFF", "STORE_OWNER", "PARTNER", "HEADQUARTER", "BRAND",
    "DISTRIBUTOR", "USER", "SUPPLIER", "CUSTOM",
]  # fmt: skip


class Receiver(Asked):
    """Who gets how much. ``name`` is encrypted."""

    type: _Kind
    account: _Account
    name: _Secret | None = None
    amount: Fen
    description: _Description


class NewRound(Asked):
    """``POST /v3/profitsharing/orders``."""

    sub_mchid: MchId | None = None
    appid: AppId
    transaction_id: TransactionId
    out_order_no: ShareNumber
    receivers: Annotated[list[Receiver], Field(min_length=1, max_length=RECEIVERS_PER_ROUND_MAX)]
    unfreeze_unsplit: bool

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        if len({(one.type, one.account) for one in self.receivers}) < len(self.receivers):
            raise ValueError("a receiver twice")
        return self


class Unfreeze(Asked):
    """``POST /v3/profitsharing/orders/unfreeze``."""

    sub_mchid: MchId | None = None
    transaction_id: TransactionId
    out_order_no: ShareNumber
    description: _Description


class NewReturn(Asked):
    """``POST /v3/profitsharing/return-orders``."""

    sub_mchid: MchId | None = None
    order_id: Annotated[str, Field(min_length=1, max_length=SHARE_NUMBER_CHARS_MAX)] | None = None
    out_order_no: ShareNumber | None = None
    out_return_no: ShareNumber
    return_mchid: MchId
    amount: Fen
    description: _Description

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.order_id is None and self.out_order_no is None:
            raise ValueError("order_id or out_order_no")
        return self


class NewReceiver(Asked):
    """``POST /v3/profitsharing/receivers/add``. ``name`` is encrypted."""

    sub_mchid: MchId | None = None
    appid: AppId
    type: _Kind
    account: _Account
    name: _Secret | None = None
    relation_type: _Relation
    custom_relation: Annotated[str, Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="after")
    def _says_which_relation(self) -> Self:
        if self.relation_type == "CUSTOM" and self.custom_relation is None:
            raise ValueError("custom_relation")
        return self


class OldReceiver(Asked):
    """``POST /v3/profitsharing/receivers/delete``."""

    sub_mchid: MchId | None = None
    appid: AppId
    type: _Kind
    account: _Account
