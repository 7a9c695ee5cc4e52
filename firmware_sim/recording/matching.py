"""Is what a driver says now what it said then? By meaning, not by time.

Rule 1: two frames are alike if name, validity and fields are, but for the fields that the kind
calls volatile. Rule 2: a frame said again is a retry and gets the same answer again. Rule 3:
retries in the recording may be missing now, and so may what was damaged on its way from the host
and got no answer. Anything else is a difference, and the first one ends the match: what came after
it means nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from firmware_sim.frames import DAMAGED_ZH, Frame, Side
from firmware_sim.recording.trace import Said


@dataclass(frozen=True, slots=True)
class Turn:
    """What the host said, and what the device said until the host spoke again."""

    host: Said | None
    answers: tuple[Said, ...]

    @property
    def has_to_come(self) -> bool:
        """Whether a host that says the same says this, too."""
        return self.host is None or self.host.valid or bool(self.answers)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that was not alike, in English and in Chinese."""

    expected: str
    came: str
    expected_zh: str
    came_zh: str

    @classmethod
    def between(cls, expected: Said | None, came: Frame | None) -> Self:
        """``None`` is nothing (more)."""
        return cls(
            expected.describe() if expected else "nothing more",
            came.describe() if came else "nothing",
            expected.describe(DAMAGED_ZH) if expected else "不再有消息",
            came.describe(DAMAGED_ZH) if came else "什么也没来",
        )

    def lines(self) -> tuple[str, str]:
        """For an English page."""
        return f"expected {self.expected}", f"came {self.came}"

    def lines_zh(self) -> tuple[str, str]:
        """For a Chinese page."""
        return f"应为 {self.expected_zh}", f"来了 {self.came_zh}"


def turns_of(said: Sequence[Said]) -> list[Turn]:
    """The recording as turns. Retries of the host that got no answer in between are one turn."""
    turns = [Turn(None, ())]
    for event in said:
        if event.side is Side.HOST:
            turns.append(Turn(event, ()))
        else:
            turns[-1] = Turn(turns[-1].host, (*turns[-1].answers, event))
    kept: list[Turn] = []
    for turn in turns:
        is_retry = bool(kept) and not kept[-1].answers and _said_alike(kept[-1].host, turn.host)
        if is_retry:
            kept[-1] = turn
        else:
            kept.append(turn)
    return kept if kept[0].answers else kept[1:]


def meaning(frame: Frame | Said, volatile: frozenset[str]) -> tuple[object, ...]:
    """What a frame says, without what differs from run to run."""
    is_valid = frame.is_valid if isinstance(frame, Frame) else frame.valid
    fields = tuple(sorted((k, str(v)) for k, v in frame.fields.items() if k not in volatile))
    return frame.side, frame.name, is_valid, fields


class TurnMatcher:
    """Follows a recording as a host speaks."""

    def __init__(self, turns: Sequence[Turn], volatile: frozenset[str] = frozenset()) -> None:
        self._turns = list(turns)
        self._volatile = volatile
        self._next = 0
        self.difference: Difference | None = None

    @property
    def turns_left(self) -> int:
        """How many turns have not come yet that have to."""
        return sum(turn.has_to_come for turn in self._turns[self._next :])

    def unasked(self) -> tuple[Said, ...]:
        """What the device says before the host has spoken at all."""
        if self._next == 0 and self._turns and self._turns[0].host is None:
            self._next = 1
            return self._turns[0].answers
        return ()

    def hear(self, frame: Frame) -> Turn | None:
        """The turn that this frame begins, or begins again; ``None`` once the host differs."""
        if self.difference is not None:
            return None
        upcoming = self._upcoming(frame)
        if upcoming is not None:
            self._next = upcoming + 1
            return self._turns[upcoming]
        if self._next and self._is(self._turns[self._next - 1], frame):
            return self._turns[self._next - 1]
        waiting = (turn.host for turn in self._turns[self._next :] if turn.has_to_come)
        self.difference = Difference.between(next(waiting, None), frame)
        return None

    def _upcoming(self, frame: Frame) -> int | None:
        """Which turn this frame begins: the next one that has not to be there."""
        for at in range(self._next, len(self._turns)):
            turn = self._turns[at]
            if self._is(turn, frame):
                return at
            if turn.has_to_come:
                return None
        return None

    def _is(self, turn: Turn, frame: Frame) -> bool:
        if turn.host is None:
            return False
        return meaning(turn.host, self._volatile) == meaning(frame, self._volatile)


def _said_alike(one: Said | None, other: Said | None) -> bool:
    if one is None or other is None:
        return False
    return meaning(one, frozenset()) == meaning(other, frozenset())
