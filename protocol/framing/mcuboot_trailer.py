"""The trailer at the end of an MCUboot slot: what a swap is for and how far it has come.

``status | swap_size | swap_info | copy_done | image_ok | magic(16)`` ends with the slot; each
field takes one flash word of 8 bytes of which the first counts (MCUboot ``docs/design.md``,
"Image trailer", for flash whose write alignment is at most 8). Erased flash reads FF.
"""

from dataclasses import dataclass
from enum import IntEnum

MAGIC = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
WORD_BYTES = 8
SECTORS_MAX = 128
STEPS = 3
STATUS_BYTES = SECTORS_MAX * STEPS * WORD_BYTES
TRAILER_BYTES = STATUS_BYTES + 4 * WORD_BYTES + len(MAGIC)

# Offsets from the slot's end, all negative.
MAGIC_AT = -len(MAGIC)
IMAGE_OK_AT = MAGIC_AT - WORD_BYTES
COPY_DONE_AT = IMAGE_OK_AT - WORD_BYTES
SWAP_INFO_AT = COPY_DONE_AT - WORD_BYTES
SWAP_SIZE_AT = SWAP_INFO_AT - WORD_BYTES
STATUS_AT = SWAP_SIZE_AT - STATUS_BYTES

FLAG = b"\x01".ljust(WORD_BYTES, b"\xff")


class Mark(IntEnum):
    """What a field of the trailer says."""

    UNSET = 0
    SET = 1
    BAD = 2


class SwapType(IntEnum):
    """Why the two slots change places at the next boot; the value is what swap_info holds."""

    NONE = 1
    TEST = 2
    PERMANENT = 3
    REVERT = 4


@dataclass(frozen=True, slots=True)
class Trailer:
    """A slot's trailer. ``swap_size`` is in bytes; ``steps_done`` counts whole status words."""

    magic: Mark
    image_ok: Mark
    copy_done: Mark
    swap_type: SwapType | None
    swap_size: int
    steps_done: int

    @property
    def is_mid_swap(self) -> bool:
        """Whether a swap has begun here and not ended."""
        return (
            self.magic is Mark.SET
            and self.copy_done is Mark.UNSET
            and self.image_ok is Mark.UNSET
            and self.swap_type not in (None, SwapType.NONE)
        )


def read_trailer(slot_end: bytes) -> Trailer:
    """The trailer that ends ``slot_end``, which has at least ``TRAILER_BYTES`` bytes."""
    info = slot_end[SWAP_INFO_AT]
    low = info & 0x0F
    return Trailer(
        magic=_magic(slot_end[MAGIC_AT:]),
        image_ok=_flag(slot_end[IMAGE_OK_AT]),
        copy_done=_flag(slot_end[COPY_DONE_AT]),
        swap_type=SwapType(low) if info < 0xF0 and low in set(SwapType) else None,
        swap_size=int.from_bytes(slot_end[SWAP_SIZE_AT : SWAP_SIZE_AT + 4], "little"),
        steps_done=_steps(slot_end[STATUS_AT:SWAP_SIZE_AT]),
    )


def swap_type_of(primary: Trailer, secondary: Trailer) -> SwapType:
    """What is asked for at this boot (MCUboot ``docs/design.md``, "Swap types")."""
    if secondary.magic is Mark.SET and secondary.image_ok is Mark.UNSET:
        return SwapType.TEST
    if secondary.magic is Mark.SET and secondary.image_ok is Mark.SET:
        return SwapType.PERMANENT
    is_on_trial = (
        primary.magic is Mark.SET
        and primary.image_ok is Mark.UNSET
        and primary.copy_done is Mark.SET
    )
    if is_on_trial and secondary.magic is Mark.UNSET:
        return SwapType.REVERT
    return SwapType.NONE


def word(value: bytes) -> bytes:
    """A value as one flash word."""
    return value.ljust(WORD_BYTES, b"\xff")


def _flag(value: int) -> Mark:
    return {0x01: Mark.SET, 0xFF: Mark.UNSET}.get(value, Mark.BAD)


def _magic(data: bytes) -> Mark:
    if data == MAGIC:
        return Mark.SET
    return Mark.UNSET if data == b"\xff" * len(MAGIC) else Mark.BAD


def _steps(status: bytes) -> int:
    marks = status[::WORD_BYTES]
    return next((at for at, mark in enumerate(marks) if mark == 0xFF), len(marks))
