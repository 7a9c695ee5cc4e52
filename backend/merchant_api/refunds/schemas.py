"""What merchants' programs ask of refunds. Wrong fields are named, never echoed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import (
    ENCRYPTED_CHARS_MAX,
    OUT_REFUND_NO_CHARS_MAX,
    REASON_CHARS_MAX,
)
from backend.merchant_api.wire.asked import Asked, Fen, MchId, NotifyUrl, OutTradeNo

OutRefundNo = Annotated[
    str,
    Field(pattern=r"^[0-9A-Za-z_\-|*@]+$", min_length=1, max_length=OUT_REFUND_NO_CHARS_MAX),
]


_Secret = Annotated[str, Field(min_length=1, max_length=ENCRYPTED_CHARS_MAX)]


class RefundAmount(Asked):
    """How much goes back of how much, in fen."""

    refund: Fen
    total: Fen
    currency: Literal["CNY"]


class Settle(Asked):
    """``POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund``. The account and the
    name are encrypted."""

    sub_mchid: MchId | None = None
    out_refund_no: OutRefundNo
    type: Literal["USER_BANK_CARD", "MERCHANT_BANK_CARD"]
    bank_type: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    bank_account: _Secret | None = None
    real_name: _Secret | None = None

    @model_validator(mode="after")
    def _names_the_payers_account(self) -> Self:
        said = (self.bank_type, self.bank_account, self.real_name)
        if self.type == "USER_BANK_CARD" and None in said:
            raise ValueError("bank_type, bank_account, real_name")
        return self


class NewRefund(Asked):
    """``POST /v3/refund/domestic/refunds``."""

    sub_mchid: MchId | None = None
    transaction_id: Annotated[str, Field(min_length=1, max_length=32)] | None = None
    out_trade_no: OutTradeNo | None = None
    out_refund_no: OutRefundNo
    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] | None = None
    notify_url: NotifyUrl | None = None
    funds_account: Literal["AVAILABLE", "UNSETTLED"] | None = None
    amount: RefundAmount

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.transaction_id is None) == (self.out_trade_no is None):
            raise ValueError("transaction_id or out_trade_no")
        return self
