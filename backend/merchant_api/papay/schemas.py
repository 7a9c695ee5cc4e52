"""What merchants' programs, wallets and operators send about contracts. Wrong fields are named,
never echoed."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backend.merchant_api.limits import (
    ATTACH_CHARS_MAX,
    CONTRACT_CODE_CHARS_MAX,
    DESCRIPTION_CHARS_MAX,
    DISPLAY_ACCOUNT_CHARS_MAX,
    GOODS_TAG_CHARS_MAX,
    MANDATE_ID_CHARS_MAX,
    OPENID_CHARS_MAX,
    PLAN_DAYS_MAX,
    REMARK_CHARS_MAX,
    TEXT_CHARS_MAX,
)
from backend.merchant_api.orders.schemas import Amount
from backend.merchant_api.wire.asked import AppId, Asked, Fen, MchId, NotifyUrl, OutTradeNo
from backend.wanted import Wanted
from protocol.limits import NOTICE_HOURS_MAX
from protocol.money import AMOUNT_MINOR_MAX

_INT64_MAX = 2**63 - 1
PlanId = Annotated[int, Field(gt=0, le=_INT64_MAX)]
ContractCode = Annotated[
    str,
    Field(pattern=r"^[0-9A-Za-z_\-|*]+$", min_length=1, max_length=CONTRACT_CODE_CHARS_MAX),
]
_Minor = Annotated[int, Field(gt=0, le=AMOUNT_MINOR_MAX)]


class NewContract(Asked):
    """``POST /v3/papay/sign/contracts/pre-entrust-sign``."""

    sign_scene: Literal["SIGN_SCENE_APP", "SIGN_SCENE_QRCODE"]
    appid: AppId
    openid: Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)] | None = None
    plan_id: PlanId
    out_contract_code: ContractCode
    contract_display_account: Annotated[
        str, Field(min_length=1, max_length=DISPLAY_ACCOUNT_CHARS_MAX)
    ]
    contract_notify_url: NotifyUrl
    out_user_code: Annotated[str, Field(max_length=TEXT_CHARS_MAX)] | None = None


class Termination(Asked):
    """``POST /v3/papay/sign/contracts/plan-id/{plan_id}/out-contract-code/{code}/terminate``."""

    contract_termination_remark: Annotated[str, Field(min_length=1, max_length=REMARK_CHARS_MAX)]


class Estimated(Asked):
    """The most that will be taken, in fen."""

    amount: Fen
    currency: Literal["CNY"] = "CNY"


class NewDebitNotice(Asked):
    """``POST /v3/papay/contracts/{contract_id}/notify``."""

    mchid: MchId
    appid: AppId
    estimated_amount: Estimated


class NewDebit(Asked):
    """``POST /v3/papay/pay/transactions/apply``."""

    appid: AppId
    out_trade_no: OutTradeNo
    description: Annotated[str, Field(min_length=1, max_length=DESCRIPTION_CHARS_MAX)]
    transaction_notify_url: NotifyUrl
    contract_id: Annotated[str, Field(min_length=1, max_length=MANDATE_ID_CHARS_MAX)]
    amount: Amount
    goods_tag: Annotated[str, Field(max_length=GOODS_TAG_CHARS_MAX)] | None = None
    attach: Annotated[str, Field(max_length=ATTACH_CHARS_MAX)] | None = None


class NewPlan(Wanted):
    """``POST /operator/v1/merchant-api/plans``. Who makes it mints ``plan_id``."""

    plan_id: PlanId
    mchid: MchId
    name: Annotated[str, Field(min_length=1, max_length=DISPLAY_ACCOUNT_CHARS_MAX)]
    limit_payment_minor: _Minor
    limit_day_minor: _Minor
    limit_month_minor: _Minor | None = None
    notice_hours: Annotated[int, Field(ge=1, le=NOTICE_HOURS_MAX)] | None = 24
    notice_above_minor: Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)] = 0
    valid_days: Annotated[int, Field(ge=1, le=PLAN_DAYS_MAX)] = 365

    @model_validator(mode="after")
    def _rises(self) -> Self:
        month_minor = self.limit_month_minor
        is_wrong = self.limit_payment_minor > self.limit_day_minor
        if is_wrong or (month_minor is not None and self.limit_day_minor > month_minor):
            raise ValueError("a payment's limit is at most a day's, a day's at most a month's")
        if self.notice_above_minor and self.notice_hours is None:
            raise ValueError("notice_above_minor needs notice_hours")
        return self
