"""What operators send about merchants. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.merchants.limits import (
    ACCOUNT_CHARS_MAX,
    CATEGORY_DIGITS,
    CYCLE_CHARS_MAX,
    FEE_BPS_MAX,
    NAME_CHARS_MAX,
    PENDING_SHARDS_MAX,
    URL_CHARS_MAX,
)
from backend.merchants.model import MerchantStatus
from backend.wanted import Wanted
from protocol.money import AMOUNT_MINOR_MAX

_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class NewFeePlan(Wanted):
    """``POST /operator/v1/merchants/{merchant_id}/fee-plans``."""

    rate_bps: Annotated[int, Field(ge=0, le=FEE_BPS_MAX)]
    min_minor: _Minor = 0
    cap_minor: _Minor = 0
    valid_from_ms: Annotated[int, Field(ge=0)]
    valid_until_ms: Annotated[int, Field(ge=0)] | None = None


class MerchantChange(Wanted):
    """``PATCH /operator/v1/merchants/{merchant_id}``. What is left out stays."""

    status: MerchantStatus | None = None
    notify_url: Annotated[str, Field(min_length=1, max_length=URL_CHARS_MAX)] | None = None
    category_code: Annotated[str, Field(max_length=CATEGORY_DIGITS)] | None = None
    biometric_above_minor: _Minor | None = None
    settlement_cycle: Annotated[str, Field(max_length=CYCLE_CHARS_MAX)] | None = None
    pending_shards: Annotated[int, Field(ge=1, le=PENDING_SHARDS_MAX)] | None = None


class PayoutAccount(Wanted):
    """``PUT /operator/v1/merchants/{id}/payout-account``: filed at once as its destination."""

    payout_bank: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    payout_account_name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
    payout_account_no: Annotated[str, Field(min_length=1, max_length=ACCOUNT_CHARS_MAX)]
