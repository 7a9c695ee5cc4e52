"""How many bytes follow a command's letters (Epson ESC/POS; clones' ESC B and FS C included).

A length is found from the bytes that follow. While they are too few, the answer is negative: minus
the count that is needed at least. ``ENDLESS`` gives a command up.
"""

from collections.abc import Callable

Length = Callable[[bytes], int]
"""Bytes that follow the command's letters, or minus the count of them that is needed to know."""

NUL_BYTES_MAX = 258
ENDLESS = 1 << 40
_DLE_DC4 = {1: 2, 2: 2, 3: 5, 7: 1, 8: 7}
"""Bytes after the function of DLE DC4: pulse, power off, buzzer, status, clear buffers."""


def _fixed(count: int) -> Length:
    return lambda _: count


def _until_nul(data: bytes) -> int:
    end = data.find(b"\x00", 0, NUL_BYTES_MAX)
    if end < 0:
        return -len(data) - 1 if len(data) < NUL_BYTES_MAX else ENDLESS
    return end + 1


def _word(data: bytes, at: int) -> int:
    return data[at] | data[at + 1] << 8


def _after_long(data: bytes) -> int:
    return -4 if len(data) < 4 else 4 + int.from_bytes(data[:4], "little")


def _raster(data: bytes) -> int:
    return -5 if len(data) < 5 else 5 + _word(data, 1) * _word(data, 3)


def _column_image(data: bytes) -> int:
    if len(data) < 3:
        return -3
    return 3 + _word(data, 1) * (3 if data[0] in (32, 33) else 1)


def _downloaded_image(data: bytes) -> int:
    return -2 if len(data) < 2 else 2 + data[0] * data[1] * 8


def _kept_images(data: bytes) -> int:
    """FS q n: that many pictures, each with its size in bytes across and bytes down."""
    if not data:
        return -1
    at = 1
    for _ in range(data[0]):
        if len(data) < at + 4:
            return -at - 4
        at += 4 + _word(data, at) * _word(data, at + 2) * 8
    return at


def _own_characters(data: bytes) -> int:
    """ESC & y c1 c2: for each character its width, then so many columns of y bytes."""
    if len(data) < 3:
        return -3
    deep, first, last = data[:3]
    at = 3
    for _ in range(first, last + 1):
        if len(data) <= at:
            return -at - 1
        at += 1 + deep * data[at]
    return at


def _barcode(data: bytes) -> int:
    if not data:
        return -1
    if data[0] <= 6:
        found = _until_nul(data[1:])
        return found + 1 if found > 0 else found - 1
    return -2 if len(data) < 2 else 2 + data[1]


def _cut(data: bytes) -> int:
    if not data:
        return -1
    return 2 if data[0] in (65, 66, 97, 98, 103, 104) else 1


def _packed(data: bytes) -> int:
    """GS ( X pL pH: one letter, a length word, that many bytes."""
    return -3 if len(data) < 3 else 3 + _word(data, 1)


def _realtime(data: bytes) -> int:
    return 1 + _DLE_DC4.get(data[0], 0) if data else -1


def _realtime_status(data: bytes) -> int:
    """DLE EOT n, where 7, 8 and 18 (ink, peel-off sensor, blades) take one more."""
    return 1 + (data[0] in (7, 8, 18)) if data else -1


def _letters(prefix: int, letters: bytes, length: Length) -> dict[bytes, Length]:
    return {bytes([prefix, letter]): length for letter in letters}


COMMANDS: dict[bytes, Length] = {
    **_letters(0x1B, b"@2imLSF<v\x0c", _fixed(0)),
    **_letters(0x1B, b"dJKe3a!EG-M{VtRr=U _%?Tu", _fixed(1)),
    **_letters(0x1B, b"$\\Bc", _fixed(2)),
    b"\x1bp": _fixed(3), b"\x1bW": _fixed(8), b"\x1b*": _column_image, b"\x1bD": _until_nul,
    b"\x1b&": _own_characters, b"\x1b(": _packed,
    **_letters(0x1C, b"&.", _fixed(0)),
    **_letters(0x1C, b"!-WC?", _fixed(1)),
    **_letters(0x1C, b"Sp", _fixed(2)),
    b"\x1c2": _fixed(74), b"\x1cq": _kept_images, b"\x1c(": _packed,
    **_letters(0x1D, b":c", _fixed(0)),
    **_letters(0x1D, b"!BhwHfIrab/|j", _fixed(1)),
    **_letters(0x1D, b"LWPT$\\", _fixed(2)),
    **_letters(0x1D, b"^C", _fixed(3)),
    b"\x1dV": _cut, b"\x1dk": _barcode, b"\x1d(": _packed, b"\x1d*": _downloaded_image,
    b"\x1dv0": _raster, b"\x1d8L": _after_long, b"\x1dz0": _fixed(2),
    b"\x1dg0": _fixed(3), b"\x1dg2": _fixed(3),
    b"\x10\x04": _realtime_status, b"\x10\x05": _fixed(1), b"\x10\x14": _realtime,
}  # fmt: skip
"""Two or three letters of a command, and the length of what follows."""
