"""What merchants' programs ask of contracts in XML."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    DISPLAY_ACCOUNT_CHARS_MAX,
    GOODS_TAG_CHARS_MAX,
    MANDATE_ID_CHARS_MAX,
    OPENID_CHARS_MAX,
    REMARK_CHARS_MAX,
    TEXT_CHARS_MAX,
)
from backend.merchant_api.papay.schemas import ContractCode
from backend.merchant_api.v2.asked import FenText, V2Asked, digits
from backend.merchant_api.v2.faults import LACK_PARAMS, V2Error
from backend.merchant_api.wire.asked import AppId, NotifyUrl, OutTradeNo

ContractId = Annotated[str, Field(min_length=1, max_length=MANDATE_ID_CHARS_MAX)]
_PlanId = Annotated[int, BeforeValidator(digits), Field(gt=0)]


class PapPayApply(V2Asked):
    """``POST /pay/pappayapply``: a debit under a contract; its result is told."""

    appid: AppId
    body: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    out_trade_no: OutTradeNo
    total_fee: FenText
    fee_type: Literal["CNY"] = "CNY"
    notify_url: NotifyUrl
    trade_type: Literal["PAP"]
    contract_id: ContractId
    attach: Annotated[str, Field(max_length=ATTACH_CHARS_MAX)] | None = None
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None


class Entrust(V2Asked):
    """``GET /papay/entrustweb``, ``POST /papay/preentrustweb``: propose a contract."""

    appid: AppId
    plan_id: _PlanId
    contract_code: ContractCode
    request_serial: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")]
    contract_display_account: Annotated[
        str, Field(min_length=1, max_length=DISPLAY_ACCOUNT_CHARS_MAX)
    ]
    notify_url: NotifyUrl
    openid: Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)] | None = None
    outerid: Annotated[str, Field(max_length=TEXT_CHARS_MAX)] | None = None


class OneContract(V2Asked):
    """``POST /papay/querycontract``: by its id, or by the plan and the merchant's code."""

    appid: AppId
    contract_id: ContractId | None = None
    plan_id: _PlanId | None = None
    contract_code: ContractCode | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.contract_id is None and (self.plan_id is None or self.contract_code is None):
            raise V2Error(LACK_PARAMS, "contract_id, or plan_id and contract_code")
        return self


class EndedContract(OneContract):
    """``POST /papay/deletecontract``."""

    contract_termination_remark: Annotated[str, Field(min_length=1, max_length=REMARK_CHARS_MAX)]
