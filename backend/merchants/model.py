"""Fee plans, settlement cycles, and what a merchant is. Pure.

Rule 1: a payment keeps the version of the plan it was charged by; its refunds use that version.
Rule 2: a fee is rounded half up to one minor unit, then held between the plan's least and most.
Rule 3: the cycle of a business date is the one in force on it, whatever was chosen later.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self, get_args
from urllib.parse import urlsplit

from backend.merchants.limits import CATEGORY_DIGITS, CYCLE_DAYS_MAX, FEE_BPS_MAX, URL_CHARS_MAX
from protocol.errors import CallerError
from protocol.money import fee_half_up, fee_returned

MerchantStatus = Literal["active", "closed"]
MERCHANT_STATUSES: tuple[str, ...] = get_args(MerchantStatus)
_CYCLE = re.compile(r"([DT])\+(0|[1-9][0-9]?)").fullmatch


@dataclass(frozen=True, slots=True)
class Cycle:
    """When a day's money is paid out: so many calendar days (D) or business days (T) later."""

    basis: Literal["D", "T"]
    days: int

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read ``D+1`` or ``T+3``; ``settlement_cycle_unsupported`` for anything else."""
        found = _CYCLE(text)
        if found is None or int(found[2]) > CYCLE_DAYS_MAX:
            raise CallerError("settlement_cycle_unsupported", text)
        return cls("D" if found[1] == "D" else "T", int(found[2]))


LONGEST_CYCLE = f"T+{CYCLE_DAYS_MAX}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeBounds:
    """The rates that this installation agrees with merchants."""

    bps_min: int = 60
    bps_max: int = 120

    def check(self, rate_bps: int) -> None:
        """``CallerError("fee_rate_out_of_range")`` for a rate outside."""
        if not self.bps_min <= rate_bps <= self.bps_max:
            raise CallerError("fee_rate_out_of_range", f"{self.bps_min} to {self.bps_max} bp")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePlan:
    """What the merchant pays per payment. ``cap_minor`` 0 means no cap, ``valid_until_ms`` None no
    end; a plan that has ended gives way to the version before it."""

    version: int
    rate_bps: int
    min_minor: int = 0
    cap_minor: int = 0
    valid_from_ms: int = 0
    valid_until_ms: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.rate_bps <= FEE_BPS_MAX or self.min_minor < 0 or self.cap_minor < 0:
            raise CallerError("field_invalid", "fee plan")
        if self.cap_minor and self.cap_minor < self.min_minor:
            raise CallerError("field_invalid", "fee plan: cap below minimum")
        if self.valid_until_ms is not None and self.valid_until_ms <= self.valid_from_ms:
            raise CallerError("field_invalid", "valid_until_ms")

    def is_in_force(self, at_ms: int) -> bool:
        """Whether its time has come and not passed."""
        is_over = self.valid_until_ms is not None and at_ms >= self.valid_until_ms
        return self.valid_from_ms <= at_ms and not is_over

    def fee(self, amount_minor: int) -> int:
        """The fee of a payment; never more than the payment."""
        fee = max(fee_half_up(amount_minor, self.rate_bps), self.min_minor)
        if self.cap_minor:
            fee = min(fee, self.cap_minor)
        return min(fee, amount_minor)

    def returned(self, *, amount_minor: int, before_minor: int, refund_minor: int) -> int:
        """The part of a payment's fee that one refund gives back, cumulatively exact.

        A plain rate uses the rate on what is refunded; a fee that its minimum or cap decided
        comes back in proportion. The last refund always gives back the rest.
        """
        charged = self.fee(amount_minor)
        if charged == fee_half_up(amount_minor, self.rate_bps):
            return fee_returned(
                refunded_before_minor=before_minor,
                refund_minor=refund_minor,
                fee_bps=self.rate_bps,
            )
        after = _share(charged, before_minor + refund_minor, amount_minor)
        return after - _share(charged, before_minor, amount_minor)


def cycle_on(steps: Iterable[tuple[str, str]], business_date: str) -> str:
    """The cycle in force on a date, of (first date, cycle) in the order of their versions: the
    latest that has begun. A merchant is never without: the first begins before all dates."""
    found = [cycle for first_date, cycle in steps if first_date <= business_date]
    assert found, "the first cycle has no beginning"
    return found[-1]


def masked_account(account_no: str) -> str:
    """A bank account as people may see it: the last four characters."""
    return f"****{account_no[-4:]}" if len(account_no) > 4 else "****"


def check_category_code(code: str) -> str:
    """An ISO 18245 code, or empty; ``CallerError("field_invalid")`` otherwise."""
    is_code = len(code) == CATEGORY_DIGITS and code.isascii() and code.isdigit()
    if code and not is_code:
        raise CallerError(
            "field_invalid", f"category_code: {CATEGORY_DIGITS} digits (ISO 18245), or empty",
            detail_zh=f"category_code：{CATEGORY_DIGITS} 位数字（ISO 18245 商户类别码），或留空",
        )  # fmt: skip
    return code


def check_notify_url(url: str) -> str:
    """A URL that callbacks may go to, by its form; ``CallerError("field_invalid")`` otherwise.

    The address behind the name is checked when a callback is sent, because names can move.
    """
    try:
        is_good = len(url) <= URL_CHARS_MAX and url.isascii() and _is_plain_http(url)
    except ValueError:
        is_good = False
    if not is_good:
        raise CallerError("field_invalid", "notify_url")
    return url


def _is_plain_http(url: str) -> bool:
    parts = urlsplit(url)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and parts.username is None
        and not parts.query
        and not parts.fragment
        and parts.port != 0
    )


def _share(fee_minor: int, part_minor: int, whole_minor: int) -> int:
    return (fee_minor * part_minor * 2 + whole_minor) // (2 * whole_minor)
