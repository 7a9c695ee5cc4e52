"""What a voucher may be for, and who bears a token that comes back. Pure.

Rule 1: money is set aside when the voucher is given, so an honest payer's tokens are always
        covered, in whatever order they come back.
Rule 2: a token that spends what was spent already (its number, the money, the count) is the payer's
        debt: the balance pays if it can, else the house up to the voucher's guarantee, else the
        merchant bears it.
Rule 3: what the till should not have taken (a token out of its time, above the limit of a payment)
        and what comes back too late, the merchant bears, whatever is left on the voucher.
Rule 4: a voucher ends when nothing can come back any more; only then does its rest go back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from backend.offline.limits import (
    GUARANTEE_MINOR_MAX,
    KNOWN_AFTER_MS,
    LIFE_H_MAX,
    PAYMENT_MINOR_MAX,
    RETURN_H_MAX,
    VOUCHER_MINOR_MAX,
)
from protocol.clock import HOUR_MS
from protocol.errors import CallerError
from protocol.limits import CLOCK_SKEW_MS_MAX, OFFLINE_TOKENS_MAX

PayerClass = Literal["new", "known"]


class VoucherState(StrEnum):
    """Where a voucher is."""

    OPEN = "open"
    OVERSPENT = "overspent"
    """Its phone has spent something twice."""
    CLOSED = "closed"
    CLOSED_OVERSPENT = "closed_overspent"


class VoucherStep(StrEnum):
    """What can happen to a voucher."""

    OVERSPEND = "overspend"
    CLOSE = "close"


_S, _T = VoucherState, VoucherStep
TRANSITIONS: dict[tuple[VoucherState, VoucherStep], VoucherState] = {
    (_S.OPEN, _T.OVERSPEND): _S.OVERSPENT,
    (_S.OPEN, _T.CLOSE): _S.CLOSED,
    (_S.OVERSPENT, _T.OVERSPEND): _S.OVERSPENT,
    (_S.OVERSPENT, _T.CLOSE): _S.CLOSED_OVERSPENT,
}
LIVE_STATES = frozenset({_S.OPEN, _S.OVERSPENT})
OVERSPENT_STATES = frozenset({_S.OVERSPENT, _S.CLOSED_OVERSPENT})


class Bearer(StrEnum):
    """Who pays for a token."""

    SET_ASIDE = "set_aside"
    """The payer, from what was set aside."""
    BALANCE = "balance"
    """The payer, from the balance."""
    HOUSE = "house"
    MERCHANT = "merchant"
    """Nobody pays the merchant."""


@dataclass(frozen=True, slots=True)
class ClassLimits:
    """What payers of one class may spend offline."""

    payment_minor_max: int
    voucher_minor_max: int

    def __post_init__(self) -> None:
        if not 0 < self.payment_minor_max <= PAYMENT_MINOR_MAX:
            raise ValueError("payment_minor_max is out of range")
        if not self.payment_minor_max <= self.voucher_minor_max <= VOUCHER_MINOR_MAX:
            raise ValueError("voucher_minor_max is out of range")


def _usual_classes() -> dict[PayerClass, ClassLimits]:
    return {"new": ClassLimits(5_000, 10_000), "known": ClassLimits(20_000, 50_000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineRules:
    """What configuration decides."""

    classes: Mapping[PayerClass, ClassLimits] = field(default_factory=_usual_classes)
    tokens_max: int = 20
    life_ms: int = 24 * HOUR_MS
    """How long a phone may pay with a voucher."""
    return_ms: int = 72 * HOUR_MS
    """How long after that its tokens may still come back."""
    guarantee_minor: int = 5_000
    """Of one voucher: how much of what is spent twice the house bears."""

    def __post_init__(self) -> None:
        if not 0 < self.life_ms <= LIFE_H_MAX * HOUR_MS:
            raise ValueError("life_ms is out of range")
        if not 0 < self.return_ms <= RETURN_H_MAX * HOUR_MS:
            raise ValueError("return_ms is out of range")
        if not 0 < self.tokens_max <= OFFLINE_TOKENS_MAX:
            raise ValueError("tokens_max is out of range")
        if not 0 <= self.guarantee_minor <= GUARANTEE_MINOR_MAX:
            raise ValueError("guarantee_minor is out of range")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A voucher as it stands when a token of it comes back."""

    amount_minor: int
    payment_minor_max: int
    tokens_max: int
    guarantee_minor: int
    valid_from_ms: int
    valid_until_ms: int
    return_until_ms: int
    spent_minor: int
    covered_minor: int
    used_numbers: int
    """One bit for each token that came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A token that has come back."""

    number: int
    amount_minor: int
    accepted_at_ms: int
    now_ms: int
    balance_minor: int
    """What the payer could pay from the balance."""


@dataclass(frozen=True, slots=True)
class Borne:
    """Who bears the loss of a token. ``code`` says why the merchant does."""

    by: Bearer
    is_overspent: bool = False
    code: str | None = None


def class_of(*, created_at_ms: int, now_ms: int) -> PayerClass:
    """The class of a payer."""
    return "known" if now_ms - created_at_ms >= KNOWN_AFTER_MS else "new"


def next_state(state: str, step: VoucherStep) -> VoucherState:
    """The state a step leads to; ``CallerError("payment_state")`` where there is no edge."""
    found = TRANSITIONS.get((VoucherState(state), step))
    if found is None:
        raise CallerError("payment_state", f"{step} of a voucher that is {state}")
    return found


def bearer_of(voucher: Standing, token: Returned) -> Borne:
    """Who bears the loss of a token whose signatures hold (rules 1 to 3)."""
    refusal = _refusal(voucher, token)
    if refusal is not None:
        return Borne(Bearer.MERCHANT, code=refusal)
    if not _is_spent_again(voucher, token):
        return Borne(Bearer.SET_ASIDE)
    if token.amount_minor <= token.balance_minor:
        return Borne(Bearer.BALANCE, is_overspent=True)
    if voucher.covered_minor + token.amount_minor <= voucher.guarantee_minor:
        return Borne(Bearer.HOUSE, is_overspent=True)
    return Borne(Bearer.MERCHANT, is_overspent=True, code="offline_overspent")


def _refusal(voucher: Standing, token: Returned) -> str | None:
    accepted_at_ms = token.accepted_at_ms
    if token.now_ms > voucher.return_until_ms:
        return "offline_late"
    is_early = accepted_at_ms < voucher.valid_from_ms - CLOCK_SKEW_MS_MAX
    if is_early or accepted_at_ms > voucher.valid_until_ms + CLOCK_SKEW_MS_MAX:
        return "offline_token_expired"
    is_above = token.amount_minor > voucher.payment_minor_max
    return "offline_limit_payment" if is_above else None


def _is_spent_again(voucher: Standing, token: Returned) -> bool:
    return (
        bool(voucher.used_numbers >> token.number & 1)
        or voucher.spent_minor + token.amount_minor > voucher.amount_minor
        or token.number >= voucher.tokens_max
    )
