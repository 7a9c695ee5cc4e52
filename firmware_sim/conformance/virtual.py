"""The wire to a simulated device in virtual time: minutes of waiting pass in no time."""

from firmware_sim.conformance.check import CheckFailedError
from firmware_sim.conformance.watched import Watched
from firmware_sim.frames import FrameDecoder, Side
from firmware_sim.hosting import VirtualBoard
from firmware_sim.limits import DRAIN_BYTES_MAX, DRAIN_S_MAX
from firmware_sim.transports.memory import MemoryLine


class VirtualWire(Watched):
    """``Wire`` to one device of a ``VirtualBoard``. It remembers the last frames."""

    def __init__(self, board: VirtualBoard, device: str, decoder: FrameDecoder) -> None:
        super().__init__(decoder)
        self._board = board
        self._device = device

    def send(self, data: bytes) -> None:
        """As ``Wire.send``."""
        self._remember(Side.HOST, data)
        self._board.send(self._device, data)

    def receive(self, count: int, timeout_s: float) -> bytes:
        """As ``Wire.receive``."""
        data = self._board.receive(self._device, count, within_ms=round(timeout_s * 1000))
        self._remember(Side.DEVICE, data)
        return data

    def drain(self, quiet_s: float) -> bytes:
        """As ``Wire.drain``."""
        heard, until_ms = bytearray(), self._board.now_ms + DRAIN_S_MAX * 1000
        while piece := self.receive(1, quiet_s):
            heard += piece
            if len(heard) > DRAIN_BYTES_MAX or self._board.now_ms > until_ms:
                raise CheckFailedError("silence", f"{len(heard)} bytes without a pause")
        return bytes(heard)

    def set_baud(self, rate: int) -> None:
        """As ``Wire.set_baud``."""
        line = self._board.board.link(self._device).line
        if isinstance(line, MemoryLine):
            line.baud = rate

    def now_s(self) -> float:
        """The time on this wire, which is virtual: however slow the machine is."""
        return self._board.now_ms / 1000

    def pause(self, seconds: float) -> None:
        """As ``Wire.pause``."""
        self._board.pass_time(round(seconds * 1000))
