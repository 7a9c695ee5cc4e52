"""Virtual time: one heap of (time, sequence, action). Nothing waits; time is the next event's."""

import hashlib
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

Action = Callable[[], object]
MINUTE_MS = 60_000
START_MS = 1_795_406_400_000  # 2026-11-23T12:00:00 in the shop


class PowerCut(BaseException):
    """A program dies here: what it has not committed is gone. Nobody below may catch it."""


class Fuse:
    """Kills a program somewhere in the middle of one of its turns."""

    def __init__(self, name: str, dice: random.Random) -> None:
        self._name, self._dice = name, dice
        self._left: int | None = None

    def light(self, probability: float) -> None:
        """A turn begins; it may be the last."""
        is_last = self._dice.random() < probability
        self._left = self._dice.choice((0, 0, 1, 2, 5)) if is_last else None

    def burn(self) -> None:
        """One step of the turn. ``PowerCut`` if it is the last."""
        if self._left == 0:
            self._left = None
            raise PowerCut(self._name)
        if self._left is not None:
            self._left -= 1


class Schedule:
    """What will happen. Events of the same moment happen in the order in which they were made."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._heap: list[tuple[int, int, Action]] = []
        self._numbers = count()

    def after(self, ms: int, action: Action) -> None:
        """Do something later; never before now."""
        heapq.heappush(self._heap, (self.now_ms + max(ms, 0), next(self._numbers), action))

    def run_until(self, end_ms: int) -> None:
        """Let everything happen up to this moment."""
        while self._heap and self._heap[0][0] <= end_ms:
            at_ms, _, action = heapq.heappop(self._heap)
            self.now_ms = max(self.now_ms, at_ms)
            action()
        self.now_ms = end_ms


@dataclass
class DriftingClock:
    """A program's wall clock: the shop's time, wrong by an offset that may change."""

    schedule: Schedule
    start_ms: int
    offset_ms: int = 0

    def now_ms(self) -> int:
        return self.start_ms + self.schedule.now_ms + self.offset_ms

    def ticks_ms(self) -> int:
        return self.schedule.now_ms


class SeededEntropy:
    """Randomness that a seed repeats."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def token_bytes(self, count: int) -> bytes:
        return self._source.randbytes(count)


@dataclass(frozen=True)
class Note:
    """One thing that happened. ``payload`` is decoded only when somebody reads the trace."""

    at_ms: int
    who: str
    what: str
    payload: bytes = b""


@dataclass
class Trace:
    """Everything that happened, and a digest that two runs of one seed share."""

    schedule: Schedule
    notes: list[Note] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, who: str, what: str, payload: bytes = b"") -> None:
        note = Note(self.schedule.now_ms, who, what, payload)
        self.notes.append(note)
        self._digest.update(f"{note.at_ms} {who} {what} {len(payload)}\n".encode())

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()
