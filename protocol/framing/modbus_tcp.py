"""Modbus TCP frames (Messaging on TCP/IP Implementation Guide V1.0b §3.1.3), a client's side.

Rule 1: a frame is number, protocol 0, length, unit, function, data; TCP keeps it whole, so it has
no CRC. Rule 2: only the answer with the latest request's number is one: what comes late is dropped.
Rule 3: bytes that cannot be a head are dropped with all that is kept, since nothing tells where the
next frame begins.
"""

from protocol.framing.limits import MODBUS_FRAME_BYTES_MAX
from protocol.framing.modbus import Adu

_HEAD_BYTES = 6
_BODY_BYTES_MIN = 2
_BODY_BYTES_MAX = MODBUS_FRAME_BYTES_MAX - 2
"""As on a serial line, without its CRC."""


class TcpFraming:
    """Numbers requests, and cuts what comes back into frames."""

    def __init__(self) -> None:
        self._number = 0
        self._kept = bytearray()

    def encode(self, adu: Adu) -> bytes:
        """A request as it travels, under the next number."""
        self._number = (self._number + 1) & 0xFFFF
        body = bytes((adu.unit, adu.function)) + adu.data
        head = self._number.to_bytes(2, "big") + bytes(2) + len(body).to_bytes(2, "big")
        return head + body

    def clear(self) -> None:
        """Forget what has begun."""
        self._kept.clear()

    def feed(self, data: bytes) -> list[Adu | bytes]:
        """The answers to the latest request that ``data`` completes, and the bytes between."""
        found: list[Adu | bytes] = []
        self._kept += data
        while len(self._kept) >= _HEAD_BYTES:
            number, protocol, length = (
                int.from_bytes(self._kept[at : at + 2], "big") for at in (0, 2, 4)
            )
            if protocol != 0 or not _BODY_BYTES_MIN <= length <= _BODY_BYTES_MAX:
                found.append(bytes(self._kept))
                self._kept.clear()
                break
            if len(self._kept) < _HEAD_BYTES + length:
                break
            frame = bytes(self._kept[: _HEAD_BYTES + length])
            del self._kept[: len(frame)]
            body = frame[_HEAD_BYTES:]
            is_it = number == self._number
            found.append(Adu(body[0], body[1], body[2:]) if is_it else frame)
        return found
