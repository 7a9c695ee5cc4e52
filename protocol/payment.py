"""The life of a payment: one table, asked by everybody.

Rule 1: nothing but `next_state` decides a new state.
Rule 2: every edge names the event it emits.
Rule 3: *unknown* is left only by an answer of the institution that knows, or by a reversal.
"""

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import CallerError


class PaymentState(StrEnum):
    """Where a payment is."""

    CREATED = "created"
    """Asked for; no payer yet."""
    AWAITING_PAYER = "awaiting_payer"
    """A code is shown, or the payer must confirm on the phone."""
    PROCESSING = "processing"
    """Sent to an institution that has not answered yet."""
    UNKNOWN = "unknown"
    """The institution did not answer in time; only a query or a reversal leaves this."""
    CAPTURED = "captured"
    """The money has moved."""
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DECLINED = "declined"
    CLOSED = "closed"
    """Given up by the merchant before the payer paid."""
    EXPIRED = "expired"
    """The payer did not pay in time."""
    REVERSED = "reversed"
    """An attempt with an unknown or unwanted outcome was undone."""


class Command(StrEnum):
    """What may be asked of a payment."""

    SHOW_CODE = "show_code"
    ASK_PAYER = "ask_payer"
    SUBMIT = "submit"
    CAPTURE = "capture"
    DECLINE = "decline"
    LOSE_CONTACT = "lose_contact"
    CLOSE = "close"
    EXPIRE = "expire"
    REVERSE = "reverse"
    REFUND_PART = "refund_part"
    REFUND_REST = "refund_rest"


class Event(StrEnum):
    """What has happened to a payment."""

    CODE_SHOWN = "PaymentCodeShown"
    PAYER_ASKED = "PaymentPayerAsked"
    SUBMITTED = "PaymentSubmitted"
    CAPTURED = "PaymentCaptured"
    DECLINED = "PaymentDeclined"
    CONTACT_LOST = "PaymentContactLost"
    CLOSED = "PaymentClosed"
    EXPIRED = "PaymentExpired"
    REVERSED = "PaymentReversed"
    PARTIALLY_REFUNDED = "PaymentPartiallyRefunded"
    REFUNDED = "PaymentRefunded"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: PaymentState
    event: Event


_S, _C = PaymentState, Command
_CAPTURE = Edge(_S.CAPTURED, Event.CAPTURED)
_DECLINE = Edge(_S.DECLINED, Event.DECLINED)
_REVERSE = Edge(_S.REVERSED, Event.REVERSED)
_CLOSE = Edge(_S.CLOSED, Event.CLOSED)
_EXPIRE = Edge(_S.EXPIRED, Event.EXPIRED)
_REFUND_PART = Edge(_S.PARTIALLY_REFUNDED, Event.PARTIALLY_REFUNDED)
_REFUND_REST = Edge(_S.REFUNDED, Event.REFUNDED)

TRANSITIONS: dict[tuple[PaymentState, Command], Edge] = {
    (_S.CREATED, _C.SHOW_CODE): Edge(_S.AWAITING_PAYER, Event.CODE_SHOWN),
    (_S.CREATED, _C.ASK_PAYER): Edge(_S.AWAITING_PAYER, Event.PAYER_ASKED),
    (_S.CREATED, _C.SUBMIT): Edge(_S.PROCESSING, Event.SUBMITTED),
    (_S.CREATED, _C.CAPTURE): _CAPTURE,
    (_S.CREATED, _C.DECLINE): _DECLINE,
    (_S.CREATED, _C.CLOSE): _CLOSE,
    (_S.CREATED, _C.REVERSE): _REVERSE,
    (_S.AWAITING_PAYER, _C.SUBMIT): Edge(_S.PROCESSING, Event.SUBMITTED),
    (_S.AWAITING_PAYER, _C.CAPTURE): _CAPTURE,
    (_S.AWAITING_PAYER, _C.DECLINE): _DECLINE,
    (_S.AWAITING_PAYER, _C.CLOSE): _CLOSE,
    (_S.AWAITING_PAYER, _C.EXPIRE): _EXPIRE,
    (_S.AWAITING_PAYER, _C.REVERSE): _REVERSE,
    (_S.PROCESSING, _C.CAPTURE): _CAPTURE,
    (_S.PROCESSING, _C.DECLINE): _DECLINE,
    (_S.PROCESSING, _C.LOSE_CONTACT): Edge(_S.UNKNOWN, Event.CONTACT_LOST),
    (_S.PROCESSING, _C.REVERSE): _REVERSE,
    (_S.UNKNOWN, _C.CAPTURE): _CAPTURE,
    (_S.UNKNOWN, _C.DECLINE): _DECLINE,
    (_S.UNKNOWN, _C.REVERSE): _REVERSE,
    (_S.CAPTURED, _C.REVERSE): _REVERSE,
    (_S.CAPTURED, _C.REFUND_PART): _REFUND_PART,
    (_S.CAPTURED, _C.REFUND_REST): _REFUND_REST,
    (_S.PARTIALLY_REFUNDED, _C.REFUND_PART): _REFUND_PART,
    (_S.PARTIALLY_REFUNDED, _C.REFUND_REST): _REFUND_REST,
}

PAID_STATES = frozenset({_S.CAPTURED, _S.PARTIALLY_REFUNDED, _S.REFUNDED})
WAITING_STATES = frozenset({_S.PROCESSING, _S.UNKNOWN})
"""States that an institution's answer leaves."""
FINAL_STATES = frozenset({_S.DECLINED, _S.CLOSED, _S.EXPIRED, _S.REVERSED, _S.REFUNDED})
"""States that no command leaves."""


def next_state(state: PaymentState, command: Command) -> Edge:
    """The edge a command takes; raises ``CallerError("payment_state")`` where there is none."""
    edge = TRANSITIONS.get((state, command))
    if edge is None:
        raise CallerError("payment_state", f"{command} in {state}")
    return edge
