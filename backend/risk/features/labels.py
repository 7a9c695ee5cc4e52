"""What became known of one entity's events: pure, in the order in which it became known."""

from array import array
from bisect import bisect_right, insort

from backend.risk.features.plan import Window

NEVER = -1


class Labels:
    """The labels of one entity. ``available`` and what runs beside it are in order of
    (available_at, at); the windows' edges are sorted, each for itself."""

    __slots__ = (
        "_before", "_known", "available", "edges", "fraud_at", "legitimate_at", "run", "run_at",
    )  # fmt: skip

    def __init__(self, windows: int) -> None:
        self._known: list[tuple[int, int, bool]] = []
        self._before = (NEVER, NEVER, 0, NEVER)
        self.available = array("q")
        self.fraud_at = array("q")
        self.legitimate_at = array("q")
        self.run = array("q")
        self.run_at = array("q")
        self.edges = [(array("q"), array("q")) for _ in range(windows)]

    def learn(self, at: int, available_at: int, windows: list[Window], *, is_fraud: bool) -> None:
        """Keep one more label. It counts in a window from when the event is old enough and the
        label known, until the event has left the window."""
        label = (available_at, at, is_fraud)
        if not self._known or self._known[-1] <= label:
            self._known.append(label)
            self._extend(label)
        else:
            place = bisect_right(self._known, label)
            self._known.insert(place, label)
            self._again(place)
        if not is_fraud:
            return
        for window, (starts, ends) in zip(windows, self.edges, strict=True):
            start, end = max(at + window.ends, available_at), at + window.begins
            if start < end:
                insort(starts, start)
                insort(ends, end)

    def count(self, window: int, at: int) -> int:
        """How many frauds stand in the window of an event at this time."""
        starts, ends = self.edges[window]
        return bisect_right(starts, at) - bisect_right(ends, at)

    def known_by(self, at: int) -> int:
        """The place of the latest label that was known by then, or ``NEVER``."""
        return bisect_right(self.available, at) - 1

    def forget_before(self, at: int) -> None:
        """Drop what no event from then on can ask for: all but the last known by then."""
        gone = self.known_by(at)
        if gone > 0:
            self._before = self._state(gone - 1)
            del self._known[:gone]
            for column in self._columns():
                del column[:gone]
        for starts, ends in self.edges:
            over = bisect_right(ends, at)
            del starts[:over], ends[:over]

    def _columns(self) -> tuple["array[int]", ...]:
        return self.available, self.fraud_at, self.legitimate_at, self.run, self.run_at

    def _state(self, place: int) -> tuple[int, int, int, int]:
        return (
            self.fraud_at[place], self.legitimate_at[place], self.run[place], self.run_at[place],
        )  # fmt: skip

    def _extend(self, label: tuple[int, int, bool]) -> None:
        available_at, at, is_fraud = label
        fraud_at, legitimate_at, run, run_at = self._state(-1) if self.available else self._before
        self.available.append(available_at)
        self.fraud_at.append(max(fraud_at, at) if is_fraud else fraud_at)
        self.legitimate_at.append(legitimate_at if is_fraud else max(legitimate_at, at))
        self.run_at.append(run_at if run and is_fraud else at)
        self.run.append(run + 1 if is_fraud else 0)

    def _again(self, place: int) -> None:
        for column in self._columns():
            del column[place:]
        for label in self._known[place:]:
            self._extend(label)
