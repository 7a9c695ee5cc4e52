"""Fingers that nobody has: a name becomes a field of marks, the marks a picture and a template.

Rule 1: nothing biometric is here. A finger is a name; its marks are drawn from a hash of it.
Rule 2: whatever the sensor knows, it knows from the picture or the template. A picture sent back
to the sensor yields the same template, and a damaged one yields what is left.

The glass is divided into cells of 8 by 8 points. A mark darkens one cell; its shade stands for
the direction of a ridge's end. Two touches of one finger share the marks that both show.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from firmware_sim.devices.ef01.profiles import ZFM20, Profile

CELL_PX = 8
SHADES = 12
MARKS = 40
MARKS_MIN = 12
MARKS_MAX = 64
CAPTURE_QUALITY_MIN = 10
SCORE_PER_MARK = 5
_COMMON_MIN = {1: 10, 2: 12, 3: 14, 4: 18, 5: 24}
_MAGIC = b"SIM1"
_BLANK = b"\xff\xff\xff\xff"
_SAMPLE_LINE, _SAMPLE_BYTE = 4, 1

Mark = tuple[int, int, int]
"""Column and row of a cell, and its shade, 0 the darkest."""
Marks = frozenset[Mark]


@dataclass(frozen=True, slots=True)
class Touch:
    """A finger on the glass: how much of it shows, in percent, and whether the glass is dirty."""

    finger: str
    quality: int = 100
    is_smudged: bool = False
    number: int = 0


def marks_of(finger: str, profile: Profile = ZFM20) -> Marks:
    """All the marks that a finger has on a glass of this size, each in a cell of its own."""
    return frozenset(islice(_drawn_marks(finger, profile), MARKS))


def _drawn_marks(finger: str, profile: Profile) -> Iterator[Mark]:
    drawn = hashlib.shake_256(b"tillway-sim-finger:" + finger.encode()).digest(24 * MARKS)
    taken = set()
    for start in range(0, len(drawn), 3):
        one, two, three = drawn[start : start + 3]
        cell = (
            one * (profile.width_px // CELL_PX) // 256,
            two * (profile.height_px // CELL_PX) // 256,
        )
        if cell not in taken:
            taken.add(cell)
            yield (*cell, three * SHADES // 256)


def shown_marks(touch: Touch, profile: Profile) -> Marks:
    """The marks that this touch shows; the same touch shows the same."""
    marks = sorted(marks_of(touch.finger, profile))
    seed = f"tillway-sim-touch:{touch.finger}:{touch.number}".encode()
    chances = hashlib.shake_256(seed).digest(len(marks))
    shown = zip(marks, chances, strict=True)
    return frozenset(mark for mark, chance in shown if chance * 100 < touch.quality * 256)


def picture_of(touch: Touch, profile: Profile) -> bytes:
    """The picture of a touch: 4 bits a point, light ground, dark marks."""
    marks = shown_marks(touch, profile)
    if touch.is_smudged:
        columns, rows = profile.width_px // CELL_PX // 2, profile.height_px // CELL_PX
        marks |= {(column, row, 0) for column in range(columns) for row in range(rows)}
    return draw(marks, profile)


def image_of(finger: str, profile: Profile = ZFM20) -> bytes:
    """The picture of a whole finger on a clean glass."""
    return draw(marks_of(finger, profile), profile)


def draw(marks: Marks, profile: Profile) -> bytes:
    """Marks as a picture."""
    shades = {(column, row): shade for column, row, shade in marks}
    columns = range(profile.width_px // CELL_PX)
    blank_line = _BLANK * len(columns)
    lines = []
    for row in range(profile.height_px // CELL_PX):
        line = b"".join(_cell_line(shades.get((column, row))) for column in columns)
        lines += [blank_line, *[line] * (CELL_PX - 2), blank_line]
    return b"".join(lines)


def _cell_line(shade: int | None) -> bytes:
    if shade is None:
        return _BLANK
    inside = shade << 4 | shade
    return bytes([0xF0 | shade, inside, inside, shade << 4 | 0xF])


def marks_in(picture: bytes, profile: Profile) -> Marks:
    """The marks that a picture shows, read at the middle of each cell."""
    line_bytes = profile.width_px // 2
    found = set()
    for row in range(profile.height_px // CELL_PX):
        start = (row * CELL_PX + _SAMPLE_LINE) * line_bytes + _SAMPLE_BYTE
        samples = picture[start : start + line_bytes : CELL_PX // 2]
        found |= {
            (column, row, sample & 0xF)
            for column, sample in enumerate(samples)
            if sample & 0xF < SHADES
        }
    return frozenset(found)


def template_of(finger: str, profile: Profile = ZFM20) -> bytes:
    """The template of a whole finger."""
    return encode_template(marks_of(finger, profile), profile)


def encode_template(marks: Marks, profile: Profile) -> bytes:
    """Marks as a template: a word that tells it from a real one, a count, three bytes a mark."""
    kept = sorted(marks)[:MARKS_MAX]
    body = _MAGIC + bytes([len(kept)]) + b"".join(map(bytes, kept))
    return body.ljust(profile.template_bytes, b"\x00")


@lru_cache(maxsize=2048)
def decode_template(template: bytes) -> Marks:
    """The marks of a template; none if it is not one of ours."""
    if template[:4] != _MAGIC:
        return frozenset()
    count = min(template[4], MARKS_MAX)
    body = template[5 : 5 + 3 * count]
    return frozenset((body[at], body[at + 1], body[at + 2]) for at in range(0, len(body) - 2, 3))


def score(one: bytes, two: bytes, security: int) -> int:
    """How much two templates agree; 0 where that is too little for the security level, 1 to 5."""
    common = len(decode_template(one) & decode_template(two))
    return common * SCORE_PER_MARK if common >= _COMMON_MIN[security] else 0
