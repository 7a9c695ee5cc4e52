"""What wallets and operators send about coupons. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.wanted import Wanted
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.messages.base import CouponIdText, CurrencyText, Minor, PositiveMinor

_Id = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
_TimeMs = Annotated[int, Field(ge=0, lt=2**48)]


class NewCoupon(Wanted):
    """``POST /operator/v1/coupons``. Who issues it mints ``coupon_id``: repeating is harmless.
    Without ``merchant_id`` it may be used everywhere."""

    coupon_id: CouponIdText
    payer_id: _Id
    amount_minor: PositiveMinor
    currency: CurrencyText
    valid_from_ms: _TimeMs
    valid_until_ms: _TimeMs
    minimum_minor: Minor = 0
    merchant_id: _Id | None = None


class ChosenCoupon(Wanted):
    """``POST /wallet/v1/coupons/chosen``: the coupon for the next pay code; null for none."""

    coupon_id: CouponIdText | None
