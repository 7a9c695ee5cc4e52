"""Breaks: what they are called, what is done about each, and the life of one. Pure.

Rule 1: every class has one action (``ACTIONS``); whoever reconciles asks the table.
Rule 2: a break is known by all that makes it (``break_id``), so that the same day reconciled again
        finds the same break and does nothing twice; with other amounts it is another break.
Rule 3: nothing is posted from a file that the money does not bear out: then it waits in the pool.
Rule 4: what was gone and comes back is for people.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from backend.reconciliation.limits import (
    FEE_ROUNDED_MINOR_MAX,
    FEES_ROUNDED_PER_DAY_MINOR_MAX,
    POOL_DAYS,
)
from protocol.errors import CallerError


class BreakClass(StrEnum):
    """What is wrong with a pair, or with a row that has none."""

    LONG_MISSING_ORDER = "LONG_MISSING_ORDER"
    """The institution has it, we do not."""
    LONG_STATUS = "LONG_STATUS"
    """The institution has it as a success, with us it failed or is unknown."""
    SHORT_MISSING_CHANNEL = "SHORT_MISSING_CHANNEL"
    """We have it, the institution does not."""
    AMOUNT = "AMOUNT"
    FEE = "FEE"
    CURRENCY = "CURRENCY"
    DUPLICATE = "DUPLICATE"
    """The institution has the same reference twice."""
    CUTOFF = "CUTOFF"
    """Both have it, under different business dates."""
    REFUND_PENDING = "REFUND_PENDING"
    """We have given it back, the institution has not yet."""
    LEDGER = "LEDGER"
    """Our order and our own posting differ."""
    FUNDS = "FUNDS"
    """The money that came is not the sum of the file."""
    POSITION = "POSITION"
    """A balance is not what explains it."""
    WALLET = "WALLET"
    """Our e-CNY wallet's operator states another sum than it told us payment by payment."""


class Action(StrEnum):
    """What is done at once about a break that was found."""

    POST = "post"
    """Into LONG or SHORT (rules 21 and 22)."""
    POOL = "pool"
    """Wait for the other side, at most ``POOL_DAYS``."""
    MARK = "mark"
    """Book it under the institution's date; nothing is missing."""
    ROUND = "round"
    """Up to a fen of fee is rounding, within the day's bound; else for people."""
    HAND_OVER = "hand_over"
    """For people."""


ACTIONS: dict[BreakClass, Action] = {
    BreakClass.LONG_MISSING_ORDER: Action.POST,
    BreakClass.LONG_STATUS: Action.POST,
    BreakClass.SHORT_MISSING_CHANNEL: Action.POOL,
    BreakClass.AMOUNT: Action.HAND_OVER,
    BreakClass.FEE: Action.ROUND,
    BreakClass.CURRENCY: Action.HAND_OVER,
    BreakClass.DUPLICATE: Action.POST,
    BreakClass.CUTOFF: Action.MARK,
    BreakClass.REFUND_PENDING: Action.POOL,
    BreakClass.LEDGER: Action.HAND_OVER,
    BreakClass.FUNDS: Action.HAND_OVER,
    BreakClass.POSITION: Action.HAND_OVER,
    BreakClass.WALLET: Action.HAND_OVER,
}
RETURNED_WHEN_AGED = frozenset({BreakClass.LONG_MISSING_ORDER, BreakClass.DUPLICATE})
"""What leaves LONG by a conversation with the channel when its time is over, unless a person has
said before whose it is."""
POSTED_WHEN_AGED = frozenset({BreakClass.SHORT_MISSING_CHANNEL})
"""What leaves the pool into SHORT when its time is over; everything else goes to people."""


class BreakState(StrEnum):
    """Where a break is."""

    POOLED = "pooled"
    """Waits for the other side."""
    POSTED = "posted"
    """Its money stands in LONG or SHORT."""
    RETURNING = "returning"
    """The channel is asked to take back what stands in LONG."""
    WAITING = "waiting"
    """Waits for a person; its day stays open, if it is not closed already."""
    GONE = "gone"
    """The other side has come, or the figures agree now."""
    RESOLVED = "resolved"
    WRITTEN_OFF = "written_off"


class BreakStep(StrEnum):
    """What can happen to a break."""

    POOL = "pool"
    POST = "post"
    MARK = "mark"
    ROUND = "round"
    HAND_OVER = "hand_over"
    REMATCH = "rematch"
    TAKE_BACK = "take_back"
    RESOLVE = "resolve"
    GIVE_BACK = "give_back"
    """What is long goes back to its payer, by a conversation with the channel."""
    ASK_BACK = "ask_back"
    """The channel is asked to take back a transaction by its own number."""
    KEEP = "keep"
    """It will not: a person decides, or asks once more."""
    ASSIGN = "assign"
    """What is long belongs to somebody here: a person says to whom."""
    WRITE_OFF = "write_off"


class BreakEvent(StrEnum):
    """What has happened to a break."""

    POOLED = "BreakPooled"
    POSTED = "BreakPosted"
    MARKED = "BreakMarked"
    ROUNDED = "BreakRounded"
    HANDED_OVER = "BreakHandedOver"
    REMATCHED = "BreakRematched"
    TAKEN_BACK = "BreakTakenBack"
    RESOLVED = "BreakResolved"
    GIVEN_BACK = "BreakGivenBack"
    ASKED_BACK = "BreakAskedBack"
    KEPT = "BreakKept"
    ASSIGNED = "BreakAssigned"
    WRITTEN_OFF = "BreakWrittenOff"


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: BreakState
    event: BreakEvent


_S, _T, _E = BreakState, BreakStep, BreakEvent
_POSTED, _HANDED_OVER = Edge(_S.POSTED, _E.POSTED), Edge(_S.WAITING, _E.HANDED_OVER)
_REMATCHED, _RESOLVED = Edge(_S.GONE, _E.REMATCHED), Edge(_S.RESOLVED, _E.RESOLVED)
_MARKED = Edge(_S.RESOLVED, _E.MARKED)
FIRST: dict[BreakStep, Edge] = {
    _T.POOL: Edge(_S.POOLED, _E.POOLED),
    _T.POST: _POSTED,
    _T.MARK: _MARKED,
    _T.ROUND: Edge(_S.RESOLVED, _E.ROUNDED),
    _T.HAND_OVER: _HANDED_OVER,
}
"""How a break begins."""
TRANSITIONS: dict[tuple[BreakState, BreakStep], Edge] = {
    (_S.POOLED, _T.POST): _POSTED,
    (_S.POOLED, _T.MARK): _MARKED,
    (_S.POOLED, _T.HAND_OVER): _HANDED_OVER,
    (_S.POOLED, _T.REMATCH): _REMATCHED,
    (_S.POSTED, _T.TAKE_BACK): Edge(_S.GONE, _E.TAKEN_BACK),
    (_S.GONE, _T.HAND_OVER): _HANDED_OVER,
    (_S.POSTED, _T.GIVE_BACK): Edge(_S.RESOLVED, _E.GIVEN_BACK),
    (_S.POSTED, _T.ASK_BACK): Edge(_S.RETURNING, _E.ASKED_BACK),
    (_S.RETURNING, _T.GIVE_BACK): Edge(_S.RESOLVED, _E.GIVEN_BACK),
    (_S.RETURNING, _T.KEEP): Edge(_S.POSTED, _E.KEPT),
    (_S.POSTED, _T.ASSIGN): Edge(_S.RESOLVED, _E.ASSIGNED),
    (_S.POSTED, _T.WRITE_OFF): Edge(_S.WRITTEN_OFF, _E.WRITTEN_OFF),
    (_S.WAITING, _T.REMATCH): _REMATCHED,
    (_S.WAITING, _T.RESOLVE): _RESOLVED,
}
OPEN_STATES = frozenset({_S.POOLED, _S.POSTED, _S.RETURNING, _S.WAITING})


def proposed(
    state: BreakState, excess_minor: int, *, can_go_back: bool = False
) -> BreakStep | None:
    """The one thing that a person is asked to do about an open break; None while it waits for the
    other side. ``excess_minor`` is what the institution has more than we: what is long goes back
    through the institution if it can, else it is assigned to whom it belongs; what is short is
    written off, and what was handed over is resolved."""
    match state:
        case BreakState.WAITING:
            return BreakStep.RESOLVE
        case BreakState.POSTED if excess_minor <= 0:
            return BreakStep.WRITE_OFF
        case BreakState.POSTED:
            return BreakStep.ASK_BACK if can_go_back else BreakStep.ASSIGN
    return None


def next_state(state: BreakState, step: BreakStep) -> Edge:
    """The edge a step takes; raises ``CallerError("break_state")`` where there is none."""
    edge = TRANSITIONS.get((state, step))
    if edge is None:
        raise CallerError("break_state", f"{step} in {state}")
    return edge


@dataclass(frozen=True, slots=True)
class Break:
    """One difference, with both sides' amounts (None where a side has nothing)."""

    kind: BreakClass
    source: str
    reference: str
    ours_minor: int | None
    theirs_minor: int | None
    number: int = 1
    """Of several with one reference: the second row of a reference is number 2."""
    ours_date: str = ""
    """Our business date, where it is another than the file's."""
    file_day: str = ""
    """The file's, where each day's is a break of its own: a duplicate."""
    may_change: bool = False
    """Our side still speaks with the institution: wait for what comes of it."""
    is_for_people: bool = False
    """Somebody here decides it first; until then its day stays open."""
    channel_reference: str = ""
    """The institution's own number of what only it has; empty where its file tells none."""
    account: str = ""
    """Whose money it is there, as the file says."""

    @property
    def break_id(self) -> str:
        """The same for the same difference, whenever it is found."""
        sides = (self.number, self.ours_minor, self.theirs_minor, self.file_day)
        key = "\0".join((self.source, self.kind, self.reference, *map(str, sides)))
        return f"brk_{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def action_of(found: Break, *, has_transit: bool, is_funded: bool, rounded_minor: int) -> BreakStep:
    """What is done about a break that was found. ``has_transit``: its source has accounts of money
    on its way, from which rules 21 and 22 post. ``is_funded``: the money that came is the file's
    sum. ``rounded_minor``: what the day has taken for rounding so far, with this one."""
    if found.is_for_people:
        return BreakStep.HAND_OVER
    match ACTIONS[found.kind]:
        case Action.POST if found.may_change or not is_funded:
            return BreakStep.POOL
        case Action.MARK if not is_funded:
            return BreakStep.POOL
        case Action.POST if has_transit:
            return BreakStep.POST
        case Action.ROUND if _is_rounding(found) and (
            rounded_minor <= FEES_ROUNDED_PER_DAY_MINOR_MAX
        ):
            return BreakStep.ROUND
        case Action.MARK:
            return BreakStep.MARK
        case Action.POOL:
            return BreakStep.POOL
    return BreakStep.HAND_OVER


def aged_step(kind: BreakClass, *, has_transit: bool) -> BreakStep:
    """What is done about a break whose time in the pool is over."""
    posts = kind in POSTED_WHEN_AGED and has_transit
    return BreakStep.POST if posts else BreakStep.HAND_OVER


def pool_ends(found_on: str) -> str:
    """The last business date on which a break may wait in the pool."""
    return (date.fromisoformat(found_on) + timedelta(days=POOL_DAYS)).isoformat()


def _is_rounding(found: Break) -> bool:
    return difference(found) <= FEE_ROUNDED_MINOR_MAX


def difference(found: Break) -> int:
    """How far apart the two sides are."""
    return abs((found.ours_minor or 0) - (found.theirs_minor or 0))
