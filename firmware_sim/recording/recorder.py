"""The recorder listens to a board's lines and gives trace lines as frames complete.

What a side began to say and never finished is told as junk once it is clear that nothing follows.
"""

from collections import deque
from collections.abc import Callable

from pydantic import JsonValue

from firmware_sim.board import Board
from firmware_sim.frames import Frame, Side
from firmware_sim.limits import FRAMES_SHOWN_MAX
from firmware_sim.line_reading import LineReader
from firmware_sim.link import Tap
from firmware_sim.recording.trace import Event, Head, done, said

Keep = Callable[[Event], None]


class Recorder:
    """Hears all that happens on one board from now on. ``recent`` are the last events."""

    def __init__(self, board: Board, now_ms: Callable[[], int], keep: Keep | None = None) -> None:
        self.head = Head(
            tillway_trace=1, board=board.name, seed=board.seed,
            devices={name: kind.name for name, kind in board.kinds.items()},
        )  # fmt: skip
        self.recent: deque[Event] = deque(maxlen=FRAMES_SHOWN_MAX)
        self._now_ms = now_ms
        self._began_ms = now_ms()
        self._keeps: list[Keep] = [keep] if keep else []
        self._kinds = board.kinds
        self._readers: dict[str, LineReader] = {}
        board.listen(self._tap)
        board.watch(self._deed)

    def also(self, keep: Keep) -> None:
        """Let ``keep`` have every event from now on."""
        self._keeps.append(keep)

    def no_more(self, keep: Keep) -> None:
        """Let ``keep`` have nothing any more."""
        self._keeps.remove(keep)

    @property
    def passed_ms(self) -> int:
        """How long it has been listening: the time of an event that happens now."""
        return max(0, self._now_ms() - self._began_ms)

    def settle(self) -> None:
        """Tell what has been broken off by now: nothing else may ever be said on its line."""
        now_ms = self._now_ms()
        for device, reader in self._readers.items():
            self._say(device, reader.settle(now_ms), now_ms)

    def end(self) -> None:
        """Nobody listens any more: tell what has begun and is not finished, however lately."""
        now_ms = self._now_ms()
        for device, reader in self._readers.items():
            self._say(device, reader.end(), now_ms)

    def _tap(self, device: str) -> Tap:
        reader = self._readers[device] = LineReader(self._kinds[device].decoder())

        def hear(side: Side, data: bytes, at_ms: int) -> None:
            self._say(device, reader.feed(side, data, at_ms), at_ms)

        return hear

    def _say(self, device: str, frames: list[Frame], at_ms: int) -> None:
        for frame in frames:
            self._keep(said(frame, device, max(0, at_ms - self._began_ms)))

    def _deed(self, device: str, deed: str, words: dict[str, JsonValue]) -> None:
        self._keep(done(device, deed, words, self.passed_ms))

    def _keep(self, event: Event) -> None:
        self.recent.append(event)
        for keep in tuple(self._keeps):
            keep(event)
