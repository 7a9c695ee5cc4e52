"""A device that says again what a recorded one said, to a host that says again what was said.

It is as pure as any other: the recording comes in as turns, time as an argument. An answer comes
as long after the host's frame as it did in the recording.
"""

from firmware_sim.devices.device import Output
from firmware_sim.frames import Frame, FrameDecoder, Side
from firmware_sim.limits import BROKEN_OFF_MS
from firmware_sim.line_reading import LineReader
from firmware_sim.recording.matching import Difference, TurnMatcher
from firmware_sim.recording.trace import Said


class ReplayedDevice:
    """Plays one line of a trace."""

    def __init__(self, matcher: TurnMatcher, decoder: FrameDecoder, baud: int) -> None:
        self._matcher = matcher
        self._reader = LineReader(decoder)
        self._heard_ms: int | None = None
        self._baud = baud
        self._booted_ms: int | None = None

    @property
    def baud(self) -> int:
        """The rate of the recorded line."""
        return self._baud

    @property
    def turns_left(self) -> int:
        """How many of the recording's turns have not come yet."""
        return self._matcher.turns_left

    @property
    def difference(self) -> Difference | None:
        """The first thing that the host said otherwise."""
        return self._matcher.difference

    def boot(self, now_ms: int) -> list[Output]:
        """The recording begins when the board does, however long the device has had power."""
        self._booted_ms = now_ms
        return []

    def feed(self, data: bytes, now_ms: int) -> list[Output]:
        """Answer as recorded."""
        self._heard_ms = now_ms
        return self._answers(self._reader.feed(Side.HOST, data, now_ms), now_ms)

    def _answers(self, frames: list[Frame], now_ms: int) -> list[Output]:
        outputs: list[Output] = []
        for frame in frames:
            turn = self._matcher.hear(frame)
            if turn is not None and turn.host is not None:
                outputs += self._outputs(turn.answers, turn.host.t_ms, now_ms)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """What the recorded device said of itself before anybody spoke to it, by its time; and what
        it said to what the host has broken off."""
        self._booted_ms = None
        outputs = self._outputs(self._matcher.unasked(), 0, now_ms)
        if self._heard_ms is not None and now_ms - self._heard_ms >= BROKEN_OFF_MS:
            self._heard_ms = None
        return outputs + self._answers(self._reader.settle(now_ms), now_ms)

    def next_deadline_ms(self) -> int | None:
        """At once after the start; then when the host has broken off what it began."""
        due = [] if self._booted_ms is None else [self._booted_ms]
        if self._heard_ms is not None and self.turns_left:
            due.append(self._heard_ms + BROKEN_OFF_MS)
        return min(due, default=None)

    def _outputs(self, answers: tuple[Said, ...], from_ms: int, now_ms: int) -> list[Output]:
        return [
            Output(now_ms + max(0, answer.t_ms - from_ms), answer.data(), self._baud)
            for answer in answers
        ]
