"""A dispute's life, and how much of a payment may be disputed. Pure.

Rule 1: only ``next_edge`` says which state follows. A decided dispute stays as it was decided.
Rule 2: refunds and disputes are judged together: what was given back, what is on its way back and
        what is disputed or was lost never sum to more than was paid.
Rule 3: a payer disputes what the payer paid; our coupon's part of a payment is not the payer's.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError
from protocol.payment import PAID_STATES, PaymentState


class DisputeState(StrEnum):
    """Where a dispute is."""

    OPEN = "open"
    """The money is put aside; the merchant has said nothing yet."""
    UNDER_REVIEW = "under_review"
    """The merchant has given evidence."""
    WON = "won"
    """The merchant was right."""
    LOST = "lost"
    """The payer was right."""
    WITHDRAWN = "withdrawn"
    """The payer or the issuer gave it up."""


class DisputeCommand(StrEnum):
    """What may happen to a dispute."""

    GIVE_EVIDENCE = "give_evidence"
    WIN = "win"
    LOSE = "lose"
    WITHDRAW = "withdraw"


class DisputeEvent(StrEnum):
    """What has happened to a dispute."""

    OPENED = "DisputeOpened"
    EVIDENCE_GIVEN = "DisputeEvidenceGiven"
    WON = "DisputeWon"
    LOST = "DisputeLost"
    WITHDRAWN = "DisputeWithdrawn"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: DisputeState
    event: DisputeEvent


_S, _C, _E = DisputeState, DisputeCommand, DisputeEvent
_EVIDENCE = Edge(_S.UNDER_REVIEW, _E.EVIDENCE_GIVEN)
_WON, _LOST = Edge(_S.WON, _E.WON), Edge(_S.LOST, _E.LOST)
_WITHDRAWN = Edge(_S.WITHDRAWN, _E.WITHDRAWN)

TRANSITIONS: dict[tuple[DisputeState, DisputeCommand], Edge] = {
    (_S.OPEN, _C.GIVE_EVIDENCE): _EVIDENCE,
    (_S.OPEN, _C.WIN): _WON,
    (_S.OPEN, _C.LOSE): _LOST,
    (_S.OPEN, _C.WITHDRAW): _WITHDRAWN,
    (_S.UNDER_REVIEW, _C.GIVE_EVIDENCE): _EVIDENCE,
    (_S.UNDER_REVIEW, _C.WIN): _WON,
    (_S.UNDER_REVIEW, _C.LOSE): _LOST,
    (_S.UNDER_REVIEW, _C.WITHDRAW): _WITHDRAWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputable:
    """A payment as a dispute sees it."""

    state: PaymentState
    amount_minor: int
    coupon_minor: int
    coupon_returned_minor: int
    currency: str
    refunded_minor: int
    refunding_minor: int
    disputed_minor: int

    @property
    def rest_minor(self) -> int:
        """What can still be disputed (rules 2 and 3)."""
        given_back = self.refunded_minor + self.refunding_minor - self.coupon_returned_minor
        return self.amount_minor - self.coupon_minor - given_back - self.disputed_minor


def next_edge(state: str, command: DisputeCommand) -> Edge:
    """The edge a command takes; ``dispute_state`` where there is none."""
    edge = TRANSITIONS.get((DisputeState(state), command))
    if edge is None:
        raise CallerError("dispute_state", f"{command} in {state}")
    return edge


def check_new(payment: Disputable, *, amount_minor: int, currency: str) -> None:
    """Raise the first reason why this much of the payment cannot be disputed."""
    if payment.state not in PAID_STATES:
        raise CallerError("payment_state")
    if payment.currency != currency:
        raise CallerError("currency_mismatch")
    if amount_minor <= 0:
        raise CallerError("amount_invalid")
    if amount_minor > payment.rest_minor:
        raise CallerError("dispute_exceeds")
