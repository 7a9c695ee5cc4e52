"""The image group of the board's SMP server: what lies in the slots, uploads, and what boots next.

Rule 1: a request that is refused changes nothing.
Rule 2: the slot that a revert needs, or that waits to be swapped, is not written to.
Source: Zephyr "SMP protocol", group "Application/software image management".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from firmware_sim.devices.smp_board.slots import Areas, Slot
from firmware_sim.devices.smp_board.upload import Upload
from firmware_sim.limits import FLASH_SECTOR_BYTES
from protocol import cbor
from protocol.framing import mcuboot
from protocol.framing.mcuboot import FLAG_NON_BOOTABLE, Flaw, Image
from protocol.framing.mcuboot_trailer import FLAG, IMAGE_OK_AT, MAGIC, MAGIC_AT, Mark, SwapType
from protocol.framing.smp import Error, Group, ImageError, Op

Fields = Mapping[int | str, object]
Answer = dict[str, object]
Command = tuple[int, int, int]
HASH_BYTES = 32


class RefusedError(Exception):
    """A request that the board does not do. A group's own code only means something in it."""

    def __init__(self, code: int, group: Group | None = None) -> None:
        super().__init__(code)
        self.code = int(code)
        self.group = group


@dataclass(slots=True)
class ImageGroup:
    """Answers the group's commands. In recovery an upload goes straight into the first slot.
    ``erases_pending``: as firmware built with ``MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING``, which
    Zephyr's is not by itself."""

    areas: Areas
    is_recovery: bool
    erases_pending: bool = False
    _upload: Upload | None = None

    @property
    def commands(self) -> dict[Command, Callable[[Fields], Answer]]:
        """Group, command and operation of each."""
        return {
            (Group.IMAGE, 0, Op.READ): self._states,
            (Group.IMAGE, 0, Op.WRITE): self._set_state,
            (Group.IMAGE, 1, Op.WRITE): self._take_piece,
            (Group.IMAGE, 5, Op.WRITE): self._erase,
            (Group.IMAGE, 6, Op.READ): self._slots,
        }

    def _states(self, _: Fields) -> Answer:
        swap = self.areas.next_swap()
        is_swapping = swap in (SwapType.TEST, SwapType.PERMANENT)
        is_on_trial = swap is SwapType.REVERT
        entries = (
            _entry(0, self.areas.primary, confirmed=not is_on_trial, active=not self.is_recovery),
            _entry(
                1, self.areas.secondary, confirmed=is_on_trial, pending=is_swapping,
                permanent=swap is SwapType.PERMANENT,
            ),
        )  # fmt: skip
        return {"images": [entry for entry in entries if entry is not None], "splitStatus": 0}

    def _set_state(self, fields: Fields) -> Answer:
        digest, is_confirm = fields.get("hash"), fields.get("confirm") is True
        if digest is None and is_confirm:
            self._confirm()
            return self._states(fields)
        if not isinstance(digest, bytes) or len(digest) != HASH_BYTES:
            raise RefusedError(ImageError.INVALID_HASH, Group.IMAGE)
        if digest == _digest(self.areas.primary):
            if not is_confirm:
                raise RefusedError(ImageError.TEST_OF_ACTIVE, Group.IMAGE)
            self._confirm()
        elif digest == _digest(self.areas.secondary):
            self._request_swap(is_permanent=is_confirm)
        else:
            raise RefusedError(ImageError.HASH_NOT_FOUND, Group.IMAGE)
        return self._states(fields)

    def _confirm(self) -> None:
        swap = self.areas.next_swap()
        if swap in (SwapType.TEST, SwapType.PERMANENT):
            raise RefusedError(ImageError.ALREADY_PENDING, Group.IMAGE)
        if swap is SwapType.REVERT:
            self.areas.primary.mark(IMAGE_OK_AT)

    def _request_swap(self, *, is_permanent: bool) -> None:
        secondary, swap = self.areas.secondary, self.areas.next_swap()
        if swap is SwapType.REVERT:
            raise RefusedError(ImageError.ALREADY_PENDING, Group.IMAGE)
        if swap is SwapType.NONE:
            if secondary.trailer().magic is Mark.BAD:
                secondary.erase_trailer()
            secondary.mark(MAGIC_AT, MAGIC)
        if is_permanent and swap is not SwapType.PERMANENT:
            secondary.mark(IMAGE_OK_AT, FLAG)

    def _erase(self, fields: Fields) -> Answer:
        if fields.get("slot", 1) != 1:
            raise RefusedError(ImageError.INVALID_SLOT, Group.IMAGE)
        is_pending = self.areas.next_swap() in (SwapType.TEST, SwapType.PERMANENT)
        may_erase = self.erases_pending and is_pending
        secondary = self.areas.secondary if may_erase else self._free_slot()
        self._upload = None
        for number in reversed(range(secondary.sectors)):
            self.areas.flash.erase(secondary.sector_at(number))
        return {}

    def _slots(self, _: Fields) -> Answer:
        size = self.areas.primary.sectors * FLASH_SECTOR_BYTES
        slots = [{"slot": 0, "size": size}, {"slot": 1, "size": size, "upload_image_id": 0}]
        largest = self.areas.primary.image_bytes_max
        return {"images": [{"image": 0, "slots": slots, "max_image_size": largest}]}

    def _take_piece(self, fields: Fields) -> Answer:
        offset, data = fields.get("off"), fields.get("data", b"")
        if not cbor.is_count(offset):
            raise RefusedError(ImageError.INVALID_OFFSET, Group.IMAGE)
        if not isinstance(data, bytes):
            raise RefusedError(Error.INVALID)
        upload = self._upload
        if offset == 0:
            length, sha = self._announced(fields)
            if upload is None or not upload.is_same(length=length, sha=sha):
                slot = self._welcome(data, fields, length)
                upload = self._upload = Upload.begin(slot, length=length, sha=sha)
        if upload is None or offset != upload.offset:
            return {"off": upload.offset if upload else 0}
        if offset + len(data) > upload.length:
            raise RefusedError(ImageError.DATA_OVERRUN, Group.IMAGE)
        upload.add(data)
        if not upload.is_complete:
            return {"off": upload.offset}
        self._upload = None
        answer: Answer = {"off": upload.offset}
        return answer | ({"match": upload.matches} if upload.sha else {})

    def _announced(self, fields: Fields) -> tuple[int, bytes]:
        length, sha = fields.get("len"), fields.get("sha", b"")
        if not cbor.is_count(length):
            raise RefusedError(ImageError.INVALID_LENGTH, Group.IMAGE)
        if not isinstance(sha, bytes) or len(sha) > HASH_BYTES:
            raise RefusedError(ImageError.INVALID_HASH, Group.IMAGE)
        if fields.get("image", 0) != 0:
            raise RefusedError(ImageError.INVALID_SLOT, Group.IMAGE)
        return length, sha

    def _welcome(self, data: bytes, fields: Fields, length: int) -> Slot:
        """Where a new image goes, if its first bytes look like one that is wanted."""
        if len(data) < mcuboot.HEADER_BYTES or length < len(data):
            raise RefusedError(ImageError.INVALID_HEADER, Group.IMAGE)
        header = mcuboot.read_header(data)
        if isinstance(header, Flaw):
            raise RefusedError(ImageError.INVALID_MAGIC, Group.IMAGE)
        slot = self.areas.primary if self.is_recovery else self._free_slot()
        if length > slot.image_bytes_max:
            raise RefusedError(ImageError.TOO_LARGE, Group.IMAGE)
        current = self.areas.primary.image()
        if fields.get("upgrade") is True and isinstance(current, Image):
            new, old = header.version, current.header.version
            if (new.major, new.minor, new.revision) <= (old.major, old.minor, old.revision):
                raise RefusedError(ImageError.CURRENT_IS_NEWER, Group.IMAGE)
        return slot

    def _free_slot(self) -> Slot:
        if self.areas.next_swap() is not SwapType.NONE:
            raise RefusedError(ImageError.NO_FREE_SLOT, Group.IMAGE)
        return self.areas.secondary


def _digest(slot: Slot) -> bytes:
    image = slot.image()
    return b"" if isinstance(image, Flaw) else image.digest


def _entry(number: int, slot: Slot, **flags: bool) -> Answer | None:
    image = slot.image()
    if isinstance(image, Flaw):
        return None
    always = ("pending", "confirmed", "active", "permanent")
    return {
        "slot": number,
        "version": str(image.header.version),
        "hash": image.digest,
        "bootable": not image.header.flags & FLAG_NON_BOOTABLE,
        **{name: flags.get(name, False) for name in always},
    }
