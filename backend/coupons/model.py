"""A coupon's life, what it may be used for, and how a refund is shared with it. Pure.

Rule 1: only ``next_edge`` says which state follows.
Rule 2: a coupon is used once. It comes back only if its payment took nothing in the end (declined,
        reversed), and expires then if its time is over; a refund does not bring it back.
Rule 3: a coupon pays at most the price, and may pay all of it: what it is worth beyond is lost.
Rule 4: the payer gets back refund × paid / price, rounded half up over all refunds so far, so that
        refunds of the whole price give back exactly what was paid; the rest is ours again.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError


class CouponState(StrEnum):
    """Where a coupon is."""

    ISSUED = "issued"
    """The payer's to use, within its time."""
    USED = "used"
    """A part of a payment that is paid or under way."""
    EXPIRED = "expired"
    VOIDED = "voided"
    """Taken back by an operator before it was used."""


class CouponCommand(StrEnum):
    """What may happen to a coupon."""

    USE = "use"
    RETURN = "return"
    EXPIRE = "expire"
    VOID = "void"


class CouponEvent(StrEnum):
    """What has happened to a coupon."""

    ISSUED = "CouponIssued"
    USED = "CouponUsed"
    RETURNED = "CouponReturned"
    EXPIRED = "CouponExpired"
    VOIDED = "CouponVoided"


@dataclass(frozen=True, slots=True)
class Edge:
    """The state a command leads to and its event."""

    state: CouponState
    event: CouponEvent


_S, _C, _E = CouponState, CouponCommand, CouponEvent

TRANSITIONS: dict[tuple[CouponState, CouponCommand], Edge] = {
    (_S.ISSUED, _C.USE): Edge(_S.USED, _E.USED),
    (_S.USED, _C.RETURN): Edge(_S.ISSUED, _E.RETURNED),
    (_S.ISSUED, _C.EXPIRE): Edge(_S.EXPIRED, _E.EXPIRED),
    (_S.ISSUED, _C.VOID): Edge(_S.VOIDED, _E.VOIDED),
}


def next_edge(state: str, command: CouponCommand) -> Edge:
    """The edge a command takes; ``coupon_state`` where there is none."""
    edge = TRANSITIONS.get((CouponState(state), command))
    if edge is None:
        raise CallerError("coupon_state", f"{command} in {state}")
    return edge


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A coupon as it stands when somebody wants to use it."""

    state: str
    payer_id: str
    merchant_id: str | None
    """None: every merchant's."""
    amount_minor: int
    currency: str
    minimum_minor: int
    """The least price it may be used for."""
    valid_from_ms: int
    valid_until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What a payer wants to pay a part of."""

    payer_id: str
    merchant_id: str
    price_minor: int
    currency: str
    now_ms: int


def refusal(terms: Terms, spend: Spend) -> str | None:
    """The code of the first reason why the coupon does not pay; None if it does."""
    if terms.payer_id != spend.payer_id:
        return "coupon_not_found"
    is_in_time = terms.valid_from_ms <= spend.now_ms < terms.valid_until_ms
    if terms.state != CouponState.ISSUED or not is_in_time:
        return "coupon_invalid"
    is_for_this = (
        terms.merchant_id in {None, spend.merchant_id}
        and terms.currency == spend.currency
        and terms.minimum_minor <= spend.price_minor
    )
    return None if is_for_this else "coupon_not_applicable"


def coupon_back(
    *,
    price_minor: int,
    coupon_minor: int,
    returned_minor: int,
    before_minor: int,
    refund_minor: int,
) -> int:
    """Which part of a refund is the coupon's (rule 4).

    ``before_minor`` was given back, or is on its way, by other refunds; ``returned_minor`` of it to
    us. Counted from that, so that it stays exact when a channel refuses one of several refunds.
    """
    if not coupon_minor:
        return 0
    after_minor, paid_minor = before_minor + refund_minor, price_minor - coupon_minor
    payer_minor = (2 * after_minor * paid_minor + price_minor) // (2 * price_minor)
    return min(max(after_minor - payer_minor - returned_minor, 0), refund_minor)
