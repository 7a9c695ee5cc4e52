"""The GM65 family of scanners on a board."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.gm65 import PROFILES, Gm65, Habits
from firmware_sim.frames import (
    JUNK,
    LONG_NUMBER_DIGITS_MIN,
    Frame,
    Side,
    broken_off,
    ends_only,
    masked_numbers,
    unread,
)
from firmware_sim.kinds.kind import Act, DeviceEntry, Kind, State
from firmware_sim.kinds.lens import LENS_ACTS, LENS_HANDS
from firmware_sim.limits import BOOT_MS_MAX
from firmware_sim.rendering import camera
from protocol.framing import gm65

_CRC_BYTES = 2
_CODE_BYTES_SHOWN = 2


class ScannerEntry(DeviceEntry):
    """A code scanner.

    ``firmware`` 87 is the one that forgets register 002C; ``same_code_unit_ms`` is the unit of
    register 0013, over which documents disagree; during ``boot_ms`` it hears nothing.
    """

    kind: Literal["gm65"]
    profile: Literal["gm65", "gm812", "gm60"] = "gm65"
    firmware: Literal[87, 100] = 100
    same_code_unit_ms: Literal[100, 1000] = 100
    boot_ms: Annotated[int, Field(ge=0, le=BOOT_MS_MAX)] = 0
    boot_line: bool = False


class GmDecoder:
    """Commands of the host; replies, heartbeats and printed codes of the scanner."""

    def __init__(self) -> None:
        self._commands = gm65.CommandParser()
        self._unread = bytearray()
        self._replies = gm65.HostParser(has_frames=True)

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        if side is Side.HOST:
            return self._heard(data)
        return [_said(item) for item in self._replies.feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        if side is Side.HOST:
            self._unread.clear()
            return broken_off(side, self._commands)
        shown = None if _is_reply(self._replies.unfinished) else _CODE_BYTES_SHOWN
        return broken_off(side, self._replies, shown)

    def _heard(self, data: bytes) -> list[Frame]:
        """Commands, and what the scanner passes over without a word: a damaged one, or noise."""
        found: list[Frame] = []
        for value in data:
            self._unread.append(value)
            for command in self._commands.feed(bytes([value]), 0):
                frame = _command(command)
                found += unread(Side.HOST, bytes(self._unread[: -len(frame.raw)]), "passed_over")
                found.append(frame)
                self._unread.clear()
        passed = len(self._unread) - len(self._commands.unfinished)
        found += unread(Side.HOST, bytes(self._unread[:passed]), "passed_over")
        del self._unread[:passed]
        return found


def _command(command: gm65.Command) -> Frame:
    fields: dict[str, str | int] = {
        "address": f"{command.address:04x}", "data": command.data.hex(),
    }  # fmt: skip
    places = {"address": (4, 6), "data": (6, len(command.raw) - _CRC_BYTES)}
    return Frame(Side.HOST, command.raw, command.type.name.lower(), fields, places=places)


def _said(item: gm65.HostItem) -> Frame:
    match item:
        case gm65.Reply():
            fields: dict[str, str | int] = {"status": item.status, "data": item.data.hex()}
            name = "alive" if item.is_heartbeat else "reply"
            places = {"status": (2, 3), "data": (4, len(item.raw) - _CRC_BYTES)}
            return Frame(Side.DEVICE, item.raw, name, fields, places=places)
        case gm65.Text():
            return _code(item)
        case gm65.Damaged():
            secrets = () if _is_reply(item.raw) else ((_CODE_BYTES_SHOWN, len(item.raw)),)
            return Frame(Side.DEVICE, item.raw, JUNK, {"why": item.why}, False, secrets)


def _code(item: gm65.Text) -> Frame:
    """A code as it may be kept: one with the digits of a long number, whatever noise stands among
    them, may pay."""
    code = item.data.decode("ascii", errors="backslashreplace")
    masked = masked_numbers(code)
    if masked != code or sum(map(str.isdigit, code)) < LONG_NUMBER_DIGITS_MIN:
        return Frame(Side.DEVICE, item.raw, "code", {"text": masked})
    secrets = ((_CODE_BYTES_SHOWN, len(item.raw)),)
    return Frame(Side.DEVICE, item.raw, "code", {"text": ends_only(code)}, secrets=secrets)


def _is_reply(raw: bytes) -> bool:
    """A reply shows all of itself; a code that is damaged or was not finished may pay."""
    return raw[:1] == gm65.REPLY_START[:1]


def _build(entry: ScannerEntry, seed: bytes) -> Gm65:
    del seed
    habits = Habits(
        version=entry.firmware, same_code_unit_ms=entry.same_code_unit_ms, boot_ms=entry.boot_ms,
        has_boot_line=entry.boot_line,
    )  # fmt: skip
    return Gm65(camera.decode, PROFILES[entry.profile], habits)


def _state(scanner: Gm65) -> State:
    return {
        "profile": scanner.profile.name, "mode": scanner.registers.mode,
        "power": scanner.power.value, "is_reading": scanner.is_reading,
        "pictures_waiting": scanner.pictures_waiting, "codes_read": scanner.codes_read,
        "codes_typed": scanner.codes_typed, "codes_failed": scanner.codes_failed,
        "setups_done": scanner.setups_done, "beeps": scanner.beeps, "baud": scanner.baud,
    }  # fmt: skip


KIND = Kind(
    name="gm65",
    summary="QR scanner of the GROW GM65 family",
    entry=ScannerEntry,
    build=_build,
    state=_state,
    decoder=GmDecoder,
    counters=("codes_read", "codes_typed", "codes_failed", "setups_done", "beeps"),
    hands=lambda _entry, _scanner: LENS_HANDS,
    acts=(
        *LENS_ACTS,
        Act("press", "press the button", lambda scanner, _, now_ms: scanner.press_button(now_ms)),
        Act("release", "let it go", lambda scanner, _, now_ms: scanner.release_button(now_ms)),
    ),
)
