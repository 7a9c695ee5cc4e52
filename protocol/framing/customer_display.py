"""The orders of three families of customer displays: how they are written and how they are read.

Epson's VFDs (DM-D, two rows of twenty), the CD5220 of Partner Tech and those that follow it, and
the one-row digit displays "LED8" of Chinese tills. All take text and orders and never answer; none
has a checksum, so whoever writes to one writes the whole picture again rather than a part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.framing.limits import (
    DISPLAY_COLUMNS,
    DISPLAY_SCROLL_CHARS_MAX,
    LED8_CHARS_MAX,
)

ESC, US, CLEAR, CR = b"\x1b", b"\x1f", b"\x0c", b"\r"
INIT = ESC + b"@"
_UNTIL_CR = -1
_GLYPHS = -2

EPSON_ORDERS: Mapping[bytes, int] = {
    INIT: 0, b"\x1bt": 1, b"\x1bR": 1, b"\x1b=": 1, b"\x1b%": 1, b"\x1b?": 1, b"\x1b&": _GLYPHS,
    b"\x1bW": 6, b"\x1f\n": 0, b"\x1f\r": 0, b"\x1fB": 0, b"\x1f$": 2, b"\x1fC": 1, b"\x1fX": 1,
    b"\x1fE": 1, b"\x1f\x01": 0, b"\x1f\x02": 0, b"\x1f\x03": 0, b"\x1fr": 1, b"\x1f#": 2,
    b"\x1f@": 0, b"\x1fT": 2, b"\x1fU": 0, b"\x1f:": 0, b"\x1f^": 2, b"\x1fv": 1,
}  # fmt: skip
"""What may follow ESC and US, and how many bytes of argument."""
CD5220_ORDERS: Mapping[bytes, int] = {
    INIT: 0, b"\x1bQA": _UNTIL_CR, b"\x1bQB": _UNTIL_CR, b"\x1bQD": _UNTIL_CR, b"\x1bl": 2,
    b"\x1b*": 1, b"\x1b_": 1, b"\x1b\x11": 0, b"\x1b\x12": 0, b"\x1b\x13": 0, b"\x1bW": 4,
    b"\x1bf": 1, b"\x1bc": 1, b"\x1b=": 1, b"\x1b%": 1, b"\x1b?": 1, b"\x1b&": _GLYPHS,
    b"\x1bs": 1, **{b"\x1b[" + bytes([way]): 0 for way in b"ABCDHLRK"},
}  # fmt: skip
LED8_ORDERS: Mapping[bytes, int] = {INIT: 0, b"\x1bQA": _UNTIL_CR, b"\x1bs": 1}
_CONTROLS = frozenset(b"\x08\t\n\x0b\x0c\r\x18")
_GLYPH_COLUMNS_MAX = 5
_GLYPHS_MAX = 96


@dataclass(frozen=True, slots=True)
class Order:
    """One order and its arguments; ``code`` is empty for a piece of text, which ``args`` is then.

    ``is_known`` says whether the family has such an order. ``raw`` is what was heard.
    """

    code: bytes
    args: bytes = b""
    is_known: bool = True
    raw: bytes = b""


class OrderParser:
    """Reads what a display is sent. It keeps at most one unfinished order."""

    def __init__(self, orders: Mapping[bytes, int]) -> None:
        self._orders = orders
        self._prefixes = {code[:place] for code in orders for place in range(1, len(code))}
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Order]:
        """The orders and the text that ``data`` completes."""
        found: list[Order] = []
        for value in data:
            order = self._take(value)
            if order is not None:
                found.append(order)
        return found

    def _take(self, value: int) -> Order | None:
        buffer, byte = self._buffer, bytes([value])
        if not buffer and byte not in self._prefixes:
            if value >= 0x20:
                return Order(b"", byte, raw=byte)
            return Order(byte, is_known=value in _CONTROLS, raw=byte)
        buffer.append(value)
        code = self._code()
        if code is None:
            if bytes(buffer) in self._prefixes:
                return None
            return self._done(bytes(buffer), is_known=False)
        wanted = self._orders[code]
        if wanted == _UNTIL_CR:
            return self._until_cr(code)
        if wanted == _GLYPHS:
            return self._glyphs(code)
        return self._done(code) if len(buffer) == len(code) + wanted else None

    def _code(self) -> bytes | None:
        for length in (2, 3):
            code = bytes(self._buffer[:length])
            if code in self._orders:
                return code
        return None

    def _until_cr(self, code: bytes) -> Order | None:
        """Text beyond the row's end is heard and forgotten."""
        if self._buffer[-1:] == CR and len(self._buffer) > len(code):
            return self._done(code, cut=1)
        if len(self._buffer) > len(code) + DISPLAY_SCROLL_CHARS_MAX:
            del self._buffer[-1]
        return None

    def _glyphs(self, code: bytes) -> Order | None:
        """``s n m`` and, for each character from n to m, its width and so many columns."""
        args = self._buffer[len(code) :]
        if len(args) < 3:
            return None
        first, last = args[1], args[2]
        if not 0 <= last - first < _GLYPHS_MAX or args[0] != 1:
            return self._done(code, is_known=False)
        place = 3
        for _ in range(last - first + 1):
            if place >= len(args):
                return None
            if args[place] > _GLYPH_COLUMNS_MAX:
                return self._done(code, is_known=False)
            place += 1 + args[place]
        return self._done(code) if len(args) >= place else None

    def _done(self, code: bytes, *, is_known: bool = True, cut: int = 0) -> Order:
        raw = bytes(self._buffer)
        self._buffer.clear()
        return Order(code, raw[len(code) : len(raw) - cut], is_known, raw)


def epson_rows(upper: str, lower: str) -> bytes:
    """The whole picture of an Epson VFD: reset, no cursor, both rows padded."""
    rows = _row(upper) + _row(lower)
    return INIT + CLEAR + b"\x1f\x01" + b"\x1fC\x00" + rows


def cd5220_rows(upper: str, lower: str) -> bytes:
    """The whole picture of a CD5220. Clearing first leaves its string mode, where reset is deaf."""
    rows = b"\x1bQA" + _row(upper) + CR + b"\x1bQB" + _row(lower) + CR
    return CLEAR + INIT + b"\x1b_\x00" + rows


def led8_digits(digits: str, lamp: int) -> bytes:
    """The whole picture of an LED8: digits and points, and which lamp (0 none to 4 change)."""
    if not 0 <= lamp <= 4 or len(digits) > LED8_CHARS_MAX or not set(digits) <= set("0123456789.-"):
        raise ValueError("an LED8 shows at most eight digits with points, and lamps 0 to 4")
    picture = INIT + CLEAR + b"\x1bs" + str(lamp).encode()
    return picture + b"\x1bQA" + digits.encode() + CR if digits else picture


def _row(text: str) -> bytes:
    """Twenty characters that every code page has; others become ``?``."""
    printable = text.encode("ascii", errors="replace")[:DISPLAY_COLUMNS]
    return bytes(value if value >= 0x20 else 0x3F for value in printable).ljust(DISPLAY_COLUMNS)
