"""The frames of the line: two bytes of length, TPDU, header, message. No socket: bytes in, frames
out.

Rule 1: the length is big-endian and does not count itself.
Rule 2: an answer swaps the TPDU's destination and source.
Rule 3: a length that cannot be is the end of the line: nothing after it can be found again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from backend.channels.iso8583.limits import FRAME_BYTES_MAX, FRAME_BYTES_MIN
from protocol.errors import CallerError

_TPDU_ID = 0x60
_TPDU_BYTES, _HEADER_BYTES = 5, 6
_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. ``destination`` and ``source`` are the TPDU's; ``header`` is six BCD bytes: class
    (2 digits), software version (2), terminal state (1), request (1), sub-version (6)."""

    body: bytes
    destination: int = 0x0003
    source: int = 0x0000
    header: bytes = bytes.fromhex("603200320072")

    def answer(self, body: bytes) -> "Frame":
        """The frame that carries the answer to this one."""
        return Frame(body, self.source, self.destination, self.header)


def write_frame(frame: Frame) -> bytes:
    """The bytes of a frame."""
    tpdu = bytes([_TPDU_ID]) + frame.destination.to_bytes(2) + frame.source.to_bytes(2)
    content = tpdu + frame.header + frame.body
    assert len(frame.header) == _HEADER_BYTES
    assert FRAME_BYTES_MIN <= len(content) <= FRAME_BYTES_MAX
    return len(content).to_bytes(_LENGTH_BYTES) + content


class FrameDecoder:
    """Bytes as they come, frames as they are whole. After an error it is of no more use."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now; ``frame_rejected`` for a length or an address that cannot
        be. Feed no more than a read's worth at a time: what is fed is held."""
        self._pending += data
        while len(self._pending) >= _LENGTH_BYTES:
            length = int.from_bytes(self._pending[:_LENGTH_BYTES])
            if not FRAME_BYTES_MIN <= length <= FRAME_BYTES_MAX:
                raise CallerError("frame_rejected", f"length {length}")
            end = _LENGTH_BYTES + length
            if len(self._pending) < end:
                return
            content = bytes(self._pending[_LENGTH_BYTES:end])
            del self._pending[:end]
            yield _read_content(content)

    def finish(self) -> None:
        """The line has ended: ``frame_rejected`` if it ended within a frame."""
        if self._pending:
            raise CallerError("frame_rejected", f"truncated after {len(self._pending)} bytes")


def _read_content(content: bytes) -> Frame:
    if content[0] != _TPDU_ID:
        raise CallerError("frame_rejected", f"TPDU {content[0]:02X}")
    header = content[_TPDU_BYTES : _TPDU_BYTES + _HEADER_BYTES]
    if not header.hex().isdigit():
        raise CallerError("frame_rejected", "the header is not BCD")
    return Frame(
        body=content[_TPDU_BYTES + _HEADER_BYTES :],
        destination=int.from_bytes(content[1:3]),
        source=int.from_bytes(content[3:5]),
        header=header,
    )
