"""A PN532's wire, frame by frame, for people. Card numbers, keys and codes are kept secret."""

import re

from firmware_sim.frames import JUNK, Frame, Side
from protocol.framing import pn532
from protocol.framing.payment_card import secret_spans
from protocol.framing.pn532 import Code, Status

_DIGITS = re.compile(rb"[0-9]{4,}")
"""A pay code crosses the line in parts: a tag is read by sixteen bytes."""
_PREAMBLE_BYTES_MAX = 16
_CARD_COMMANDS = {
    0x30: "read", 0x3A: "fast_read", 0xA2: "write_page", 0xA0: "write", 0x60: "key_a",
    0x61: "key_b", 0x1B: "password", 0xC0: "decrement", 0xC1: "increment", 0xB0: "transfer",
}  # fmt: skip
_CHIP_CARD_COMMANDS = {
    0xA4: "select", 0xA8: "get_processing_options", 0xB2: "read_record", 0xB0: "read_binary",
    0xCA: "get_data",
}  # fmt: skip
_TOLD_BY_STATUS = {
    Code.IN_DATA_EXCHANGE, Code.IN_COMMUNICATE_THRU, Code.IN_SELECT, Code.IN_DESELECT,
    Code.IN_RELEASE, Code.IN_JUMP_FOR_DEP, Code.IN_JUMP_FOR_PSL, Code.POWER_DOWN,
}  # fmt: skip
_WITH_CARD = {Code.IN_DATA_EXCHANGE, Code.IN_COMMUNICATE_THRU}
_JUNK_BYTES_SHOWN = 5
_KEY_AT, _KEY_BYTES, _AUTHENTICATION_BYTES, _PASSWORD_BYTES = 2, 6, 12, 5
Fields = dict[str, str | int]


class Pn532Decoder:
    """Frames of both sides, with the zeros that belong to them."""

    def __init__(self) -> None:
        self._parsers = {side: pn532.FrameParser() for side in Side}
        self._before = dict.fromkeys(Side, b"")
        self._is_chip_card = False

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        frames: list[Frame] = []
        for item in self._parsers[side].feed(data):
            if not isinstance(item, pn532.Skipped):
                frames.append(self._frame(side, item))
                continue
            left = item.raw
            if frames and left[:1] == pn532.POSTAMBLE and frames[-1].name != JUNK:
                frames[-1], left = _ended(frames[-1]), left[1:]
            frames += self._between(side, left)
        return frames

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        parser = self._parsers[side]
        if not parser.is_mid_frame:
            return []  # zeros that may belong to the frame to come
        before, self._before[side] = self._before[side], b""
        raw = before + parser.unfinished
        parser.clear()
        return [_junk(side, raw, "unfinished")]

    def _between(self, side: Side, left: bytes) -> list[Frame]:
        """Zeros belong to the frame to come; anything else stands for itself."""
        if left.strip(b"\x00") == b"":
            self._before[side] = (self._before[side] + left)[-_PREAMBLE_BYTES_MAX:]
            return []
        whole, self._before[side] = self._before[side] + left, b""
        is_wake_up = whole.strip(b"\x00\x55") == b""
        return [Frame(side, whole, "wake_up")] if is_wake_up else [_junk(side, whole, "noise")]

    def _frame(self, side: Side, item: pn532.Item) -> Frame:
        before, self._before[side] = self._before[side], b""
        raw = before + item.raw
        if isinstance(item, pn532.Ack | pn532.Nack):
            return Frame(side, raw, type(item).__name__.lower())
        if not isinstance(item, pn532.Data):
            why = item.why if isinstance(item, pn532.Damaged) else "noise"
            return _junk(side, raw, why)
        if item.tfi == pn532.SYNTAX_ERROR:
            return Frame(side, raw, "syntax_error")
        code = (item.payload[0] if item.payload else 0xFF) - (item.tfi == pn532.CHIP)
        if code not in set(Code):
            return Frame(side, raw, f"command_{code & 0xFF:02x}", {"bytes": len(item.payload)})
        known, content = Code(code), item.payload[1:]
        at = len(raw) - 1 - len(content)
        if item.tfi == pn532.HOST:
            fields, secrets = self._asked(known, content)
            name = known.name.lower()
        else:
            fields, secrets = self._answered(known, content)
            name = f"{known.name.lower()}_answer"
        shifted = tuple((at + start, at + end) for start, end in secrets)
        return Frame(side, raw, name, fields, secrets=shifted)

    def _asked(self, code: Code, content: bytes) -> tuple[Fields, list[tuple[int, int]]]:
        if code not in _WITH_CARD:
            return {"arguments": content.hex()}, []
        head = code is Code.IN_DATA_EXCHANGE
        fields: Fields = {"target": content[0] & 0x0F} if head and content else {}
        command = content[head:]
        self._is_chip_card = len(command) >= 4 and command[0] in (0x00, 0x80)
        if self._is_chip_card:
            fields["card"] = _CHIP_CARD_COMMANDS.get(command[1], f"{command[1]:02x}")
        elif command:
            fields["card"] = _CARD_COMMANDS.get(command[0], f"{command[0]:02x}")
        fields["bytes"] = len(command)
        return fields, [(head + start, head + end) for start, end in _secrets(command)]

    def _answered(self, code: Code, content: bytes) -> tuple[Fields, list[tuple[int, int]]]:
        if code is Code.IN_LIST_PASSIVE_TARGET:
            return _targets(content), []
        if code not in _TOLD_BY_STATUS or not content:
            return {"data": content.hex()}, []
        status = content[0] & pn532.ERROR_BITS
        fields: Fields = {
            "status": Status(status).name.lower() if status in set(Status) else f"{status:02x}"
        }
        if code in _WITH_CARD:
            fields["bytes"] = len(content) - 1
            if self._is_chip_card and len(content) >= 3:
                fields["sw"] = content[-2:].hex()
        return fields, _secrets(content)


def _junk(side: Side, raw: bytes, why: str) -> Frame:
    """What cannot be read may hold a card's number or key all the same: only its head is told."""
    head = ((_JUNK_BYTES_SHOWN, len(raw)),)
    return Frame(side, raw, JUNK, {"why": why}, is_valid=False, secrets=head)


def _ended(frame: Frame) -> Frame:
    raw = frame.raw + pn532.POSTAMBLE
    return Frame(frame.side, raw, frame.name, frame.fields, frame.is_valid, frame.secrets)


def _targets(content: bytes) -> Fields:
    fields: Fields = {"targets": content[0] if content else 0}
    if len(content) > 6:
        fields |= {"sak": f"{content[4]:02x}", "uid": content[6 : 6 + content[5]].hex()}
    return fields


def _secrets(content: bytes) -> list[tuple[int, int]]:
    """Card numbers, pay codes, keys and passwords."""
    spans = [*secret_spans(content), *(found.span() for found in _DIGITS.finditer(content))]
    if content[:1] in (b"\x60", b"\x61") and len(content) == _AUTHENTICATION_BYTES:
        spans.append((_KEY_AT, _KEY_AT + _KEY_BYTES))
    if content[:1] == b"\x1b" and len(content) == _PASSWORD_BYTES:
        spans.append((1, _PASSWORD_BYTES))
    return spans
