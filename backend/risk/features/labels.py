"""What became known of one entity's events: pure, in the order in which it became known.

Rule: a label stands until another of its event is known. One that comes when its event has left the
entity's widest window corrects nothing: what was counted then is over.
"""

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable

from backend.risk.features.plan import Window

NEVER = -1

_State = tuple[int, int, int, int]
"""The latest fraud and the latest legitimate event, the length of the run of frauds that became
known last, and when it began."""
_Entry = tuple[int, int, bool, int]
"""Since when, the event's time, the verdict; and ``NEVER``, or, where this verdict is taken back,
since when it had been known."""


class Labels:
    """The labels of one entity. ``available`` and what runs beside it are in order of
    (available_at, at); the windows' edges are sorted, each for itself."""

    __slots__ = (
        "_before", "_known", "available", "edges", "fraud_at", "legitimate_at", "run", "run_at",
    )  # fmt: skip

    def __init__(self, windows: int) -> None:
        self._known: list[_Entry] = []
        self._before: _State = (NEVER, NEVER, 0, NEVER)
        self.available = array("q")
        self.fraud_at = array("q")
        self.legitimate_at = array("q")
        self.run = array("q")
        self.run_at = array("q")
        self.edges = [(array("q"), array("q")) for _ in range(windows)]

    def learn(self, at: int, available_at: int, windows: list[Window], *, is_fraud: bool) -> None:
        """Keep one more label. It counts in a window from when the event is old enough and the
        label known, until the event has left the window."""
        self._keep((available_at, at, is_fraud, NEVER))
        if not is_fraud:
            return
        for window, (starts, ends) in zip(windows, self.edges, strict=True):
            start, end = max(at + window.ends, available_at), at + window.begins
            if start < end:
                insort(starts, start)
                insort(ends, end)

    def take_back(
        self, at: int, available_at: int, windows: list[Window], *, is_fraud: bool, since: int
    ) -> None:
        """From ``available_at`` on the label that was known ``since`` then no longer stands."""
        if (since, at, is_fraud, NEVER) not in self._known:
            return
        self._keep((available_at, at, is_fraud, since))
        if not is_fraud:
            return
        for window, (_, ends) in zip(windows, self.edges, strict=True):
            start, end = max(at + window.ends, since), at + window.begins
            place = bisect_left(ends, end)
            if start < end and available_at < end and place < len(ends) and ends[place] == end:
                del ends[place]
                insort(ends, max(start, available_at))

    def count(self, window: int, at: int) -> int:
        """How many frauds stand in the window of an event at this time."""
        starts, ends = self.edges[window]
        return bisect_right(starts, at) - bisect_right(ends, at)

    def known_by(self, at: int) -> int:
        """The place of the latest label that was known by then, or ``NEVER``."""
        return bisect_right(self.available, at) - 1

    def forget_before(self, at: int, oldest: int) -> None:
        """Drop what no event from then on can ask for: all but the last known by then, of events
        that are not younger than ``oldest``, since those may still be corrected."""
        gone, last = 0, self.known_by(at)
        while gone < last and self._known[gone][1] <= oldest:
            gone += 1
        for place in range(len(self._known) - 1, -1, -1):
            if place < gone:
                break
            gone = min(gone, self._place_of_taken(place))  # what it took back stays with it
        if gone > 0:
            self._before = self._state(gone - 1)
            del self._known[:gone]
            for column in self._columns():
                del column[:gone]
        for starts, ends in self.edges:
            over = bisect_right(ends, at)
            del starts[:over], ends[:over]

    def _place_of_taken(self, place: int) -> int:
        """Where the label is that the entry at a place takes back; its own place if it is none."""
        _, at, is_fraud, since = self._known[place]
        if since == NEVER:
            return place
        return bisect_left(self._known, (since, at, is_fraud, NEVER))

    def _columns(self) -> tuple["array[int]", ...]:
        return self.available, self.fraud_at, self.legitimate_at, self.run, self.run_at

    def _state(self, place: int) -> _State:
        return (
            self.fraud_at[place], self.legitimate_at[place], self.run[place], self.run_at[place],
        )  # fmt: skip

    def _keep(self, entry: _Entry) -> None:
        place = bisect_right(self._known, entry)
        self._known.insert(place, entry)
        for column in self._columns():
            del column[place:]
        for number in range(place, len(self._known)):
            self._extend(number)

    def _extend(self, place: int) -> None:
        entry = self._known[place]
        if entry[3] == NEVER:
            before = self._state(-1) if self.available else self._before
            state = _followed(before, (entry,))
        else:
            state = _followed(self._before, self._standing(place))
        self.available.append(entry[0])
        for column, value in zip(self._columns()[1:], state, strict=True):
            column.append(value)

    def _standing(self, place: int) -> list[_Entry]:
        """The labels up to an entry that it and those before it have not taken back."""
        standing: list[_Entry] = []
        for entry in self._known[: place + 1]:
            _, at, is_fraud, since = entry
            if since == NEVER:
                standing.append(entry)
            else:
                standing.remove((since, at, is_fraud, NEVER))
        return standing


def _followed(state: _State, labels: Iterable[_Entry]) -> _State:
    """What is known after these labels."""
    fraud_at, legitimate_at, run, run_at = state
    for _, at, is_fraud, _ in labels:
        if is_fraud:
            fraud_at = max(fraud_at, at)
            run, run_at = run + 1, run_at if run else at
        else:
            legitimate_at = max(legitimate_at, at)
            run, run_at = 0, at
    return fraud_at, legitimate_at, run, run_at
