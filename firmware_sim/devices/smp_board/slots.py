"""The board's flash as its areas: two slots, scratch, and the security counter.

``primary | secondary | scratch (one sector) | counter (one sector)``. A slot's last sector holds
its trailer and never a part of an image, so that swapping images leaves the trailers in place.
"""

from dataclasses import dataclass

from firmware_sim.devices.smp_board.flash import Flash
from firmware_sim.limits import FLASH_SECTOR_BYTES
from protocol.framing import mcuboot, mcuboot_trailer
from protocol.framing.crc16 import crc16_xmodem
from protocol.framing.mcuboot import Flaw, Image, ImageKey
from protocol.framing.mcuboot_trailer import FLAG, MAGIC, SwapType, Trailer, word

_RECORD_BYTES = mcuboot_trailer.WORD_BYTES


@dataclass(frozen=True, slots=True)
class Slot:
    """A run of sectors that ends with a trailer."""

    flash: Flash
    start: int
    sectors: int

    @property
    def image_bytes_max(self) -> int:
        """How large an image may be."""
        return (self.sectors - 1) * FLASH_SECTOR_BYTES

    @property
    def end(self) -> int:
        """Where the next area begins."""
        return self.start + self.sectors * FLASH_SECTOR_BYTES

    def sector_at(self, number: int) -> int:
        """Where a sector begins."""
        return self.start + number * FLASH_SECTOR_BYTES

    def image(self) -> Image | Flaw:
        """The image that lies here, unchecked."""
        return mcuboot.read_image(self.flash.read(self.start, self.image_bytes_max))

    def trailer(self) -> Trailer:
        """What the trailer says."""
        count = mcuboot_trailer.TRAILER_BYTES
        return mcuboot_trailer.read_trailer(self.flash.read(self.end - count, count))

    def mark(self, offset: int, value: bytes = FLAG) -> None:
        """Program a field of the trailer; ``offset`` is one of ``mcuboot_trailer``."""
        self.flash.program(self.end + offset, value)

    def erase_trailer(self) -> None:
        """Forget what the trailer said."""
        self.flash.erase(self.sector_at(self.sectors - 1))

    def begin_swap(self, swap_type: SwapType, swap_size: int) -> None:
        """Write the trailer of a swap into an erased sector; the magic makes it count."""
        self.mark(mcuboot_trailer.SWAP_SIZE_AT, word(swap_size.to_bytes(4, "little")))
        self.mark(mcuboot_trailer.SWAP_INFO_AT, word(bytes([swap_type])))
        self.mark(mcuboot_trailer.MAGIC_AT, MAGIC)


@dataclass(frozen=True, slots=True)
class SecurityCounter:
    """The lowest counter an image may have: records ``value(4) crc(2)``, the highest counts.

    One sector of records is all the board will ever take, as with fuses.
    """

    flash: Flash
    start: int

    @property
    def value(self) -> int:
        """The counter; 0 on a new board."""
        values = [int.from_bytes(entry[:4], "little") for entry in self._records() if _holds(entry)]
        return max(values, default=0)

    def raise_to(self, value: int) -> None:
        """Never again less than ``value``. A counter that is used up stays where it is."""
        if value <= self.value:
            return
        for number, entry in enumerate(self._records()):
            if entry == b"\xff" * _RECORD_BYTES:
                raw = value.to_bytes(4, "little")
                record = word(raw + crc16_xmodem(raw).to_bytes(2, "little"))
                self.flash.program(self.start + number * _RECORD_BYTES, record)
                return

    def _records(self) -> list[bytes]:
        data = self.flash.read(self.start, FLASH_SECTOR_BYTES)
        return [data[at : at + _RECORD_BYTES] for at in range(0, len(data), _RECORD_BYTES)]


@dataclass(frozen=True, slots=True)
class Areas:
    """All of the board's flash, and the key that the bootloader was built with."""

    flash: Flash
    primary: Slot
    secondary: Slot
    scratch: Slot
    counter: SecurityCounter
    key: ImageKey | None

    @classmethod
    def on(cls, flash: Flash, slot_sectors: int, key: ImageKey | None) -> "Areas":
        """Divide the flash."""
        size = slot_sectors * FLASH_SECTOR_BYTES
        return cls(
            flash,
            Slot(flash, 0, slot_sectors),
            Slot(flash, size, slot_sectors),
            Slot(flash, 2 * size, 1),
            SecurityCounter(flash, 2 * size + FLASH_SECTOR_BYTES),
            key,
        )

    def runnable(self, slot: Slot) -> Image | Flaw:
        """The slot's image if it may run."""
        image = slot.image()
        if isinstance(image, Flaw):
            return image
        flaw = mcuboot.find_flaw(image, self.key)
        if flaw is None and image.security_counter < self.counter.value:
            flaw = Flaw.ROLLED_BACK
        return flaw or image

    def next_swap(self) -> SwapType:
        """What the next boot will be asked to do."""
        primary = self.primary.trailer()
        if primary.is_mid_swap and primary.swap_type is not None:
            return primary.swap_type
        return mcuboot_trailer.swap_type_of(primary, self.secondary.trailer())


def sectors_of(swap_size: int) -> int:
    """How many sectors a number of bytes touches."""
    return -(-swap_size // FLASH_SECTOR_BYTES)


def _holds(entry: bytes) -> bool:
    return crc16_xmodem(entry[:4]).to_bytes(2, "little") == entry[4:6]
