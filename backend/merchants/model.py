"""Fee plans and what a merchant is. Pure.

Rule 1: a payment keeps the version of the plan it was charged by; its refunds use that version.
Rule 2: a fee is rounded half up to one minor unit, then held between the plan's least and most.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from backend.merchants.limits import FEE_BPS_MAX, URL_CHARS_MAX
from protocol.errors import CallerError
from protocol.money import fee_half_up, fee_returned

MerchantStatus = Literal["active", "closed"]
SETTLEMENT_CYCLES = ("D+1",)
"""When a day's money is paid out. T+1 (working days) needs a calendar, which clearing has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeePlan:
    """What the merchant pays per payment. ``cap_minor`` 0 means no cap."""

    version: int
    rate_bps: int
    min_minor: int = 0
    cap_minor: int = 0
    valid_from_ms: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate_bps <= FEE_BPS_MAX or self.min_minor < 0 or self.cap_minor < 0:
            raise CallerError("field_invalid", "fee plan")
        if self.cap_minor and self.cap_minor < self.min_minor:
            raise CallerError("field_invalid", "fee plan: cap below minimum")

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


def masked_account(account_no: str) -> str:
    """A bank account as people may see it: the last four characters."""
    return f"****{account_no[-4:]}" if len(account_no) > 4 else "****"


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
