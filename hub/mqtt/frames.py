"""Cut a byte stream into MQTT control packets (MQTT 5.0 §2.1).

Rule 1: never more than one unfinished packet is held, and never one above the limit: a length that
is too large is a fault before a byte of its body is kept.
Rule 2: how the stream was split on its way changes nothing.
"""

from mqtt5 import DisconnectReasonCode

from hub.mqtt.faults import WireError

_LENGTH_BYTES_MAX = 4
"""§1.5.5: a variable byte integer has at most four bytes."""


class FrameReader:
    """Collects bytes and gives whole packets. After a fault it gives no more."""

    __slots__ = ("_buffer", "_bytes_max", "fault")

    def __init__(self, bytes_max: int) -> None:
        self._buffer = b""
        self._bytes_max = bytes_max
        self.fault: WireError | None = None

    @property
    def held_bytes(self) -> int:
        """How much of an unfinished packet is held."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that ``data`` completes. A fault behind them is left in ``fault``."""
        if self.fault is not None:
            return []
        buffer = self._buffer + data if self._buffer else data
        frames: list[bytes] = []
        start = 0
        try:
            while (end := self._frame_end(buffer, start)) is not None:
                frames.append(buffer[start:end])
                start = end
        except WireError as fault:
            self.fault = fault
            start = len(buffer)
        self._buffer = buffer[start:]
        return frames

    def _frame_end(self, buffer: bytes, start: int) -> int | None:
        """Where the packet at ``start`` ends, or ``None`` while that cannot be known or reached."""
        length = shift = 0
        for position in range(start + 1, min(start + 1 + _LENGTH_BYTES_MAX, len(buffer))):
            byte = buffer[position]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                end = position + 1 + length
                if end - start > self._bytes_max:
                    raise WireError(DisconnectReasonCode.PACKET_TOO_LARGE, "packet too large")
                return end if end <= len(buffer) else None
            shift += 7
        if shift == 7 * _LENGTH_BYTES_MAX:
            raise WireError(DisconnectReasonCode.MALFORMED_PACKET, "length")
        return None
