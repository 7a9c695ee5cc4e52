"""The life of a conversation with a channel. Pure.

Rule 1: what was perhaps sent is never given up by the clock alone: it is asked about, then reversed
        at the channel until the channel confirms.
Rule 2: only what was certainly never sent (*planned*) may end without the channel's word.
Rule 3: a refund or a payout is never given up: it is asked about and sent again, with its own id,
        until the channel says yes or no.
Rule 4: what is nobody's here and is not taken back either is *stranded*: an operator tries again
        with a new conversation, or assigns the money to its payer. It stays in the list till then.
Rule 5: it is with one channel at a time. It goes on with another only when the first certainly does
        not have the order: no byte of it was sent, or the channel has confirmed its reversal.
"""

from dataclasses import dataclass
from enum import StrEnum

from backend.sagas.limits import (
    QUERIES_BEFORE_GIVING_UP_MIN,
    RETRY_DELAY_MS,
    RETRY_DELAY_MS_MAX,
)
from protocol.errors import CallerError


class SagaKind(StrEnum):
    """What the conversation is about."""

    PAY = "pay"
    REFUND = "refund"
    GIVE_BACK = "give_back"
    """A refund of what nobody wants: the payment was given up, the channel had settled it."""
    RETURN = "return"
    """A refund of what the channel has taken without our asking, named by its own number."""
    TOP_UP = "top_up"
    """A payer's own money, from a bank account to the balance."""
    PAYOUT = "payout"
    """A payer's own money, from the balance to a bank account."""


class SagaState(StrEnum):
    """Where a conversation is."""

    PLANNED = "planned"
    """Stored; nothing has been sent."""
    SENT = "sent"
    """Being sent, or perhaps sent: only the channel knows."""
    UNKNOWN = "unknown"
    """The channel did not answer in time; it is asked."""
    REVERSING = "reversing"
    """Given up; the channel is told until it confirms."""
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    REVERSED = "reversed"
    SETTLED = "settled"
    """Too late to be reversed: the channel keeps it, and a refund follows."""
    STRANDED = "stranded"
    """The channel keeps what is nobody's here, and will not have it back: an operator decides."""
    TRIED_ANEW = "tried_anew"
    """An operator has begun another conversation about the same money."""
    ASSIGNED = "assigned"
    """An operator has given the money to its payer's balance."""


class SagaStep(StrEnum):
    """What can happen to a conversation."""

    SEND = "send"
    SUCCEED = "succeed"
    REFUSE = "refuse"
    LOSE_CONTACT = "lose_contact"
    GIVE_UP = "give_up"
    CONFIRM_REVERSAL = "confirm_reversal"
    REFUSE_REVERSAL = "refuse_reversal"
    STRAND = "strand"
    TRY_ANEW = "try_anew"
    ASSIGN = "assign"
    POSTPONE = "postpone"
    REROUTE = "reroute"


class SagaEvent(StrEnum):
    """What has happened to a conversation."""

    PLANNED = "SagaPlanned"
    SENT = "SagaSent"
    SUCCEEDED = "SagaSucceeded"
    REFUSED = "SagaRefused"
    CONTACT_LOST = "SagaContactLost"
    GIVEN_UP = "SagaGivenUp"
    NEVER_SENT = "SagaNeverSent"
    SUCCEEDED_LATE = "SagaSucceededLate"
    REFUSED_LATE = "SagaRefusedLate"
    REVERSED = "SagaReversed"
    REVERSAL_REFUSED = "SagaReversalRefused"
    STRANDED = "SagaStranded"
    TRIED_ANEW = "SagaTriedAnew"
    ASSIGNED = "SagaAssigned"
    POSTPONED = "SagaPostponed"
    REROUTED = "SagaRerouted"


class Ask(StrEnum):
    """What is to be said to the channel now."""

    SEND = "send"
    QUERY = "query"
    REVERSE = "reverse"
    NOTHING = "nothing"
    """It was never sent and has waited too long: there is nothing to ask."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: SagaState
    event: SagaEvent


_S, _T, _E = SagaState, SagaStep, SagaEvent
_SUCCEEDED, _REFUSED = Edge(_S.SUCCEEDED, _E.SUCCEEDED), Edge(_S.REFUSED, _E.REFUSED)
_STRANDED = Edge(_S.STRANDED, _E.STRANDED)
_REROUTED = Edge(_S.PLANNED, _E.REROUTED)
_GIVEN_UP, _REVERSED = Edge(_S.REVERSING, _E.GIVEN_UP), Edge(_S.REVERSED, _E.REVERSED)

TRANSITIONS: dict[tuple[SagaState, SagaStep], Edge] = {
    (_S.PLANNED, _T.SEND): Edge(_S.SENT, _E.SENT),
    (_S.PLANNED, _T.GIVE_UP): Edge(_S.REVERSED, _E.NEVER_SENT),
    (_S.SENT, _T.SUCCEED): _SUCCEEDED,
    (_S.SENT, _T.REFUSE): _REFUSED,
    (_S.SENT, _T.STRAND): _STRANDED,
    (_S.SENT, _T.LOSE_CONTACT): Edge(_S.UNKNOWN, _E.CONTACT_LOST),
    (_S.SENT, _T.GIVE_UP): _GIVEN_UP,
    (_S.SENT, _T.CONFIRM_REVERSAL): _REVERSED,
    # Certainly not sent: it may be sent again, or to another channel.
    (_S.SENT, _T.POSTPONE): Edge(_S.PLANNED, _E.POSTPONED),
    (_S.SENT, _T.REROUTE): _REROUTED,
    (_S.UNKNOWN, _T.SUCCEED): _SUCCEEDED,
    (_S.UNKNOWN, _T.REFUSE): _REFUSED,
    (_S.UNKNOWN, _T.STRAND): _STRANDED,
    (_S.UNKNOWN, _T.GIVE_UP): _GIVEN_UP,
    (_S.UNKNOWN, _T.CONFIRM_REVERSAL): _REVERSED,
    (_S.SUCCEEDED, _T.GIVE_UP): _GIVEN_UP,
    (_S.REVERSING, _T.SUCCEED): Edge(_S.REVERSING, _E.SUCCEEDED_LATE),
    (_S.REVERSING, _T.REFUSE): Edge(_S.REVERSING, _E.REFUSED_LATE),
    (_S.REVERSING, _T.CONFIRM_REVERSAL): _REVERSED,
    (_S.REVERSING, _T.REROUTE): _REROUTED,
    (_S.REVERSING, _T.REFUSE_REVERSAL): Edge(_S.SETTLED, _E.REVERSAL_REFUSED),
    (_S.STRANDED, _T.TRY_ANEW): Edge(_S.TRIED_ANEW, _E.TRIED_ANEW),
    (_S.STRANDED, _T.ASSIGN): Edge(_S.ASSIGNED, _E.ASSIGNED),
}
TAKING = frozenset({SagaKind.PAY, SagaKind.TOP_UP})
"""What takes a payer's money, and can be undone by a reversal."""
OPEN_STATES = frozenset({_S.PLANNED, _S.SENT, _S.UNKNOWN, _S.REVERSING})
"""States in which the channel still owes a word."""


def next_state(state: SagaState, step: SagaStep) -> Edge:
    """The edge a step takes; raises ``CallerError("payment_state")`` where there is none."""
    edge = TRANSITIONS.get((state, step))
    if edge is None:
        raise CallerError("payment_state", f"{step} in {state}")
    return edge


def ask_now(
    kind: SagaKind,
    state: SagaState,
    *,
    tries: int,
    is_overdue: bool,
    can_query: bool = True,
    has_fallback: bool = False,
) -> Ask:
    """What to say to the channel in this state, after so many tries.

    Where the channel cannot be asked (``can_query``), an unknown order is reversed. Where another
    channel could take it (``has_fallback``), it is not asked about for as long.
    """
    is_taking = kind in TAKING
    if state is SagaState.PLANNED:
        return Ask.NOTHING if is_taking and is_overdue else Ask.SEND
    if state is SagaState.REVERSING:
        return Ask.REVERSE
    assert state in OPEN_STATES
    has_asked = tries > 1 + QUERIES_BEFORE_GIVING_UP_MIN  # the first try was the order itself
    is_given_up = has_asked and (is_overdue or has_fallback)
    return Ask.REVERSE if is_taking and (is_given_up or not can_query) else Ask.QUERY


def retry_delay_ms(tries: int) -> int:
    """How long to wait after so many tries: twice as long each time, up to a bound."""
    return min(RETRY_DELAY_MS << min(tries - 1, 16), RETRY_DELAY_MS_MAX)
