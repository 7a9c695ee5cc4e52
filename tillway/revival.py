"""How a part that has ended comes back: when, how often, and when nobody tries any more.

Rule 1: all changes of a part's phase stand in ``TRANSITIONS``; nothing else assigns one.
Rule 2: no clock here: the time comes in, in seconds.
"""

import signal
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

BACK_OFF_S = (1, 2, 5, 10, 20)
"""How long to wait before each try in a row; after the last one has ended, too, nobody tries."""
TRIES_MAX = len(BACK_OFF_S)
STEADY_S = 60
"""A part that has run for so long is well: its next end is the first in a row again."""


class Phase(StrEnum):
    """Where a part stands."""

    RUNNING = "running"
    WAITING = "waiting"
    STARTING = "starting"
    FAILED = "failed"


class Turn(StrEnum):
    """What moves it."""

    ENDED = "ended"
    GAVE_UP = "gave_up"
    DUE = "due"
    ASKED = "asked"
    CAME_UP = "came_up"


TRANSITIONS: dict[tuple[Phase, Turn], Phase] = {
    (Phase.RUNNING, Turn.ENDED): Phase.WAITING,
    (Phase.RUNNING, Turn.GAVE_UP): Phase.FAILED,
    (Phase.WAITING, Turn.DUE): Phase.STARTING,
    (Phase.WAITING, Turn.ASKED): Phase.STARTING,
    (Phase.STARTING, Turn.CAME_UP): Phase.RUNNING,
    (Phase.STARTING, Turn.ENDED): Phase.WAITING,
    (Phase.STARTING, Turn.GAVE_UP): Phase.FAILED,
    (Phase.FAILED, Turn.ASKED): Phase.STARTING,
}


@dataclass(frozen=True, slots=True)
class End:
    """Why a part ended: by ``code`` (a signal's number, negative), or with ``reason`` before it was
    ready. ``tail`` are the last lines of its log."""

    code: int | None = None
    reason: str = ""
    tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revival:
    """One part. ``tries`` are in a row; ``ends`` are all since the stack was started."""

    name: str
    phase: Phase = Phase.RUNNING
    tries: int = 0
    ends: int = 0
    last: End | None = None
    _since_s: float = 0.0

    def ended(self, end: End, now_s: float) -> Self:
        """It has ended, or its start has."""
        is_first = self.phase is Phase.RUNNING and now_s - self._since_s >= STEADY_S
        tries = 0 if is_first else self.tries
        turn = Turn.ENDED if tries < TRIES_MAX else Turn.GAVE_UP
        return replace(
            self._moved(turn, now_s), tries=tries, ends=self.ends + 1, last=end
        )  # fmt: skip

    def is_due(self, now_s: float) -> bool:
        """Whether it is to be started now."""
        return self.phase is Phase.WAITING and now_s - self._since_s >= self.wait_s

    @property
    def wait_s(self) -> int:
        """How long it waits before its next try."""
        return BACK_OFF_S[min(self.tries, TRIES_MAX - 1)]

    def started(self, now_s: float) -> Self:
        """Its time has come."""
        return replace(self._moved(Turn.DUE, now_s), tries=self.tries + 1)

    def asked(self, now_s: float) -> Self:
        """A person wants it to be started, now and with all tries before it."""
        return replace(self._moved(Turn.ASKED, now_s), tries=1)

    @property
    def may_be_asked(self) -> bool:
        """Whether there is something to start."""
        return (self.phase, Turn.ASKED) in TRANSITIONS

    def came_up(self, now_s: float) -> Self:
        """It is ready."""
        return self._moved(Turn.CAME_UP, now_s)

    def _moved(self, turn: Turn, now_s: float) -> Self:
        return replace(self, phase=TRANSITIONS[self.phase, turn], _since_s=now_s)


def why_of(end: End) -> str:
    """In a few words."""
    if end.code is None:
        return end.reason
    return signal_name(end.code) or f"exit code {end.code}"


def signal_name(code: int) -> str:
    """The signal that ended a program with this code; nothing where none did."""
    known = {-number for number in signal.Signals}
    return signal.Signals(-code).name if code in known else ""
