"""A secure element on a board."""

from typing import Annotated, Literal

from pydantic import Field

from firmware_sim.devices.secure_element import PIN_BYTES_MAX, PIN_BYTES_MIN, SecureElement
from firmware_sim.frames import JUNK, Frame, Side, broken_off
from firmware_sim.kinds.kind import Act, ActBody, DeviceEntry, Kind, State
from protocol.framing import secure_element as wire
from protocol.framing.secure_element import Flag, Instruction

_PIN_INSTRUCTIONS = (Instruction.INITIALISE, Instruction.VERIFY_PIN, Instruction.CHANGE_PIN)
_BODY_AT, _COMMAND_DATA_AT = 4, 8
_SHOWN_BYTES = 65
_CRC_BYTES = _STATUS_BYTES = 2


class SecureElementEntry(DeviceEntry):
    """A secure element; with a ``pin`` it has been initialised, and holds no key yet."""

    kind: Literal["secure_element"]
    pin: (
        Annotated[
            str,
            Field(min_length=PIN_BYTES_MIN, max_length=PIN_BYTES_MAX, pattern=r"^[\x21-\x7e]*$"),
        ]
        | None
    ) = None


class ElementDecoder:
    """Commands and answers; a PIN is kept secret."""

    def __init__(self) -> None:
        self._parsers = {side: wire.FrameParser() for side in Side}

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        return [_frame(side, item) for item in self._parsers[side].feed(data)]

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        return broken_off(side, self._parsers[side], _BODY_AT)


def _frame(side: Side, item: bytes | wire.Damaged) -> Frame:
    if isinstance(item, wire.Damaged):
        return Frame(side, b"", JUNK, {"why": item.why}, is_valid=False)
    raw = wire.encode(item)
    if side is Side.HOST:
        command = wire.read_command(item)
        return _short(side, raw) if command is None else _command(raw, command)
    answer = wire.read_answer(item)
    if answer is None:
        return _short(side, raw)
    fields: dict[str, str | int] = {
        "sequence": answer.sequence,
        "status": f"{answer.status:04x}",
        "data": answer.data[:_SHOWN_BYTES].hex(),
    }
    end = len(raw) - _CRC_BYTES
    places = {
        "sequence": (_BODY_AT, _BODY_AT + 1),
        "status": (end - _STATUS_BYTES, end),
        "data": (_BODY_AT + 1, end - _STATUS_BYTES),
    }
    return Frame(side, raw, "answer", fields, places=places)


def _command(raw: bytes, command: wire.Command) -> Frame:
    known = command.instruction in set(Instruction)
    name = Instruction(command.instruction).name.lower() if known else "unknown"
    fields: dict[str, str | int] = {
        "sequence": command.sequence,
        "instruction": command.instruction,
        "p1": command.p1,
    }
    names = ("sequence", "instruction", "p1")
    places = {one: (_BODY_AT + at, _BODY_AT + at + 1) for at, one in enumerate(names)}
    data_place = (_COMMAND_DATA_AT, len(raw) - _CRC_BYTES)
    if command.instruction in _PIN_INSTRUCTIONS:
        return Frame(Side.HOST, raw, name, fields, secrets=(data_place,), places=places)
    fields["data"] = command.data[:_SHOWN_BYTES].hex()
    return Frame(Side.HOST, raw, name, fields, places=places | {"data": data_place})


def _short(side: Side, raw: bytes) -> Frame:
    return Frame(side, raw, JUNK, {"why": "too short"}, is_valid=False)


def _build(entry: SecureElementEntry, seed: bytes) -> SecureElement:
    element = SecureElement(b"tillway-sim-element:" + seed)
    if entry.pin is not None:
        element.initialise(entry.pin.encode("ascii"))
    return element


def _state(element: SecureElement) -> State:
    return {
        "serial": element.serial.hex(),
        "is_initialised": bool(element.flags & Flag.INITIALISED),
        "is_unlocked": bool(element.flags & Flag.UNLOCKED),
        "is_tampered": bool(element.flags & Flag.TAMPERED),
        "is_case_open": bool(element.flags & Flag.CASE_OPEN),
        "tries_left": element.tries_left,
        "slots": list(element.slots),
        "counters": list(element.counters),
        "signatures": element.signatures,
    }


def _open_case(element: SecureElement, _: ActBody, __: int) -> None:
    element.open_case()


def _close_case(element: SecureElement, _: ActBody, __: int) -> None:
    element.close_case()


KIND = Kind(
    name="secure_element",
    summary="secure element: P-256 keys, PIN, counters, tamper switch",
    entry=SecureElementEntry,
    build=_build,
    state=_state,
    decoder=ElementDecoder,
    counters=("signatures",),
    acts=(
        Act("open_case", "lift the lid: keys and PIN are wiped", _open_case),
        Act("close_case", "put the lid back", _close_case),
    ),
)
