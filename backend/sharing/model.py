"""The life of a payment that is shared, and how much of it may go to whom. Pure.

Rule 1: what the merchant earned of the payment (its amount less the fee) is frozen when it is
        paid; nothing of it is settled to anybody before it has been shared or released.
Rule 2: others get no more than a part of the amount, and never what is not there any more: a
        refund takes what is frozen first.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.sharing.limits import (
    RETURN_WITHIN_MS_MAX,
    RETURNS_PER_SHARE_MAX,
    ROUNDS_MAX,
)
from protocol.errors import CallerError

_WHOLE_BPS = 10_000


class SharingState(StrEnum):
    """How far the sharing of a payment is."""

    FROZEN = "frozen"
    RELEASED = "released"


class ShareState(StrEnum):
    """How far one receiver's share is."""

    PENDING = "pending"
    """Held for the receiver, until the payment's channel has paid."""
    SUCCEEDED = "succeeded"


class SharingStep(StrEnum):
    """What can happen to the payment's frozen money as a whole."""

    RELEASE = "release"


class ShareStep(StrEnum):
    """What can happen to a share."""

    PAY = "pay"


TRANSITIONS: dict[tuple[SharingState, SharingStep], SharingState] = {
    (SharingState.FROZEN, SharingStep.RELEASE): SharingState.RELEASED,
}
SHARE_TRANSITIONS: dict[tuple[ShareState, ShareStep], ShareState] = {
    (ShareState.PENDING, ShareStep.PAY): ShareState.SUCCEEDED,
}


def released(state: SharingState) -> SharingState:
    """The state after the release; ``share_released`` where there is no edge."""
    found = TRANSITIONS.get((state, SharingStep.RELEASE))
    if found is None:
        raise CallerError("share_released")
    return found


def paid(state: ShareState) -> ShareState:
    """The state of a share that has been paid; ``share_released`` where there is no edge."""
    found = SHARE_TRANSITIONS.get((state, ShareStep.PAY))
    if found is None:
        raise CallerError("share_released")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Shareable:
    """A payment as a round sees it."""

    state: SharingState
    amount_minor: int
    shared_minor: int
    available_minor: int
    """What is frozen still and held for nobody."""
    round_count: int
    paid_at_ms: int
    after_ms: int
    bps_max: int


def refusal(payment: Shareable, *, wanted_minor: int, now_ms: int) -> str | None:
    """The code of the first reason why this round cannot be; None if it can."""
    if payment.state is not SharingState.FROZEN:
        return "share_released"
    if now_ms - payment.paid_at_ms < payment.after_ms:
        return "share_too_early"
    if payment.round_count >= ROUNDS_MAX:
        return "share_rounds_exceeded"
    most_minor = payment.amount_minor * payment.bps_max // _WHOLE_BPS
    if payment.shared_minor + wanted_minor > most_minor:
        return "share_above_part"
    if wanted_minor > payment.available_minor:
        return "share_short"
    return None


def return_refusal(
    *, amount_minor: int, left_minor: int, return_count: int, done_at_ms: int, now_ms: int
) -> str | None:
    """Why a share cannot come back to this amount; None if it can."""
    if amount_minor > left_minor:
        return "share_return_exceeds"
    if return_count >= RETURNS_PER_SHARE_MAX:
        return "share_rounds_exceeded"
    if now_ms - done_at_ms > RETURN_WITHIN_MS_MAX:
        return "share_return_late"
    return None
