"""A controller board with MCUboot-format firmware in two slots and SMP on its serial line."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.device import Output
from firmware_sim.devices.smp_board.board import SmpBoard
from firmware_sim.frames import JUNK, Frame, Side, broken_off
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Kind, State
from firmware_sim.limits import FLASH_SECTOR_BYTES, FLASH_SLOT_SECTORS_MAX, POWER_OFF_MS_MAX
from protocol.crypto.image_keys import image_key_from_pem
from protocol.errors import CallerError
from protocol.framing import mcuboot, smp
from protocol.framing.mcuboot import Image
from protocol.framing.smp import Group, Op

FACTORY_VERSION = mcuboot.Version(1, 0, 0)
FACTORY_BODY_BYTES = 12_000
_SHOWN_TEXT_CHARS = 60
_COMMANDS: dict[tuple[int, int], str] = {
    (Group.OS, 0): "echo",
    (Group.OS, 4): "clock",
    (Group.OS, 5): "reset",
    (Group.OS, 6): "parameters",
    (Group.OS, 7): "about",
    (Group.OS, 8): "bootloader",
    (Group.IMAGE, 0): "image_state",
    (Group.IMAGE, 1): "image_upload",
    (Group.IMAGE, 5): "image_erase",
    (Group.IMAGE, 6): "image_slots",
    (Group.ENUMERATION, 0): "group_count",
    (Group.ENUMERATION, 1): "groups",
    (Group.ENUMERATION, 2): "group",
    (Group.ENUMERATION, 3): "group_details",
}


class SmpBoardEntry(DeviceEntry):
    """A controller board. ``image`` is a file with the factory's firmware, ``key`` a PEM file with
    the public key its bootloader asks for; without both it carries unsigned firmware 1.0.0 and
    runs any whole image. ``console`` lets it print what it does while it boots."""

    kind: Literal["smp_board"]
    image: Path | None = None
    key: Path | None = None
    slot_sectors: Annotated[int, Field(ge=4, le=FLASH_SLOT_SECTORS_MAX)] = 32
    console: bool = False


class ResetBody(ActBody):
    """The reset button, with the recovery button held or not."""

    recovery: bool = False


class CutPowerBody(ActBody):
    """A power cut at the flash write after so many, or at once; ``torn`` leaves that write half
    done. The power comes back ``off_ms`` later."""

    after_writes: Annotated[int, Field(ge=0)] | None = None
    torn: bool = False
    off_ms: Annotated[int, Field(ge=0, le=POWER_OFF_MS_MAX)] = 500


class SmpDecoder:
    """Messages of both sides, and console text. The bytes of an image are not shown."""

    def __init__(self) -> None:
        self._parsers = {side: smp.LineParser() for side in Side}

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [_frame(side, item) for item in self._parsers[side].feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        return broken_off(side, self._parsers[side])


def _frame(side: Side, item: smp.Item) -> Frame:
    if isinstance(item, smp.ConsoleText):
        text = item.raw.decode("ascii", "replace").strip()[:_SHOWN_TEXT_CHARS]
        return Frame(side, item.raw, "console", {"text": text})
    if isinstance(item, smp.Damaged):
        return Frame(side, item.raw, JUNK, {"why": item.why}, is_valid=False)
    said = item.message
    known = _COMMANDS.get((said.group, said.command))
    name = known or f"group_{said.group}_command_{said.command}"
    fields: dict[str, str | int] = {"sequence": said.sequence}
    if said.op in set(Op):
        fields["op"] = Op(said.op).name.lower()
    inner = said.fields()
    for key, value in (inner or {}).items():
        fields[str(key)] = _shown(value)
    return Frame(side, item.raw, name, fields, is_valid=inner is not None)


def _shown(value: object) -> str | int:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return value.hex() if len(value) <= 32 else f"{len(value)} bytes"
    return str(value)[:_SHOWN_TEXT_CHARS]


def _build(entry: SmpBoardEntry, seed: bytes) -> SmpBoard:
    key = image_key_from_pem(_read(entry.key)) if entry.key else None
    board = SmpBoard(entry.slot_sectors, key, is_talkative=entry.console)
    if entry.image:
        board.load(_read(entry.image))
    elif key is None:
        noise = hashlib.shake_256(b"tillway-sim-firmware:" + seed)
        body = noise.digest(FACTORY_BODY_BYTES)
        board.load(mcuboot.pack_image(body, FACTORY_VERSION))
    return board


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(FLASH_SLOT_SECTORS_MAX * FLASH_SECTOR_BYTES + 1)
    except OSError as error:
        raise CallerError("config_invalid", f"{path}: {error.strerror}") from None


def _state(board: SmpBoard) -> State:
    start, areas = board.start, board.areas
    image = start.image if start else None
    secondary = areas.secondary.image()
    return {
        "has_power": board.has_power,
        "is_recovery": board.is_recovery,
        "version": str(image.header.version) if isinstance(image, Image) else None,
        "refused": start.refused if start else None,
        "second_slot": str(secondary.header.version) if isinstance(secondary, Image) else None,
        "next_swap": areas.next_swap().name.lower(),
        "security_counter": areas.counter.value,
        "boots": board.boots,
        "power_failures": board.power_failures,
        "flash_writes": board.flash.writes,
    }


def _reset(board: SmpBoard, body: ResetBody, now_ms: int) -> Sequence[Output]:
    return board.reset(now_ms, hold_recovery=body.recovery)


def _cut_power(board: SmpBoard, body: CutPowerBody, now_ms: int) -> None:
    board.cut_power(now_ms, after_writes=body.after_writes, is_torn=body.torn, off_ms=body.off_ms)


KIND = Kind(
    name="smp_board",
    summary="controller board with MCUboot-format firmware and SMP",
    entry=SmpBoardEntry,
    build=_build,
    state=_state,
    decoder=SmpDecoder,
    counters=("boots", "power_failures", "flash_writes"),
    acts=(
        Act("reset", "press the reset button", _reset, ResetBody),
        Act("cut_power", "let the power fail at a flash write", _cut_power, CutPowerBody),
    ),
)
