"""A mandate's life and its limits. Pure.

Rule 1: only ``next_status`` says which status follows.
Rule 2: the limit of a day counts what was taken on the shop's business date, refunds not deducted:
        a thing that takes and gives back all day is worth a look.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError


class MandateStatus(StrEnum):
    """What a mandate allows."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class MandateCommand(StrEnum):
    """What its payer may ask."""

    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


_S, _C = MandateStatus, MandateCommand

TRANSITIONS: dict[tuple[MandateStatus, MandateCommand], MandateStatus] = {
    (_S.ACTIVE, _C.SUSPEND): _S.SUSPENDED,
    (_S.SUSPENDED, _C.RESUME): _S.ACTIVE,
    (_S.ACTIVE, _C.TERMINATE): _S.TERMINATED,
    (_S.SUSPENDED, _C.TERMINATE): _S.TERMINATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a device wants to take under a mandate."""

    merchant_id: str
    device: str
    amount_minor: int
    currency: str
    now_ms: int
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A mandate as it stands when it is used."""

    status: str
    merchant_id: str
    device: str
    currency: str
    limit_payment_minor: int
    limit_day_minor: int
    valid_from_ms: int
    valid_until_ms: int
    spent_day: str
    spent_minor: int

    def spent_on(self, day: str) -> int:
        """What was taken on this day so far."""
        return self.spent_minor if self.spent_day == day else 0


def next_status(status: str, command: MandateCommand) -> MandateStatus:
    """The status after a command; ``CallerError("mandate_inactive")`` where it has no place."""
    found = TRANSITIONS.get((MandateStatus(status), command))
    if found is None:
        raise CallerError("mandate_inactive", f"{command} in {status}")
    return found


def refusal(terms: Terms, use: Use) -> str | None:
    """The code of the first reason why the mandate does not cover this use; None if it does."""
    if terms.merchant_id != use.merchant_id:
        return "mandate_not_found"
    if terms.device != use.device:
        return "mandate_device"
    is_valid = terms.valid_from_ms <= use.now_ms < terms.valid_until_ms
    if terms.status != MandateStatus.ACTIVE or not is_valid:
        return "mandate_inactive"
    if terms.currency != use.currency:
        return "currency_mismatch"
    if use.amount_minor > terms.limit_payment_minor:
        return "mandate_limit_payment"
    if terms.spent_on(use.day) + use.amount_minor > terms.limit_day_minor:
        return "mandate_limit_day"
    return None
