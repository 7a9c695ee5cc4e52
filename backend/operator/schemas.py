"""What the operator sends. Wrong fields are named in the refusal, never echoed."""

from typing import Annotated, Literal

from pydantic import Field

from backend.devices.limits import NAME_CHARS_MAX, REASON_CHARS_MAX
from backend.identity.limits import CODE_VALID_MS, CODE_VALID_MS_MAX, NAMES_MAX
from backend.limits import CLOCK_ADVANCE_MS_MAX
from backend.merchants.limits import (
    ACCOUNT_CHARS_MAX,
    CATEGORY_DIGITS,
    CYCLE_CHARS_MAX,
    FEE_BPS_MAX,
    URL_CHARS_MAX,
)
from backend.wanted import Wanted
from protocol.clock import SECOND_MS
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.enrolment import URLS_MAX
from protocol.money import AMOUNT_MINOR_MAX

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
_Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX)]
_Minor = Annotated[int, Field(ge=0, le=AMOUNT_MINOR_MAX)]


class NewMerchant(Wanted):
    """``POST /operator/v1/merchants``. Without a rate, the installation's default."""

    merchant_id: _Id
    name: _Name
    currency: Annotated[str, Field(min_length=3, max_length=3)] = "CNY"
    rate_bps: Annotated[int, Field(ge=0, le=FEE_BPS_MAX)] | None = None
    min_minor: _Minor = 0
    cap_minor: _Minor = 0
    payout_bank: _Name
    payout_account_name: _Name
    payout_account_no: Annotated[str, Field(min_length=1, max_length=ACCOUNT_CHARS_MAX)]
    biometric_above_minor: _Minor | None = None
    category_code: Annotated[str, Field(max_length=CATEGORY_DIGITS)] = ""
    notify_url: Annotated[str, Field(max_length=URL_CHARS_MAX)] | None = None
    settlement_cycle: Annotated[str, Field(max_length=CYCLE_CHARS_MAX)] = "D+1"


class NewStore(Wanted):
    """``POST /operator/v1/stores``."""

    store: _Id
    merchant_id: _Id
    name: _Name


class NewCode(Wanted):
    """``POST /operator/v1/enrolment-codes``: what the machine that has the code may become."""

    tid: _Id
    kind: Literal["terminal", "thing", "hub"]
    store: _Id
    names: list[str] = Field(default_factory=list, max_length=NAMES_MAX)
    hub_urls: list[str] = Field(default_factory=list, max_length=URLS_MAX)
    valid_s: Annotated[int, Field(gt=0, le=CODE_VALID_MS_MAX // SECOND_MS)] = (
        CODE_VALID_MS // SECOND_MS
    )


class StatusChange(Wanted):
    """``POST /operator/v1/devices/{tid}/{command}``."""

    reason: Annotated[str, Field(max_length=REASON_CHARS_MAX)] = ""


class ClockChange(Wanted):
    """``POST /operator/v1/clock``."""

    advance_ms: Annotated[int, Field(ge=0, le=CLOCK_ADVANCE_MS_MAX)]
