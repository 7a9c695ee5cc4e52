"""Reads a line as people look at it: what a side breaks off is told, and does not swallow what
comes after it. Pure: the times are given.
"""

from firmware_sim.frames import Frame, FrameDecoder, Side
from firmware_sim.limits import BROKEN_OFF_MS, TURN_QUIET_MS

_OTHER = {Side.HOST: Side.DEVICE, Side.DEVICE: Side.HOST}


class LineReader:
    """A decoder with a sense of time. A frame is broken off when its side has been silent for
    ``BROKEN_OFF_MS``, or for ``TURN_QUIET_MS`` when the other side speaks."""

    def __init__(self, decoder: FrameDecoder) -> None:
        self._decoder = decoder
        self._heard_ms: dict[Side, int] = {}

    def feed(self, side: Side, data: bytes, at_ms: int) -> list[Frame]:
        """Take what one side said; returns the frames that are complete or broken off now."""
        other = self._rest(_OTHER[side], at_ms, TURN_QUIET_MS)
        own = self._rest(side, at_ms, BROKEN_OFF_MS)
        self._heard_ms[side] = at_ms
        return [*other, *own, *self._decoder.feed(side, data)]

    def settle(self, now_ms: int) -> list[Frame]:
        """What has been broken off by now."""
        return [frame for side in Side for frame in self._rest(side, now_ms, BROKEN_OFF_MS)]

    def end(self) -> list[Frame]:
        """Nobody listens any more: all that has begun, however lately."""
        self._heard_ms.clear()
        return [frame for side in Side for frame in self._decoder.rest(side)]

    def _rest(self, side: Side, now_ms: int, quiet_ms: int) -> list[Frame]:
        heard_ms = self._heard_ms.get(side)
        if heard_ms is None or now_ms - heard_ms < quiet_ms:
            return []
        del self._heard_ms[side]
        return self._decoder.rest(side)
