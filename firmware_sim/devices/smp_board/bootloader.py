"""What runs before the firmware: swap the slots if asked, check the image, and start it.

A swap moves sector by sector through the scratch sector, from the images' end to their start:
scratch takes the secondary's, the secondary takes the primary's, the primary takes scratch. After
each move a word in the primary's trailer is programmed, so that a boot after a power cut repeats
at most the move that was under way (MCUboot ``docs/design.md``, "Image swapping").

Rule 1: every move can be repeated, for its source is untouched until its word is written.
Rule 2: a swap exists from its magic on. It is first written into scratch, then into the primary's
trailer, because erasing that one forgets that a revert was due.
Rule 3: the swap's end is one word, too: ``copy_done``, or ``image_ok`` where nothing is on trial.
"""

from dataclasses import dataclass

from firmware_sim.devices.smp_board.slots import Areas, sectors_of
from firmware_sim.limits import FLASH_SECTOR_BYTES
from protocol.framing import mcuboot_trailer
from protocol.framing.mcuboot import Flaw, Image
from protocol.framing.mcuboot_trailer import (
    COPY_DONE_AT,
    IMAGE_OK_AT,
    STATUS_AT,
    STEPS,
    WORD_BYTES,
    Mark,
    SwapType,
)


@dataclass(frozen=True, slots=True)
class Start:
    """How a boot ended. With a flaw in place of an image the board waits for a new one."""

    image: Image | Flaw
    swap: SwapType
    refused: Flaw | None


def boot(areas: Areas) -> Start:
    """One boot. Raises ``PowerCutError`` if the power fails in the middle; then boot again."""
    swap, refused = _finish_begun(areas), None
    if swap is SwapType.NONE:
        swap = areas.next_swap()
        if swap is not SwapType.NONE:
            new = areas.runnable(areas.secondary)
            if isinstance(new, Flaw):
                swap, refused = SwapType.NONE, new
                _refuse(areas)
            else:
                _begin(areas, swap, new)
    image = areas.runnable(areas.primary)
    if isinstance(image, Image) and _is_confirmed(areas):
        areas.counter.raise_to(image.security_counter)
    return Start(image, swap, refused)


def _finish_begun(areas: Areas) -> SwapType:
    """End the swap that a power cut interrupted, if there is one."""
    if not areas.primary.trailer().is_mid_swap:
        begun = areas.scratch.trailer()
        if not begun.is_mid_swap:
            return SwapType.NONE
        _adopt(areas, begun.swap_type or SwapType.NONE, begun.swap_size)
    return _swap(areas)


def _begin(areas: Areas, swap: SwapType, new: Image) -> None:
    old = areas.primary.image()
    swap_size = max(new.total_bytes, old.total_bytes if isinstance(old, Image) else 0)
    areas.scratch.erase_trailer()
    areas.scratch.begin_swap(swap, swap_size)
    _adopt(areas, swap, swap_size)
    _swap(areas)


def _adopt(areas: Areas, swap: SwapType, swap_size: int) -> None:
    areas.primary.erase_trailer()
    areas.primary.begin_swap(swap, swap_size)


def _swap(areas: Areas) -> SwapType:
    begun = areas.primary.trailer()
    swap = begun.swap_type or SwapType.NONE
    sectors = min(sectors_of(begun.swap_size), areas.primary.sectors - 1)
    for step in range(begun.steps_done, sectors * STEPS):
        _move(areas, sectors - 1 - step // STEPS, step % STEPS)
        areas.primary.mark(STATUS_AT + step * WORD_BYTES)
    areas.secondary.erase_trailer()
    areas.scratch.erase_trailer()
    if swap in (SwapType.PERMANENT, SwapType.REVERT):
        areas.primary.mark(IMAGE_OK_AT)
    areas.primary.mark(COPY_DONE_AT)
    return swap


def _move(areas: Areas, sector: int, step: int) -> None:
    ways = (
        (areas.secondary.sector_at(sector), areas.scratch.start),
        (areas.primary.sector_at(sector), areas.secondary.sector_at(sector)),
        (areas.scratch.start, areas.primary.sector_at(sector)),
    )
    source, target = ways[step]
    areas.flash.erase(target)
    areas.flash.program(target, areas.flash.read(source, FLASH_SECTOR_BYTES))


def _refuse(areas: Areas) -> None:
    """Drop a new image that may not run, and keep the old one for good."""
    areas.secondary.erase_trailer()
    areas.flash.erase(areas.secondary.start)
    if areas.primary.trailer().magic is Mark.SET:
        areas.primary.mark(mcuboot_trailer.IMAGE_OK_AT)


def _is_confirmed(areas: Areas) -> bool:
    trailer = areas.primary.trailer()
    return trailer.magic is not Mark.SET or trailer.image_ok is Mark.SET
