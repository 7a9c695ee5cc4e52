"""What every card of type A is to a reader (ISO/IEC 14443-3)."""

from dataclasses import dataclass
from typing import Protocol

from protocol.errors import CallerError

HALT = b"\x50\x00"
UID_LENGTHS = (4, 7, 10)


@dataclass(frozen=True, slots=True)
class Nibble:
    """An answer of four bits: A is *done*, all else *refused*."""

    value: int


DONE = Nibble(0xA)
REFUSED = Nibble(0x0)
WRITE_REFUSED = Nibble(0x4)
CardAnswer = bytes | Nibble | None
"""``None``: the card is silent."""


class Card(Protocol):
    """A card in the field. ``sens_res`` is two bytes, the high one first."""

    @property
    def uid(self) -> bytes:
        """4, 7 or 10 bytes."""
        ...

    @property
    def sens_res(self) -> bytes:
        """The answer to the request (ATQA)."""
        ...

    @property
    def sel_res(self) -> int:
        """The answer to the selection (SAK)."""
        ...

    @property
    def is_halted(self) -> bool:
        """Whether it was put to sleep: until the field goes it hears a call by name only."""
        ...

    def select(self) -> None:
        """The reader has picked this card."""
        ...

    def power_off(self) -> None:
        """The field is gone."""
        ...

    def transceive(self, frame: bytes) -> CardAnswer:
        """Answer one frame."""
        ...


def checked_uid(uid: bytes) -> bytes:
    """The UID; ``field_invalid`` for one that no card has."""
    if len(uid) not in UID_LENGTHS or (len(uid) == 4 and uid[0] == 0x88):
        raise CallerError(
            "field_invalid",
            "a UID has 4, 7 or 10 bytes; one of 4 begins not with 88",
            detail_zh="UID 须有 4、7 或 10 字节，4 字节的不以 88 开头",
        )
    return uid


def crc_a(data: bytes) -> bytes:
    """CRC_A as it is sent, low byte first (ISO/IEC 14443-3, annex B)."""
    crc = 0x6363
    for value in data:
        mixed = (value ^ crc) & 0xFF
        mixed = (mixed ^ mixed << 4) & 0xFF
        crc = crc >> 8 ^ mixed << 8 ^ mixed << 3 ^ mixed >> 4
    return crc.to_bytes(2, "little")
