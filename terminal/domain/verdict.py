"""What an authentic answer means for a sale or a refund.

Three kinds of refusal, told apart by their code:

- *not accepted, try again* (`busy`, `spool_unwritable`, `envelope_stale`): the hub kept nothing of
  that envelope; the same request goes again in a new one. `envelope_replayed` goes again too, but
  proves nothing: the envelope that was seen before may have been accepted.
- *outcome unknown* (`backend_unreachable`, `timeout`, `internal`, any code we do not know, and any
  that comes with a leave to try again which it does not have here): the request may be spooled or
  carried out; only a query answers it, and one that finds nothing lets it go again. So a till
  takes no word of a newer hub for a final no.
- *not accepted, and will not be* (everything else: a bad signature, a revoked device, a wrong
  field): final, but only for a request of which every envelope was refused. An envelope that was
  sent and never answered may have been accepted before the device was revoked; then the refusal
  of the next one says nothing about the first and the sale stays unknown until it is queried.
"""

from enum import Enum, auto

from protocol.advice import Retry
from protocol.errors import is_known
from protocol.payment import PaymentState
from terminal.domain.sale import Step


class Refused(Enum):
    """What a refusal says about the envelope it answers."""

    RETRY = auto()
    RETRY_IN_DOUBT = auto()
    UNKNOWN = auto()
    FINAL = auto()


PUT_OFF = frozenset({"busy", "spool_unwritable"})
"""The hub takes nothing now, and will by itself."""
UNDO_WAITS = PUT_OFF | {"backend_unreachable", "timeout"}
"""Why a close or a reversal is not carried out yet; it is asked for again by itself."""
_RETRY = PUT_OFF | {"envelope_stale"}
_UNKNOWN = frozenset({"backend_unreachable", "timeout", "internal"})
_ANOTHER_LATER = frozenset(
    {"device_suspended", "pay_code_attempts", "pin_locked", "merchant_balance_short"}
)
"""Final for this request, though another may be taken later."""


def of_refusal(code: str, retry: Retry) -> Refused:
    """Sort a refusal's code, and the rule that came with it, into the three kinds above."""
    if code in _RETRY:
        return Refused.RETRY
    if code == "envelope_replayed":
        return Refused.RETRY_IN_DOUBT
    is_final = is_known(code) and (retry == "never" or code in _ANOTHER_LATER)
    return Refused.FINAL if is_final and code not in _UNKNOWN else Refused.UNKNOWN


STEP_OF_RESULT: dict[PaymentState, Step] = {
    PaymentState.CREATED: Step.AWAIT_PAYER,
    PaymentState.AWAITING_PAYER: Step.AWAIT_PAYER,
    PaymentState.PROCESSING: Step.AWAIT_PAYER,
    PaymentState.UNKNOWN: Step.LOSE_CONTACT,
    PaymentState.CAPTURED: Step.PAY,
    PaymentState.PARTIALLY_REFUNDED: Step.PAY,
    PaymentState.REFUNDED: Step.PAY,
    PaymentState.DECLINED: Step.DECLINE,
    PaymentState.CLOSED: Step.END,
    PaymentState.EXPIRED: Step.END,
    PaymentState.REVERSED: Step.END,
}


def of_result(state: PaymentState, *, has_code: bool) -> Step:
    """The step that a signed payment result takes; a code to show makes it `SHOW_CODE`."""
    if state is PaymentState.AWAITING_PAYER and has_code:
        return Step.SHOW_CODE
    return STEP_OF_RESULT[state]
