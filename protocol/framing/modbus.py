"""Modbus RTU frames (Modbus over serial line V1.02 §2.5; application protocol V1.1b3 §6).

Rule 1: a frame is unit, function, data, and a CRC-16 (polynomial A001 reflected, start FFFF), low
byte first. Rule 2: a parser knows a frame's end from its function; what has a function it does not
know ends with a silence (``finish``). Rule 3: bytes that begin no sound frame are dropped one by
one, and at most one frame is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from protocol.framing.limits import MODBUS_FRAME_BYTES_MAX

READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_REGISTERS = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS = 5, 6, 16
COIL_ON, COIL_OFF = 0xFF00, 0x0000
BITS_MAX, REGISTERS_MAX, WRITTEN_MAX = 2000, 125, 123
_ERROR_BIT = 0x80
_CRC_BYTES = 2
_FRAME_BYTES_MIN = 4
_FIXED = frozenset({READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_REGISTERS, WRITE_COIL})
_FIXED_REQUESTS = _FIXED | {WRITE_REGISTER}
_READS = _FIXED - {WRITE_COIL}
_ECHOES = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS})

Side = Literal["request", "response"]


class Refusal(IntEnum):
    """Exception codes (§7)."""

    FUNCTION = 1
    ADDRESS = 2
    VALUE = 3
    DEVICE_FAILURE = 4


@dataclass(frozen=True, slots=True)
class Adu:
    """One frame without its CRC."""

    unit: int
    function: int
    data: bytes = b""

    @property
    def refusal(self) -> int | None:
        """The exception code of an answer that refuses; None for any other frame."""
        return self.data[0] if self.function & _ERROR_BIT and self.data else None

    def words(self) -> tuple[int, ...]:
        """The data as 16-bit numbers, high byte first; an odd byte at the end is left out."""
        even = len(self.data) // 2 * 2
        return tuple(int.from_bytes(self.data[at : at + 2], "big") for at in range(0, even, 2))


def crc16_modbus(data: bytes) -> int:
    """The checksum of ``data``; of ``b"123456789"`` it is 0x4B37."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def encode(adu: Adu) -> bytes:
    """The frame as it travels."""
    body = bytes((adu.unit, adu.function)) + adu.data
    return body + crc16_modbus(body).to_bytes(2, "little")


def read(unit: int, function: int, address: int, count: int) -> Adu:
    """Ask for bits or registers."""
    return Adu(unit, function, address.to_bytes(2, "big") + count.to_bytes(2, "big"))


def write_coil(unit: int, address: int, *, is_on: bool) -> Adu:
    """Set one bit."""
    value = COIL_ON if is_on else COIL_OFF
    return Adu(unit, WRITE_COIL, address.to_bytes(2, "big") + value.to_bytes(2, "big"))


def write_registers(unit: int, address: int, values: Sequence[int]) -> Adu:
    """Set registers that follow each other."""
    head = address.to_bytes(2, "big") + len(values).to_bytes(2, "big") + bytes((2 * len(values),))
    return Adu(unit, WRITE_REGISTERS, head + b"".join(one.to_bytes(2, "big") for one in values))


def refuse(adu: Adu, code: int) -> Adu:
    """The answer that refuses a request."""
    return Adu(adu.unit, adu.function | _ERROR_BIT, bytes((code,)))


def counted(data: bytes) -> bytes:
    """The data of an answer to a read: its length first."""
    return bytes((len(data),)) + data


def bits(values: Sequence[bool]) -> bytes:
    """Bits as an answer has them: the first is the lowest of the first byte."""
    packed = sum(1 << at for at, value in enumerate(values) if value)
    return packed.to_bytes((len(values) + 7) // 8, "little")


def registers_of(answer: Adu) -> tuple[int, ...]:
    """The registers in the answer to a read; empty if its length does not fit."""
    is_sound = bool(answer.data) and answer.data[0] == len(answer.data) - 1
    return Adu(answer.unit, answer.function, answer.data[1:]).words() if is_sound else ()


def bit_of(answer: Adu, at: int) -> bool:
    """One bit in the answer to a read; False where it has none."""
    byte = 1 + at // 8
    return byte < len(answer.data) and bool(answer.data[byte] >> at % 8 & 1)


class FrameParser:
    """Cuts one side's bytes into frames."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._kept = bytearray()

    @property
    def unfinished(self) -> bytes:
        """What has come of a frame that is not complete."""
        return bytes(self._kept)

    @property
    def is_idle(self) -> bool:
        """Whether no part of a frame is kept."""
        return not self._kept

    def clear(self) -> None:
        """Forget what has begun."""
        self._kept.clear()

    def feed(self, data: bytes) -> list[Adu | bytes]:
        """The frames that ``data`` completes, and the bytes between them that are none."""
        found: list[Adu | bytes] = []
        self._kept += data
        while len(self._kept) >= _FRAME_BYTES_MIN:
            length = _length(self._side, self._kept)
            if length is None and len(self._kept) <= MODBUS_FRAME_BYTES_MAX:
                break
            if length is not None and length > len(self._kept):
                break
            adu = _adu(bytes(self._kept[:length])) if length is not None else None
            found.append(adu if adu is not None else bytes(self._kept[:1]))
            del self._kept[: length if adu is not None else 1]
        return found

    def turn_over(self) -> list[Adu]:
        """The other side speaks: what is kept is over, if it is a sound frame."""
        adu = _adu(bytes(self._kept)) if len(self._kept) >= _FRAME_BYTES_MIN else None
        if adu is None:
            return []
        self._kept.clear()
        return [adu]

    def finish(self) -> list[Adu | bytes]:
        """A silence: what is kept is one frame, or none."""
        kept = bytes(self._kept)
        self._kept.clear()
        if not kept:
            return []
        adu = _adu(kept) if len(kept) >= _FRAME_BYTES_MIN else None
        return [adu if adu is not None else kept]


class RtuFraming(FrameParser):
    """A master's side of a serial line."""

    def __init__(self) -> None:
        super().__init__("response")

    def encode(self, adu: Adu) -> bytes:
        """A request as it travels."""
        return encode(adu)


def _length(side: Side, kept: bytearray) -> int | None:
    """How long the frame is that begins so; None where only a silence tells."""
    function = kept[1]
    if side == "request":
        if function in _FIXED_REQUESTS:
            return 8
        if function == WRITE_REGISTERS:
            return 9 + kept[6] if len(kept) > 6 else 9
        return None
    if function & _ERROR_BIT:
        return 5
    if function in _READS:
        return 5 + kept[2]
    return 8 if function in _ECHOES else None


def _adu(frame: bytes) -> Adu | None:
    body, crc = frame[:-_CRC_BYTES], int.from_bytes(frame[-_CRC_BYTES:], "little")
    return Adu(body[0], body[1], body[2:]) if crc16_modbus(body) == crc else None
