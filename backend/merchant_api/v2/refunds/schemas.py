"""What merchants' programs ask of refunds in XML."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import REASON_CHARS_MAX
from backend.merchant_api.refunds.schemas import OutRefundNo
from backend.merchant_api.v2.asked import Count, FenText, TransactionId, V2Asked, Word
from backend.merchant_api.v2.faults import LACK_PARAMS, V2Error
from backend.merchant_api.wire.asked import AppId, NotifyUrl, OutTradeNo

UNSETTLED, RECHARGED = "REFUND_SOURCE_UNSETTLED_FUNDS", "REFUND_SOURCE_RECHARGE_FUNDS"


class Refund(V2Asked):
    """``POST /secapi/pay/refund``: the platform's number goes first."""

    appid: AppId
    transaction_id: TransactionId | None = None
    out_trade_no: OutTradeNo | None = None
    out_refund_no: OutRefundNo
    total_fee: FenText
    refund_fee: FenText
    refund_fee_type: Literal["CNY"] = "CNY"
    refund_desc: Annotated[str, Field(max_length=REASON_CHARS_MAX)] | None = None
    refund_account: Literal["REFUND_SOURCE_UNSETTLED_FUNDS", "REFUND_SOURCE_RECHARGE_FUNDS"] = (
        "REFUND_SOURCE_UNSETTLED_FUNDS"
    )
    notify_url: NotifyUrl | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.transaction_id is None and self.out_trade_no is None:
            raise V2Error(LACK_PARAMS, "transaction_id or out_trade_no")
        return self


class RefundQuery(V2Asked):
    """``POST /pay/refundquery``: of several numbers, the first of these counts."""

    appid: AppId
    refund_id: Word | None = None
    out_refund_no: OutRefundNo | None = None
    transaction_id: TransactionId | None = None
    out_trade_no: OutTradeNo | None = None
    offset: Count = 0

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not (self.refund_id or self.out_refund_no or self.transaction_id or self.out_trade_no):
            raise V2Error(LACK_PARAMS, "refund_id, out_refund_no, transaction_id or out_trade_no")
        return self
