"""A card sale at the PIN pad, whose bank is its own: the till records what the pad said.

Rule 1: nothing but `CardSale.move` changes a state, and it only takes an edge of `TRANSITIONS`.
Rule 2: the pad can be asked once. What it did not answer stays *unknown* here for good: only the
        acquirer's statement tells, and a supervisor's mark (`domain.mark`) says what the shop
        took it for.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from protocol.errors import CallerError


class CardKind(StrEnum):
    """Which way the money goes."""

    SALE = "card_sale"
    REFUND = "card_refund"


class CardState(StrEnum):
    """Where it is."""

    ASKING = "asking"
    """In the database; the pad may be asking the payer."""
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"
    """The pad was never asked: certainly nothing was paid."""
    UNKNOWN = "unknown"


class CardStep(StrEnum):
    """What can happen to it."""

    APPROVE = "approve"
    DECLINE = "decline"
    FAIL = "fail"
    LOSE_CONTACT = "lose_contact"
    RESTART = "restart"
    MARK = "mark"


class CardEvent(StrEnum):
    """What has happened to it."""

    APPROVED = "CardApproved"
    DECLINED = "CardDeclined"
    NOT_ASKED = "CardNotAsked"
    CONTACT_LOST = "CardContactLost"
    RECOVERED = "CardRecovered"
    MARKED = "CardOutcomeMarked"


@dataclass(frozen=True, slots=True)
class CardEdge:
    """One legal step: the state it leads to and the event it emits."""

    state: CardState
    event: CardEvent


_S, _T, _E = CardState, CardStep, CardEvent

TRANSITIONS: dict[tuple[CardState, CardStep], CardEdge] = {
    (_S.ASKING, _T.APPROVE): CardEdge(_S.APPROVED, _E.APPROVED),
    (_S.ASKING, _T.DECLINE): CardEdge(_S.DECLINED, _E.DECLINED),
    (_S.ASKING, _T.FAIL): CardEdge(_S.FAILED, _E.NOT_ASKED),
    (_S.ASKING, _T.LOSE_CONTACT): CardEdge(_S.UNKNOWN, _E.CONTACT_LOST),
    (_S.ASKING, _T.RESTART): CardEdge(_S.UNKNOWN, _E.RECOVERED),
    (_S.UNKNOWN, _T.MARK): CardEdge(_S.UNKNOWN, _E.MARKED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSale:
    """One card sale or refund. ``card`` is the masked number, ``reference`` the pad's own."""

    card_id: int
    shift_id: int
    kind: CardKind
    amount_minor: int
    currency: str
    note: str
    by_name: str
    at_ms: int
    state: CardState = CardState.ASKING
    card: str = ""
    reference: str = ""
    error_code: str | None = None
    ended_at_ms: int | None = None
    approved_by: str | None = None
    refund_of: int | None = None
    refunded_minor: int = 0
    """Of a sale: what is given back or may be, so that nobody gives it twice."""

    def move(self, step: CardStep) -> tuple["CardSale", CardEvent]:
        """The sale after a step and the event of that edge; ``payment_state`` where none leads."""
        edge = TRANSITIONS.get((self.state, step))
        if edge is None:
            raise CallerError("payment_state", f"{step} in {self.state}")
        return replace(self, state=edge.state), edge.event

    @property
    def number(self) -> str:
        """What staff call it: its own series, apart from that of cash."""
        return card_number(self.card_id)

    @property
    def subject(self) -> str:
        """What its slips and marks are filed under."""
        return f"card-{self.card_id}"

    @property
    def is_over_unpaid(self) -> bool:
        """Whether certainly nothing was paid, so that it may be tried again."""
        return self.kind is CardKind.SALE and self.state in {CardState.DECLINED, CardState.FAILED}

    @property
    def left_minor(self) -> int:
        """What may still be given back to the card."""
        is_sold = self.kind is CardKind.SALE and self.state is CardState.APPROVED
        return self.amount_minor - self.refunded_minor if is_sold else 0


def card_number(card_id: int) -> str:
    """The number of a card sale or refund, as slips and pages show it."""
    return f"CARD-{card_id:06d}"
