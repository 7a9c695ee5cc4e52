"""What a wire remembers of what was said on it: the last frames, for the report."""

from collections.abc import Callable
from itertools import product

from firmware_sim.frames import Frame, FrameDecoder, Side
from firmware_sim.limits import FRAMES_SHOWN_MAX


class Watched:
    """The last frames of both sides; ``forgotten`` counts those that were said before them."""

    def __init__(self, decoder: FrameDecoder) -> None:
        self._decoder = decoder
        self._hears: list[Callable[[Frame], None]] = []
        self.frames: list[Frame] = []
        self.forgotten = 0

    def also(self, hear: Callable[[Frame], None]) -> None:
        """Let ``hear`` have every frame from now on, however many are remembered here."""
        self._hears.append(hear)

    def forget(self) -> None:
        """Begin anew."""
        self.frames, self.forgotten = [], 0

    def settle(self) -> None:
        """Nothing follows: what a side began and never finished is told, too."""
        self._add([frame for side in Side for frame in self._decoder.rest(side)])

    def _remember(self, side: Side, data: bytes) -> None:
        if data:
            self._add(self._decoder.feed(side, data))

    def _add(self, frames: list[Frame]) -> None:
        for frame, hear in product(frames, self._hears):
            hear(frame)
        said = [*self.frames, *frames]
        self.forgotten += max(0, len(said) - FRAMES_SHOWN_MAX)
        self.frames = said[-FRAMES_SHOWN_MAX:]
