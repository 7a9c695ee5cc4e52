"""The printer's wire, read for people.

Rule 1: a text is a frame only when what follows it is no text, so that a long number cannot hide
its parts in two frames. Rule 2: what a code says is masked as any long number is: it may pay.
Rule 3: a printer's answers are told apart by their fixed bits (Epson: DLE EOT 0xx1xx10, GS a
0xx1xx00, GS r 0xx0xxxx); which question they answer is known from the order of questions.
"""

from collections import deque

from firmware_sim.devices.escpos.lengths import NUL_BYTES_MAX
from firmware_sim.devices.escpos.parser import EscPosParser, Operation, Sort
from firmware_sim.frames import JUNK, Frame, Side, ends_only, masked_numbers, unread
from firmware_sim.limits import PRINTED_WORDS_BYTES_MAX, QUESTIONS_OPEN_MAX

_SHOWN_BYTES = 24
_XON, _XOFF, _TEXT_START, _BLOCK_START = 0x11, 0x13, 0x5F, 0x37
_KEPT_FIRST, _KEPT_LAST = 2, 4
NAMES: dict[bytes, str] = {
    b"\n": "line_feed", b"\r": "carriage_return", b"\t": "tab", b"\x0c": "form_feed",
    b"\x18": "cancel", b"\x1b@": "initialise", b"\x1bd": "feed_lines", b"\x1bJ": "feed_dots",
    b"\x1ba": "align", b"\x1b!": "print_mode", b"\x1bE": "bold", b"\x1bG": "double_strike",
    b"\x1b-": "underline", b"\x1bM": "font", b"\x1b{": "upside_down", b"\x1bV": "rotate",
    b"\x1dB": "reverse", b"\x1d!": "size", b"\x1b ": "spacing", b"\x1b2": "default_line_spacing",
    b"\x1b3": "line_spacing", b"\x1b$": "move_to", b"\x1b\\": "move_by", b"\x1dL": "margin",
    b"\x1dW": "print_width", b"\x1bD": "tab_stops", b"\x1dP": "motion_units",
    b"\x1bt": "code_page", b"\x1bR": "national_set", b"\x1c&": "chinese_on",
    b"\x1c.": "chinese_off", b"\x1c!": "chinese_mode", b"\x1c-": "chinese_underline",
    b"\x1cS": "chinese_spacing", b"\x1dh": "barcode_height", b"\x1dw": "barcode_width",
    b"\x1dH": "barcode_words", b"\x1df": "barcode_font", b"\x1dk": "barcode",
    b"\x1dv0": "raster", b"\x1b*": "column_image", b"\x1d8L": "graphics", b"\x1d*": "download",
    b"\x1d/": "print_downloaded", b"\x1cq": "keep_images", b"\x1cp": "print_kept",
    b"\x1dV": "cut", b"\x1bi": "cut", b"\x1bm": "cut", b"\x1bp": "drawer_pulse",
    b"\x1bB": "beep", b"\x1b=": "select", b"\x1bc": "panel", b"\x1dI": "ask_identity",
    b"\x1dr": "ask_status", b"\x1bv": "ask_paper", b"\x1bu": "ask_drawer",
    b"\x1da": "auto_status", b"\x1bL": "page_mode", b"\x1bS": "standard_mode",
    b"\x1bW": "page_area", b"\x1bT": "page_direction", b"\x1d$": "move_down_to",
    b"\x1d\\": "move_down_by", b"\x1b\x0c": "print_page", b"\x10\x04": "ask_realtime_status",
    b"\x10\x05": "recover", b"\x10\x14": "realtime",
}  # fmt: skip
_SYMBOLS = {48: "pdf417", 49: "qr", 53: "aztec", 54: "data_matrix"}
_SYMBOL_FUNCTIONS = {
    65: "model", 67: "size", 68: "row_height", 69: "correction", 70: "option", 80: "store",
    81: "print", 82: "ask_size",
}  # fmt: skip
_ANSWERED = {
    b"\x1dr": "status", b"\x1bv": "status", b"\x1bu": "status", b"\x1dI": "identity",
}  # fmt: skip


class EscPosDecoder:
    """Operations of the host; answers of the printer."""

    def __init__(self) -> None:
        self._operations = EscPosParser()
        self._words = bytearray()
        self._answer = bytearray()
        self._pages: deque[int] = deque(maxlen=QUESTIONS_OPEN_MAX)
        self._asked: deque[str] = deque(maxlen=QUESTIONS_OPEN_MAX)

    def feed(self, side: Side, data: bytes) -> list[Frame]:
        """As ``FrameDecoder.feed``."""
        if side is Side.DEVICE:
            return self._answers(data)
        found: list[Frame] = []
        for operation in self._operations.feed(data):
            if operation.sort is Sort.TEXT:
                self._words += operation.data
            if operation.sort is not Sort.TEXT or len(self._words) > PRINTED_WORDS_BYTES_MAX:
                found += self._said_words()
            if operation.sort is not Sort.TEXT:
                self._remember(operation)
                found.append(_frame(operation))
        return found

    def rest(self, side: Side) -> list[Frame]:
        """As ``FrameDecoder.rest``."""
        if side is Side.HOST:
            return []  # the printer waits for the end of a command for good
        raw = bytes(self._answer)
        self._answer.clear()
        return unread(side, raw, "unfinished")

    def _said_words(self) -> list[Frame]:
        raw = bytes(self._words)
        self._words.clear()
        if not raw:
            return []
        words = raw.decode("gb18030", errors="backslashreplace")
        return [Frame(Side.HOST, raw, "text", {"text": masked_numbers(words)})]

    def _remember(self, operation: Operation) -> None:
        if operation.name == b"\x10\x04":
            self._pages.append(operation.data[0])
        elif operation.name in _ANSWERED:
            self._asked.append(_ANSWERED[operation.name])

    def _answers(self, data: bytes) -> list[Frame]:
        self._answer += data
        found: list[Frame] = []
        while self._answer:
            size = _answer_size(self._answer)
            if size > len(self._answer):
                break
            raw = bytes(self._answer[:size])
            del self._answer[:size]
            found.append(self._read(raw))
        return found

    def _read(self, raw: bytes) -> Frame:
        first = raw[0]
        if first in (_XON, _XOFF):
            return Frame(Side.DEVICE, raw, "xon" if first == _XON else "xoff")
        if first == _TEXT_START:
            text = raw[1:-1].decode("ascii", errors="backslashreplace")
            return Frame(Side.DEVICE, raw, "identity", {"text": text}, raw[-1] == 0)
        if first == _BLOCK_START:
            return Frame(Side.DEVICE, raw, "block", {"data": raw.hex()}, raw[-1] == 0)
        if first & 0x93 == 0x12:
            page = self._pages.popleft() if self._pages else 0
            return Frame(Side.DEVICE, raw, "realtime_status", {"page": page, "bits": first})
        if first & 0x93 == 0x10:
            fields: dict[str, str | int] = {"data": raw.hex()}
            return Frame(Side.DEVICE, raw, "auto_status", fields, len(raw) == 4)
        if first & 0x90 == 0:
            name = self._asked.popleft() if self._asked else "status"
            return Frame(Side.DEVICE, raw, name, {"bits": first})
        return Frame(Side.DEVICE, raw, JUNK, is_valid=False)


def _answer_size(answer: bytearray) -> int:
    """The bytes of the first answer; more than there are while it goes on."""
    if answer[0] in (_TEXT_START, _BLOCK_START):
        end = answer.find(b"\x00", 0, NUL_BYTES_MAX)
        if end < 0:
            return min(len(answer) + 1, NUL_BYTES_MAX)
        return end + 1
    is_auto = answer[0] & 0x93 == 0x10 and answer[0] not in (_XON, _XOFF)
    return 4 if is_auto else 1


def _frame(operation: Operation) -> Frame:
    raw, data = operation.name + operation.data, operation.data
    if operation.name == b"\x1d(" and data[:1] == b"k" and len(data) > 4:
        return _symbol_frame(raw, data)
    name = NAMES.get(operation.name) or f"command_{operation.name.hex()}"
    if operation.name == b"\x1d(":
        letter = data[:1].decode("latin-1")
        name = "graphics" if letter == "L" else f"extended_{letter}"
    fields: dict[str, str | int] = {}
    secrets: tuple[tuple[int, int], ...] = ()
    if operation.name == b"\x1dk":
        fields, secrets = _barcode_fields(raw)
    elif operation.name == b"\x1dv0":
        fields = {"width": (data[1] | data[2] << 8) * 8, "height": data[3] | data[4] << 8}
    elif len(data) == 1:
        fields = {"n": data[0]}
    elif data:
        fields = {"data": data[:_SHOWN_BYTES].hex(), "bytes": len(data)}
    return Frame(Side.HOST, raw, name, fields, secrets=secrets)


def _symbol_frame(raw: bytes, data: bytes) -> Frame:
    symbol = _SYMBOLS.get(data[3], f"symbol_{data[3]}")
    name = f"{symbol}_{_SYMBOL_FUNCTIONS.get(data[4], data[4])}"
    if data[4] != 80:
        return Frame(Side.HOST, raw, name, {"data": data[5:].hex()})
    payload, start = data[6:], len(raw) - len(data) + 6
    fields: dict[str, str | int] = {"text": _masked(payload), "bytes": len(payload)}
    return Frame(Side.HOST, raw, name, fields, secrets=_inner(start, len(raw)))


def _barcode_fields(raw: bytes) -> tuple[dict[str, str | int], tuple[tuple[int, int], ...]]:
    is_old = raw[2] <= 6
    start, end = (3, len(raw) - 1) if is_old else (4, len(raw))
    fields: dict[str, str | int] = {"symbology": raw[2], "text": _masked(raw[start:end])}
    return fields, _inner(start, end)


def _masked(payload: bytes) -> str:
    return ends_only(payload.decode("utf-8", errors="backslashreplace"))


def _inner(start: int, end: int) -> tuple[tuple[int, int], ...]:
    """All of a long payload but what a masked number shows."""
    if end - start < _KEPT_FIRST + _KEPT_LAST + 6:
        return ()
    return ((start + _KEPT_FIRST, end - _KEPT_LAST),)
