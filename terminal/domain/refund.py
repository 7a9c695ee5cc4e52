"""One refund as the till sees it. The backend decides; the till never guesses an outcome."""

from dataclasses import dataclass, replace
from enum import StrEnum

from protocol.errors import CallerError


class RefundState(StrEnum):
    """Where a refund is."""

    SENDING = "sending"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundStep(StrEnum):
    """What can happen to a refund."""

    PUT_OFF = "put_off"
    """The hub is busy and has taken nothing; the same request goes again."""
    LOSE_CONTACT = "lose_contact"
    SUCCEED = "succeed"
    FAIL = "fail"
    MARK = "mark"
    """A supervisor says what the unknown outcome is taken for (`domain.mark`)."""


class RefundEvent(StrEnum):
    """What has happened to a refund."""

    PUT_OFF = "RefundPutOff"
    CONTACT_LOST = "RefundContactLost"
    SUCCEEDED = "RefundSucceeded"
    FAILED = "RefundFailed"
    MARKED = "RefundMarked"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: RefundState
    event: RefundEvent


_S, _T, _E = RefundState, RefundStep, RefundEvent
TRANSITIONS: dict[tuple[RefundState, RefundStep], Edge] = {
    (start, step): edge
    for start in (_S.SENDING, _S.UNKNOWN)
    for step, edge in (
        (_T.LOSE_CONTACT, Edge(_S.UNKNOWN, _E.CONTACT_LOST)),
        (_T.SUCCEED, Edge(_S.SUCCEEDED, _E.SUCCEEDED)),
        (_T.FAIL, Edge(_S.FAILED, _E.FAILED)),
    )
} | {
    (_S.SENDING, _T.PUT_OFF): Edge(_S.SENDING, _E.PUT_OFF),
    (_S.UNKNOWN, _T.MARK): Edge(_S.UNKNOWN, _E.MARKED),
}
FINAL_STATES = frozenset({_S.SUCCEEDED, _S.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money on its way back to the payer."""

    refund_id: str
    payment_id: str
    amount_minor: int
    currency: str
    reason: str
    created_at_ms: int
    state: RefundState = RefundState.SENDING
    error_code: str | None = None
    is_recovered: bool = False
    settled_at_ms: int | None = None
    """When the outcome became known."""

    def move(
        self, step: RefundStep, *, error_code: str | None = None
    ) -> tuple["Refund", RefundEvent]:
        """The refund after a step and its event; ``payment_state`` where no edge leads."""
        edge = TRANSITIONS.get((self.state, step))
        if edge is None:
            raise CallerError("payment_state", f"{step} in {self.state}")
        return replace(self, state=edge.state, error_code=error_code), edge.event

    def may(self, step: RefundStep) -> bool:
        """Whether the table has an edge for this step here."""
        return (self.state, step) in TRANSITIONS
