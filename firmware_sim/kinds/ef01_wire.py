"""Reads the line of an EF01 sensor for people: instructions with their arguments, and answers.

Rule 1: what data packets carry is somebody's finger on a real sensor, and passwords are
passwords: both are named as secret.
"""

from firmware_sim.frames import JUNK, Frame, Side, broken_off
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Pid

Fields = dict[str, str | int]
Layout = tuple[tuple[str, int], ...]
"""Names and sizes in bytes, in the order of the wire."""

_HEAD_BYTES, _SUM_BYTES = 9, 2
_JUNK_BYTES_SHOWN = 2
_BUFFER = (("buffer", 1),)
_BUFFER_SLOT = (("buffer", 1), ("slot", 2))
_SEARCH = (("buffer", 1), ("first", 2), ("count", 2))
_SCORE = (("score", 2),)
_FOUND = (("slot", 2), ("score", 2))
_ARGUMENTS: dict[int, Layout] = {
    Instruction.IMG2TZ: _BUFFER,
    Instruction.SEARCH: _SEARCH,
    Instruction.FAST_SEARCH: _SEARCH,
    Instruction.STORE: _BUFFER_SLOT,
    Instruction.LOAD: _BUFFER_SLOT,
    Instruction.UP_CHAR: _BUFFER,
    Instruction.DOWN_CHAR: _BUFFER,
    Instruction.DELETE: (("slot", 2), ("count", 2)),
    Instruction.SET_SYS_PARA: (("parameter", 1), ("value", 1)),
    Instruction.SET_ADDRESS: (("new_address", 4),),
    Instruction.WRITE_NOTEPAD: (("page", 1),),
    Instruction.READ_NOTEPAD: (("page", 1),),
    Instruction.INDEX_TABLE: (("page", 1),),
    Instruction.AUTO_ENROL: (
        ("slot", 1), ("may_cover", 1), ("may_repeat", 1), ("tells_steps", 1), ("needs_lift", 1),
    ),
    Instruction.AUTO_IDENTIFY: (
        ("security", 1), ("first", 1), ("last", 1), ("tells_steps", 1), ("tries", 1),
    ),
    Instruction.AURA_LED: (("mode", 1), ("speed", 1), ("colour", 1), ("cycles", 1)),
}  # fmt: skip
_ANSWERS: dict[int, Layout] = {
    Instruction.MATCH: _SCORE,
    Instruction.SEARCH: _FOUND,
    Instruction.FAST_SEARCH: _FOUND,
    Instruction.READ_SYS_PARA: (
        ("status", 2), ("system", 2), ("capacity", 2), ("security", 2), ("own_address", 4),
        ("packet_code", 2), ("rate_code", 2),
    ),
    Instruction.TEMPLATE_NUM: (("count", 2),),
    Instruction.AUTO_ENROL: (("step", 1), ("slot", 1)),
    Instruction.AUTO_IDENTIFY: (("step", 1), *_FOUND),
}  # fmt: skip
_DATA_NAMES: dict[int, str] = {Pid.DATA: "data", Pid.END_OF_DATA: "end_of_data"}
_SECRET = (Instruction.SET_PASSWORD, Instruction.VERIFY_PASSWORD)


class PacketDecoder:
    """Packets of both sides. It keeps one unfinished packet for each and the last instruction."""

    def __init__(self) -> None:
        self._parsers = {side: ef01.PacketParser() for side in Side}
        self._unread = {side: bytearray() for side in Side}
        self._asked: int | None = None

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        parser, unread = self._parsers[side], self._unread[side]
        frames: list[Frame] = []
        for value in data:
            unread.append(value)
            for packet in parser.feed(bytes([value])):
                raw = packet.raw if isinstance(packet, ef01.BadPacket) else ef01.encode(packet)
                frames += _junk(side, bytes(unread[: -len(raw)]))
                frames.append(self._frame(side, packet, raw))
                unread.clear()
        skipped = len(unread) - len(parser.unfinished)
        frames += _junk(side, bytes(unread[:skipped]))
        del unread[:skipped]
        return frames

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        self._unread[side].clear()
        return broken_off(side, self._parsers[side], _HEAD_BYTES)

    def _frame(self, side: Side, packet: ef01.Packet | ef01.BadPacket, raw: bytes) -> Frame:
        if isinstance(packet, ef01.BadPacket):
            secret = ((_HEAD_BYTES + 1, len(raw)),)
            return Frame(side, raw, JUNK, {"why": packet.why}, is_valid=False, secrets=secret)
        if packet.pid == Pid.COMMAND and packet.payload:
            self._asked = packet.payload[0]
            return _instruction(side, packet.payload, raw)
        if packet.pid == Pid.ACK and packet.payload:
            return self._answer(side, packet.payload, raw)
        name = _DATA_NAMES.get(packet.pid, JUNK)
        secret = ((_HEAD_BYTES, len(raw) - _SUM_BYTES),)
        fields: Fields = {"bytes": len(packet.payload)}
        return Frame(side, raw, name, fields, is_valid=name != JUNK, secrets=secret)

    def _answer(self, side: Side, payload: bytes, raw: bytes) -> Frame:
        code, rest = payload[0], payload[1:]
        fields: Fields = {"code": _named(Confirmation, code)}
        layout = _ANSWERS.get(self._asked or 0, ())
        places = {"code": (_HEAD_BYTES, _HEAD_BYTES + 1)} | _places(layout)
        return Frame(side, raw, "ack", fields | _read(layout, rest), places=places)


def _instruction(side: Side, payload: bytes, raw: bytes) -> Frame:
    code, arguments = payload[0], payload[1:]
    name = _named(Instruction, code)
    if code in _SECRET:
        return Frame(side, raw, name, {}, secrets=((_HEAD_BYTES + 1, len(raw)),))
    layout = _ARGUMENTS.get(code, ())
    return Frame(side, raw, name, _read(layout, arguments), places=_places(layout))


def _named(names: type[Confirmation | Instruction], code: int) -> str:
    return names(code).name.lower() if code in set(names) else f"{code:02x}h"


def _read(layout: Layout, data: bytes) -> Fields:
    """The fields of a layout, and what is left of the data in hexadecimal."""
    fields: Fields = {}
    for name, size in layout:
        if len(data) < size:
            break
        fields[name], data = int.from_bytes(data[:size], "big"), data[size:]
    return fields | ({"more": data.hex()} if data else {})


def _places(layout: Layout) -> dict[str, tuple[int, int]]:
    """Where a layout's fields stand in a packet, after the instruction's or the answer's code."""
    places, at = {}, _HEAD_BYTES + 1
    for name, size in layout:
        places[name] = (at, at + size)
        at += size
    return places


def _junk(side: Side, raw: bytes) -> list[Frame]:
    if not raw:
        return []
    if side is Side.DEVICE and raw == ef01.READY:
        return [Frame(side, raw, "ready")]
    secret = ((_JUNK_BYTES_SHOWN, len(raw)),)  # it may be a password whose first byte was lost
    return [Frame(side, raw, JUNK, {"bytes": len(raw)}, is_valid=False, secrets=secret)]
