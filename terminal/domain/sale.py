"""One sale as the till sees it: a table of states, asked by everybody.

Rule 1: nothing but `Sale.move` changes a state, and it only takes an edge of `TRANSITIONS`.
Rule 2: *paid* is reached by `Step.PAY` and `Step.KEEP` alone, which the agent takes only for a
        payment result that the pinned backend key signed.
Rule 3: once an envelope may have been accepted, the sale ends by an answer, never by a guess:
        there is no edge from *unknown* that a person or a timer takes to an end. A supervisor's
        mark leaves it where it is.
Rule 4: why a sale was put off is forgotten when it leaves *sending*.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from protocol.errors import CallerError
from terminal.domain.delivery import Delivery, DeliveryEvent, DeliveryStep, next_delivery


class SaleState(StrEnum):
    """Where a sale is."""

    IDLE = "idle"
    CHOOSING = "choosing"
    """The amount is keyed; how will the payer pay?"""
    SCANNING = "scanning"
    VERIFYING = "verifying"
    """The payer's finger is asked for."""
    SENDING = "sending"
    """In the journal, on its way, not answered."""
    SHOWING_QR = "showing_qr"
    WAITING = "waiting"
    """The payer must confirm on the phone."""
    UNKNOWN = "unknown"
    CLOSING = "closing"
    """The cashier gave up a shown code; the backend has not confirmed it."""
    REVERSING = "reversing"
    ACCEPTED = "accepted_offline"
    """The payer's token is in the journal, and nobody could be asked: the goods may go, the money
    is still to come."""
    PAID = "paid"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    """Given up, expired or reversed: no money was kept."""


class Step(StrEnum):
    """What can happen to a sale."""

    KEY_AMOUNT = "key_amount"
    SCAN = "scan"
    MISS_SCAN = "miss_scan"
    VERIFY = "verify"
    SEND = "send"
    ACCEPT = "accept"
    """A token held, and the floor limits allow it."""
    SHOW_CODE = "show_code"
    AWAIT_PAYER = "await_payer"
    PUT_OFF = "put_off"
    """The hub is busy and kept nothing of the envelope: the same goes again by itself."""
    LOSE_CONTACT = "lose_contact"
    PAY = "pay"
    DECLINE = "decline"
    """A signed answer, or our own check before anything was sent, says no."""
    END = "end"
    """A signed answer says closed, expired or reversed."""
    CANCEL = "cancel"
    """Given up before anything can have been accepted."""
    CLOSE = "close"
    REVERSE = "reverse"
    KEEP = "keep"
    """A signed answer says that it is too late to reverse: the money stays."""
    GIVE_BACK = "give_back"
    """Paid, and the machine did not give the item."""
    RESTART = "restart"
    MARK = "mark"
    """A supervisor says what the unknown outcome is taken for (`domain.mark`)."""


class SaleEvent(StrEnum):
    """What has happened to a sale."""

    AMOUNT_KEYED = "AmountKeyed"
    SCAN_ASKED = "ScanAsked"
    SCAN_MISSED = "ScanMissed"
    FINGER_ASKED = "FingerAsked"
    STORED = "RequestStored"
    ACCEPTED = "AcceptedOffline"
    STILL_OUT = "OfflineStillOut"
    CAME_BACK = "OfflinePaid"
    LOST_OFFLINE = "OfflineRefused"
    CODE_SHOWN = "CodeShown"
    PAYER_AWAITED = "PayerAwaited"
    PUT_OFF = "SalePutOff"
    CONTACT_LOST = "ContactLost"
    PAID = "SalePaid"
    REVERSAL_REFUSED = "ReversalRefused"
    PAID_LATE = "SalePaidLate"
    PAID_BEFORE_REVERSAL = "PaidBeforeReversal"
    DECLINED = "SaleDeclined"
    ENDED = "SaleEnded"
    CANCELLED = "SaleCancelled"
    CLOSE_ASKED = "CloseAsked"
    REVERSAL_ASKED = "ReversalAsked"
    RETURN_ASKED = "ReturnAsked"
    RECOVERED = "SaleRecovered"
    MARKED = "OutcomeMarked"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: SaleState
    event: SaleEvent


_S, _T, _E = SaleState, Step, SaleEvent
_PAID = Edge(_S.PAID, _E.PAID)
_DECLINED = Edge(_S.DECLINED, _E.DECLINED)
_ENDED = Edge(_S.CANCELLED, _E.ENDED)
_CANCELLED = Edge(_S.CANCELLED, _E.CANCELLED)
_UNKNOWN = Edge(_S.UNKNOWN, _E.CONTACT_LOST)
_SENT = Edge(_S.SENDING, _E.STORED)
_QR = Edge(_S.SHOWING_QR, _E.CODE_SHOWN)
_WAITING = Edge(_S.WAITING, _E.PAYER_AWAITED)
_REVERSING = Edge(_S.REVERSING, _E.REVERSAL_ASKED)
_CLOSING = Edge(_S.CLOSING, _E.CLOSE_ASKED)
_VERIFYING = Edge(_S.VERIFYING, _E.FINGER_ASKED)
_RECOVERED = Edge(_S.UNKNOWN, _E.RECOVERED)
_OUT = Edge(_S.ACCEPTED, _E.STILL_OUT)

TRANSITIONS: dict[tuple[SaleState, Step], Edge] = {
    (_S.IDLE, _T.KEY_AMOUNT): Edge(_S.CHOOSING, _E.AMOUNT_KEYED),
    (_S.CHOOSING, _T.SCAN): Edge(_S.SCANNING, _E.SCAN_ASKED),
    (_S.CHOOSING, _T.VERIFY): _VERIFYING,
    (_S.CHOOSING, _T.SEND): _SENT,
    (_S.CHOOSING, _T.CANCEL): _CANCELLED,
    (_S.SCANNING, _T.MISS_SCAN): Edge(_S.CHOOSING, _E.SCAN_MISSED),
    (_S.SCANNING, _T.VERIFY): _VERIFYING,
    (_S.SCANNING, _T.SEND): _SENT,
    (_S.SCANNING, _T.CANCEL): _CANCELLED,
    (_S.VERIFYING, _T.SEND): _SENT,
    (_S.VERIFYING, _T.DECLINE): _DECLINED,
    (_S.VERIFYING, _T.CANCEL): _CANCELLED,
    # The request is in the journal.
    (_S.SENDING, _T.PUT_OFF): Edge(_S.SENDING, _E.PUT_OFF),
    (_S.SENDING, _T.SHOW_CODE): _QR,
    (_S.SENDING, _T.AWAIT_PAYER): _WAITING,
    (_S.SENDING, _T.LOSE_CONTACT): _UNKNOWN,
    (_S.SENDING, _T.PAY): _PAID,
    (_S.SENDING, _T.DECLINE): _DECLINED,
    (_S.SENDING, _T.END): _ENDED,
    (_S.SENDING, _T.CANCEL): _CANCELLED,
    (_S.SENDING, _T.REVERSE): _REVERSING,
    (_S.SENDING, _T.RESTART): _RECOVERED,
    (_S.SHOWING_QR, _T.SHOW_CODE): _QR,
    (_S.SHOWING_QR, _T.AWAIT_PAYER): _WAITING,
    (_S.SHOWING_QR, _T.LOSE_CONTACT): _UNKNOWN,
    (_S.SHOWING_QR, _T.PAY): _PAID,
    (_S.SHOWING_QR, _T.DECLINE): _DECLINED,
    (_S.SHOWING_QR, _T.END): _ENDED,
    (_S.SHOWING_QR, _T.CLOSE): _CLOSING,
    (_S.SHOWING_QR, _T.RESTART): _RECOVERED,
    (_S.WAITING, _T.AWAIT_PAYER): _WAITING,
    (_S.WAITING, _T.LOSE_CONTACT): _UNKNOWN,
    (_S.WAITING, _T.PAY): _PAID,
    (_S.WAITING, _T.DECLINE): _DECLINED,
    (_S.WAITING, _T.END): _ENDED,
    (_S.WAITING, _T.REVERSE): _REVERSING,
    (_S.WAITING, _T.RESTART): _RECOVERED,
    (_S.UNKNOWN, _T.SHOW_CODE): _QR,
    (_S.UNKNOWN, _T.AWAIT_PAYER): _WAITING,
    (_S.UNKNOWN, _T.LOSE_CONTACT): _UNKNOWN,
    (_S.UNKNOWN, _T.PAY): _PAID,
    (_S.UNKNOWN, _T.DECLINE): _DECLINED,
    (_S.UNKNOWN, _T.END): _ENDED,
    (_S.UNKNOWN, _T.REVERSE): _REVERSING,
    (_S.UNKNOWN, _T.RESTART): _RECOVERED,
    (_S.UNKNOWN, _T.MARK): Edge(_S.UNKNOWN, _E.MARKED),
    # The payer may have paid just before the close: then the sale is paid.
    (_S.CLOSING, _T.SHOW_CODE): _CLOSING,
    (_S.CLOSING, _T.AWAIT_PAYER): _REVERSING,
    (_S.CLOSING, _T.LOSE_CONTACT): _UNKNOWN,
    (_S.CLOSING, _T.PUT_OFF): Edge(_S.CLOSING, _E.PUT_OFF),
    (_S.CLOSING, _T.PAY): _PAID,
    (_S.CLOSING, _T.DECLINE): _DECLINED,
    (_S.CLOSING, _T.END): _ENDED,
    (_S.CLOSING, _T.RESTART): Edge(_S.CLOSING, _E.RECOVERED),
    # Whoever asked for the reversal does not want the money: only its end is an end.
    (_S.REVERSING, _T.SHOW_CODE): _REVERSING,
    (_S.REVERSING, _T.AWAIT_PAYER): _REVERSING,
    (_S.REVERSING, _T.LOSE_CONTACT): _UNKNOWN,
    (_S.REVERSING, _T.PUT_OFF): Edge(_S.REVERSING, _E.PUT_OFF),
    (_S.REVERSING, _T.PAY): Edge(_S.REVERSING, _E.PAID_BEFORE_REVERSAL),
    (_S.REVERSING, _T.KEEP): Edge(_S.PAID, _E.REVERSAL_REFUSED),
    (_S.REVERSING, _T.DECLINE): _DECLINED,
    (_S.REVERSING, _T.END): _ENDED,
    (_S.REVERSING, _T.RESTART): Edge(_S.REVERSING, _E.RECOVERED),
    # Nobody takes an accepted sale back but by a refund, after it has come back.
    (_S.SCANNING, _T.ACCEPT): Edge(_S.ACCEPTED, _E.ACCEPTED),
    (_S.ACCEPTED, _T.AWAIT_PAYER): _OUT,
    (_S.ACCEPTED, _T.LOSE_CONTACT): _OUT,
    (_S.ACCEPTED, _T.PAY): Edge(_S.PAID, _E.CAME_BACK),
    (_S.ACCEPTED, _T.DECLINE): Edge(_S.DECLINED, _E.LOST_OFFLINE),
    (_S.ACCEPTED, _T.END): _ENDED,
    (_S.ACCEPTED, _T.RESTART): Edge(_S.ACCEPTED, _E.RECOVERED),
    # Refunds and reversals of a paid sale reach us as later answers.
    (_S.PAID, _T.PAY): _PAID,
    (_S.PAID, _T.END): _ENDED,
    (_S.PAID, _T.GIVE_BACK): Edge(_S.REVERSING, _E.RETURN_ASKED),
    # A hub's refusal or our own cancel ended the sale, and the backend's signature says otherwise.
    # The agent never takes these edges after the backend itself said closed, expired or reversed.
    (_S.DECLINED, _T.PAY): Edge(_S.PAID, _E.PAID_LATE),
    (_S.CANCELLED, _T.PAY): Edge(_S.PAID, _E.PAID_LATE),
}

FINAL_STATES = frozenset({_S.PAID, _S.DECLINED, _S.CANCELLED})
COLLECTING_STATES = frozenset({_S.IDLE, _S.CHOOSING, _S.SCANNING, _S.VERIFYING})
"""Nothing is in the journal yet and nothing was sent."""
DONE_STATES = FINAL_STATES | {_S.ACCEPTED}
"""The payer may go."""
LEAVABLE_STATES = DONE_STATES | {_S.UNKNOWN, _S.REVERSING}
"""A cashier may leave their screens; what is not final goes on behind."""
OPEN_STATES = frozenset(_S) - FINAL_STATES - COLLECTING_STATES
"""In the journal, and the outcome is still to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One sale: what was asked, and how it stands."""

    payment_id: str
    attempt_id: str
    method: str
    amount_minor: int
    currency: str
    created_at_ms: int
    description: str = ""
    cashier: str | None = None
    state: SaleState = SaleState.IDLE
    error_code: str | None = None
    code_url: str | None = None
    code_expires_at_ms: int | None = None
    payer_masked: str | None = None
    paid_at_ms: int | None = None
    coupon_minor: int = 0
    """The part of a paid amount that a coupon paid."""
    ended_as: str | None = None
    """For a cancelled sale: ``closed``, ``expired`` or ``reversed``, as the backend said."""
    sent_at_ms: int | None = None
    """When the request was stored to be sent."""
    settled_at_ms: int | None = None
    """When the outcome became known here."""
    refunded_minor: int = 0
    is_recovered: bool = False
    item: str | None = None
    delivery: Delivery = Delivery.NONE

    def move(self, step: Step, **changes: Any) -> tuple["Sale", SaleEvent]:  # noqa: ANN401
        """The sale after a step and the event of that edge; ``payment_state`` where none leads."""
        edge = TRANSITIONS.get((self.state, step))
        if edge is None:
            raise CallerError("payment_state", f"{step} in {self.state}")
        if self.state is SaleState.SENDING and step is not Step.PUT_OFF:
            changes = {"error_code": None} | changes
        return replace(self, state=edge.state, **changes), edge.event

    def deliver(self, step: DeliveryStep) -> tuple["Sale", DeliveryEvent]:
        """The sale after a step of its goods and the event of that edge."""
        edge = next_delivery(self.delivery, step)
        return replace(self, delivery=edge.state), edge.event

    def may(self, step: Step) -> bool:
        """Whether the table has an edge for this step here."""
        return (self.state, step) in TRANSITIONS
