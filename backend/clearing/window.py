"""The clearing windows: one for each channel and settlement date. Pure.

Rule 1: a window takes payments until it is closed, and closing it opens the next. Which window a
        payment is in follows from its settlement date alone.
Rule 2: a closed window waits for the channel's file, a reconciled one for the channel's money. One
        without any payment goes the same way with a net of zero, and asks for no money.
"""

from enum import StrEnum

from protocol.errors import CallerError


class WindowState(StrEnum):
    """Where a channel's day is."""

    OPEN = "open"
    CLOSED = "closed"
    """The day is over: nothing new comes into it."""
    PENDING_SETTLEMENT = "pending_settlement"
    """Its file and our books agree; the money is not here."""
    SETTLED = "settled"
    """The statement shows the money, or there was none to move."""


class WindowStep(StrEnum):
    """What happens to a channel's day."""

    CLOSE = "close"
    RECONCILE = "reconcile"
    SETTLE = "settle"
    REOPEN = "reopen"
    """A later comparison differs: what was found then must be looked at first."""


_S, _T = WindowState, WindowStep
TRANSITIONS: dict[tuple[WindowState, WindowStep], WindowState] = {
    (_S.OPEN, _T.CLOSE): _S.CLOSED,
    (_S.CLOSED, _T.RECONCILE): _S.PENDING_SETTLEMENT,
    (_S.PENDING_SETTLEMENT, _T.SETTLE): _S.SETTLED,
    (_S.PENDING_SETTLEMENT, _T.REOPEN): _S.CLOSED,
}


def next_state(state: WindowState, step: WindowStep) -> WindowState:
    """The state a step leads to; ``CallerError("window_state")`` where there is no edge."""
    found = TRANSITIONS.get((state, step))
    if found is None:
        raise CallerError("window_state", f"{step} in {state}")
    return found


def steps_to(
    state: WindowState, *, is_over: bool, is_reconciled: bool, is_settled: bool
) -> tuple[WindowStep, ...]:
    """The steps that bring a window to where the facts are; none that it has taken already."""
    steps = []
    if state is _S.OPEN and is_over:
        steps.append(_T.CLOSE)
        state = _S.CLOSED
    if state is _S.CLOSED and is_reconciled:
        steps.append(_T.RECONCILE)
        state = _S.PENDING_SETTLEMENT
    if state is _S.PENDING_SETTLEMENT:
        if not is_reconciled:
            steps.append(_T.REOPEN)
        elif is_settled:
            steps.append(_T.SETTLE)
    return tuple(steps)
