"""The life of a callback: one table, asked by everybody.

Rule 1: nothing but ``next_state`` decides a new state.
Rule 2: *queued* is a promise of a broker, not of ours: its time runs out, and then the callback is
        as due as a pending one, whoever delivers now.
"""

from enum import StrEnum


class CallbackState(StrEnum):
    """Where a callback is."""

    PENDING = "pending"
    """To be tried when its time comes; while it is tried, that time is the end of a lease."""
    QUEUED = "queued"
    """A broker has confirmed that it keeps it."""
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up: a dead letter."""


class Step(StrEnum):
    """What may happen to a callback."""

    QUEUE = "queue"
    CLAIM = "claim"
    HAND_BACK = "hand_back"
    DELIVER = "deliver"
    FAIL = "fail"
    GIVE_UP = "give_up"
    REPLAY = "replay"


_S, _T = CallbackState, Step

TRANSITIONS: dict[tuple[CallbackState, Step], CallbackState] = {
    (_S.PENDING, _T.QUEUE): _S.QUEUED,
    (_S.PENDING, _T.CLAIM): _S.PENDING,
    (_S.PENDING, _T.HAND_BACK): _S.PENDING,
    (_S.PENDING, _T.DELIVER): _S.DELIVERED,
    (_S.PENDING, _T.FAIL): _S.PENDING,
    (_S.PENDING, _T.GIVE_UP): _S.DEAD,
    (_S.QUEUED, _T.QUEUE): _S.QUEUED,
    (_S.QUEUED, _T.CLAIM): _S.PENDING,
    (_S.QUEUED, _T.HAND_BACK): _S.PENDING,
    (_S.QUEUED, _T.DELIVER): _S.DELIVERED,
    (_S.QUEUED, _T.FAIL): _S.PENDING,
    (_S.QUEUED, _T.GIVE_UP): _S.DEAD,
    (_S.DEAD, _T.DELIVER): _S.DELIVERED,
    (_S.DEAD, _T.REPLAY): _S.PENDING,
}

OPEN_STATES = (_S.PENDING.value, _S.QUEUED.value)
"""States in which a callback may become due."""


def next_state(state: str, step: Step) -> str | None:
    """The state after a step; None where the step changes nothing any more."""
    found = TRANSITIONS.get((CallbackState(state), step))
    return None if found is None else found.value
