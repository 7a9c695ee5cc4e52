"""A device that says again what a recorded one said, to a host that says again what was said.

It is as pure as any other: the recording comes in as turns, time as an argument. An answer comes
as long after the host's frame as it did in the recording.
"""

from firmware_sim.devices.device import Output
from firmware_sim.frames import FrameDecoder, Side
from firmware_sim.recording.matching import Difference, TurnMatcher
from firmware_sim.recording.trace import Said


class ReplayedDevice:
    """Plays one line of a trace."""

    def __init__(self, matcher: TurnMatcher, decoder: FrameDecoder, baud: int) -> None:
        self._matcher = matcher
        self._decoder = decoder
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
        outputs: list[Output] = []
        for frame in self._decoder.feed(Side.HOST, data):
            turn = self._matcher.hear(frame)
            if turn is not None and turn.host is not None:
                outputs += self._outputs(turn.answers, turn.host.t_ms, now_ms)
        return outputs

    def poll(self, now_ms: int) -> list[Output]:
        """What the recorded device said of itself before anybody spoke to it, by its time."""
        self._booted_ms = None
        return self._outputs(self._matcher.unasked(), 0, now_ms)

    def next_deadline_ms(self) -> int | None:
        """At once after the start; nothing happens here by time alone then."""
        return self._booted_ms

    def _outputs(self, answers: tuple[Said, ...], from_ms: int, now_ms: int) -> list[Output]:
        return [
            Output(now_ms + max(0, answer.t_ms - from_ms), answer.data(), self._baud)
            for answer in answers
        ]
