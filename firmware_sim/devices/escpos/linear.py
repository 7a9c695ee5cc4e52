"""Linear codes: from the data of GS k to the widths of bars and gaps.

Sources: GS1 General Specifications (EAN, UPC, GS1-128), ISO/IEC 15417 (Code 128), 16388 (Code 39),
16390 (Interleaved 2 of 5), AIM USS-93 (Code 93) and USS-Codabar. What data each takes, and that a
missing check digit is added, is Epson's GS k. A printer prints nothing for data that a code
cannot say; here that is ``ValueError``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.devices.escpos import linear_tables as tables

_DIGITS = frozenset(b"0123456789")


@dataclass(frozen=True, slots=True)
class LinearCode:
    """What is drawn. ``widths`` are in modules, a bar first; a two-width code's wide elements are
    ``WIDE``. ``text`` is what the code says, ``words`` what a person reads beside it."""

    symbology: str
    widths: tuple[int, ...]
    text: bytes
    words: str

    def bars(self, module_dots: int) -> tuple[int, ...]:
        """The widths in dots; a wide element is two and a half modules (GS w's table)."""
        wide_dots = (module_dots * 5 + 1) // 2
        return tuple(wide_dots if width == WIDE else width * module_dots for width in self.widths)


WIDE = 0
"""In ``widths``, where a code knows narrow and wide only."""


def encode(symbology: str, data: bytes) -> LinearCode:
    """The code of GS k; ``ValueError`` says what the code cannot hold."""
    return _ENCODERS[symbology](data)


def _digits(data: bytes, *counts: int) -> str:
    if len(data) not in counts or not _DIGITS.issuperset(data):
        raise ValueError(f"wants {' or '.join(map(str, counts))} digits")
    return data.decode()


def check_digit(digits: str) -> str:
    """GS1: weights 3 and 1 by turns from the right."""
    total = sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _widths(*patterns: str) -> tuple[int, ...]:
    return tuple(int(width) for pattern in patterns for width in pattern)


def _ean13(data: bytes) -> LinearCode:
    digits = _digits(data, 12, 13)
    digits += check_digit(digits) if len(digits) == 12 else ""
    widths = _ean_widths(digits)
    return LinearCode("EAN13", widths, digits.encode(), digits)


def _ean_widths(digits: str) -> tuple[int, ...]:
    parity = tables.EAN13_PARITY[int(digits[0])]
    left = [_ean_digit(digit, side) for digit, side in zip(digits[1:7], parity, strict=True)]
    right = [_ean_digit(digit, "L") for digit in digits[7:]]
    return _widths("111", *left, "11111", *right, "111")


def _ean_digit(digit: str, side: str) -> str:
    pattern = tables.EAN_WIDTHS[int(digit)]
    return pattern if side == "L" else pattern[::-1]


def _ean8(data: bytes) -> LinearCode:
    digits = _digits(data, 7, 8)
    digits += check_digit(digits) if len(digits) == 7 else ""
    halves = [[_ean_digit(digit, "L") for digit in half] for half in (digits[:4], digits[4:])]
    return LinearCode(
        "EAN8", _widths("111", *halves[0], "11111", *halves[1], "111"), digits.encode(), digits
    )


def _upca(data: bytes) -> LinearCode:
    digits = _digits(data, 11, 12)
    digits += check_digit(digits) if len(digits) == 11 else ""
    return LinearCode("UPCA", _ean_widths("0" + digits), digits.encode(), digits)


def _upce(data: bytes) -> LinearCode:
    digits = _digits(data, 6, 7, 8, 11, 12)
    short = _shorten(digits) if len(digits) >= 11 else digits[1:7] if len(digits) > 6 else digits
    if len(digits) > 6 and digits[0] != "0":
        raise ValueError("UPC-E begins with 0")
    check = check_digit("0" + _lengthen(short))
    parity = tables.UPCE_PARITY[int(check)]
    middle = [_ean_digit(digit, side) for digit, side in zip(short, parity, strict=True)]
    whole = f"0{short}{check}"
    return LinearCode("UPCE", _widths("111", *middle, "111111"), whole.encode(), whole)


def _lengthen(short: str) -> str:
    """Six digits of UPC-E to the ten behind UPC-A's number system."""
    last = short[5]
    if last in "012":
        return f"{short[:2]}{last}0000{short[2:5]}"
    if last == "3":
        return f"{short[:3]}00000{short[3:5]}"
    if last == "4":
        return f"{short[:4]}00000{short[4]}"
    return f"{short[:5]}0000{last}"


def _shorten(digits: str) -> str:
    """UPC-A's ten digits to six; ``ValueError`` where zeros are not in the right places."""
    body = digits[1:11]
    for last in range(10):
        for short in (f"{body[:2]}{body[7:10]}{last}", f"{body[:3]}{body[8:10]}{last}",
                      f"{body[:4]}{body[9]}{last}", f"{body[:5]}{last}"):  # fmt: skip
            if len(short) == 6 and _lengthen(short) == body:
                return short
    raise ValueError("these digits have no UPC-E form")


def _code39(data: bytes) -> LinearCode:
    body = data.strip(b"*").decode("latin-1")
    if not body or any(character not in tables.CODE39 for character in body) or "*" in body:
        raise ValueError("Code 39 holds 0-9 A-Z space $%+-./")
    patterns = [tables.CODE39[character] for character in f"*{body}*"]
    return LinearCode("Code39", _two_widths("0".join(patterns)), body.encode(), f"*{body}*")


def _two_widths(pattern: str) -> tuple[int, ...]:
    return tuple(WIDE if mark == "1" else 1 for mark in pattern)


def _itf(data: bytes) -> LinearCode:
    if len(data) < 2 or len(data) % 2 or not _DIGITS.issuperset(data):
        raise ValueError("ITF holds an even count of digits")
    digits = data.decode()
    pairs = zip(digits[::2], digits[1::2], strict=True)
    body = "".join(
        bar + gap
        for first, second in pairs
        for bar, gap in zip(tables.ITF[int(first)], tables.ITF[int(second)], strict=True)
    )
    return LinearCode("ITF", _two_widths(f"0000{body}100"), data, digits)


def _codabar(data: bytes) -> LinearCode:
    body = data.decode("latin-1").upper()
    inner, ends = body[1:-1], body[:1] + body[-1:]
    if len(body) < 2 or any(end not in "ABCD" for end in ends):
        raise ValueError("Codabar begins and ends with A, B, C or D")
    if any(character not in tables.CODABAR or character in "ABCD" for character in inner):
        raise ValueError("Codabar holds 0-9 $+-./:")
    pattern = "0".join(tables.CODABAR[character] for character in body)
    return LinearCode("Codabar", _two_widths(pattern), body.encode(), body)


def _code93(data: bytes) -> LinearCode:
    if not data or any(value >= 0x80 for value in data):
        raise ValueError("Code 93 holds ASCII")
    values = [value for byte in data for value in _code93_values(byte)]
    for reach in (20, 15):
        weighted = (value * (at % reach + 1) for at, value in enumerate(reversed(values)))
        values.append(sum(weighted) % 47)
    patterns = [tables.CODE93[value] for value in values]
    words = "".join(chr(byte) if 0x20 <= byte < 0x7F else " " for byte in data)
    widths = _widths(tables.CODE93_END, *patterns, tables.CODE93_END, "1")
    return LinearCode("Code93", widths, data, words)


def _code93_values(byte: int) -> list[int]:
    """One character, or a shift and a letter: ($) 43, (%) 44, (/) 45, (+) 46."""
    character = chr(byte)
    if character in tables.CODE93_PLAIN:
        return [tables.CODE93_PLAIN.index(character)]
    for shift, first, last, letter in tables.CODE93_SHIFTED:
        if first <= byte <= last:
            return [shift, tables.CODE93_PLAIN.index(chr(ord(letter) + byte - first))]
    raise AssertionError("the table has all of ASCII")


def _code128(data: bytes) -> LinearCode:
    return code128_of(data, "Code128")


def _gs1_128(data: bytes) -> LinearCode:
    """GS k 74: parentheses and spaces are for people; the code chooses its sets by itself."""
    body = bytes(byte for byte in data if byte not in b"() ")
    if not body or any(not 0x20 <= byte < 0x80 for byte in body):
        raise ValueError("GS1-128 holds ASCII")
    if len(body) % 2 == 0 and _DIGITS.issuperset(body):
        pairs = bytes(int(body[at : at + 2]) for at in range(0, len(body), 2))
        return code128_of(b"{C{1" + pairs, "GS1-128", words=data.decode("latin-1"))
    return code128_of(b"{B{1" + body.replace(b"{", b"{{"), "GS1-128", words=data.decode("latin-1"))


def code128_of(data: bytes, symbology: str, words: str | None = None) -> LinearCode:
    """Epson's notation: ``{A {B {C`` choose a set, ``{S`` shifts, ``{1``-``{4`` are functions,
    ``{{`` is the brace; in set C each byte 0 to 99 is a pair of digits."""
    reader = tables.Code128Reader()
    reader.read(data)
    values = reader.values
    checksum = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    patterns = [tables.CODE128[value] for value in (*values, checksum, tables.CODE128_STOP)]
    shown = reader.text.decode("latin-1") if words is None else words
    return LinearCode(symbology, _widths(*patterns), bytes(reader.text), shown)


_ENCODERS: dict[str, Callable[[bytes], LinearCode]] = {
    "EAN13": _ean13, "EAN8": _ean8, "UPCA": _upca, "UPCE": _upce, "Code39": _code39, "ITF": _itf,
    "Codabar": _codabar, "Code93": _code93, "Code128": _code128, "GS1-128": _gs1_128,
}  # fmt: skip
