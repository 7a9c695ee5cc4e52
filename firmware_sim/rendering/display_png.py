"""What a customer display shows, as a picture: dots on a dark glass, or seven-segment digits.

The glyphs are Pillow's own bitmap font; what it has not is drawn from Noto Sans SC.
"""

import io
from functools import lru_cache

import pylopdf_fonts_zh_cn
from PIL import Image, ImageDraw, ImageFont

CELL = (7, 13)
DOT = 4
MARGIN = 24
BACK, DIM, LIT = (8, 16, 20), (14, 34, 38), (96, 255, 214)
LED_LIT, LED_DIM = (255, 60, 40), (52, 12, 10)
_BRIGHTNESS = {1: 0.45, 2: 0.6, 3: 0.8, 4: 1.0}
_DIGIT = (36, 64)
_SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abdeg", "3": "abcdg", "4": "bcfg", "5": "acdfg",
    "6": "acdefg", "7": "abc", "8": "abcdefg", "9": "abcdfg", "-": "g", " ": "",
}  # fmt: skip
_BARS = {
    "a": (6, 4, 30, 9), "b": (27, 6, 32, 31), "c": (27, 33, 32, 58), "d": (6, 55, 30, 60),
    "e": (4, 33, 9, 58), "f": (4, 6, 9, 31), "g": (6, 30, 30, 35),
}  # fmt: skip
_POINT = (33, 55, 36, 60)


def draw_rows(
    rows: list[str], *, brightness: int = 4, cursor: tuple[int, int] | None = None
) -> bytes:
    """Rows of characters as PNG bytes; ``cursor`` is a column and a row."""
    columns = max(map(len, rows))
    dots = Image.new("1", (columns * CELL[0], len(rows) * CELL[1]), 0)
    for number, row in enumerate(rows):
        for place, character in enumerate(row):
            dots.paste(_glyph(character), (place * CELL[0], number * CELL[1]))
    if cursor is not None:
        left, top = cursor[0] * CELL[0], cursor[1] * CELL[1] + CELL[1] - 2
        ImageDraw.Draw(dots).line((left, top, left + CELL[0] - 3, top), fill=1)
    return _png(_lit(dots, brightness))


def draw_digits(digits: str, places: int, lamp: str) -> bytes:
    """Digits with points, to the right of so many places, and the lit lamp's name."""
    points = sum(character == "." for character in digits)
    cells: list[tuple[str, bool]] = []
    for character in digits.rjust(places + points):
        if character == "." and cells:
            cells[-1] = (cells[-1][0], True)
        else:
            cells.append((character, False))
    size = (places * _DIGIT[0] + 2 * MARGIN, _DIGIT[1] + 3 * MARGIN)
    picture = Image.new("RGB", size, BACK)
    pen = ImageDraw.Draw(picture)
    for place, (character, has_point) in enumerate(cells):
        left = MARGIN + place * _DIGIT[0]
        for name, bar in _BARS.items():
            pen.rectangle(_at(bar, left), fill=_led(name in _SEGMENTS.get(character, "")))
        pen.rectangle(_at(_POINT, left), fill=_led(has_point))
    words = lamp.replace("_", " ")
    pen.text((MARGIN, _DIGIT[1] + MARGIN + 8), words, LED_LIT, ImageFont.load_default_imagefont())
    return _png(picture)


def _at(bar: tuple[int, int, int, int], left: int) -> tuple[int, int, int, int]:
    return bar[0] + left, bar[1] + MARGIN, bar[2] + left, bar[3] + MARGIN


def _led(is_lit: bool) -> tuple[int, int, int]:
    return LED_LIT if is_lit else LED_DIM


@lru_cache(maxsize=512)
def _glyph(character: str) -> Image.Image:
    cell = Image.new("1", CELL, 0)
    pen = ImageDraw.Draw(cell)
    if character.isascii():
        pen.text((1, 1), character, 1, ImageFont.load_default_imagefont())
    else:
        pen.text((0, CELL[1] - 3), character, 1, _noto(), anchor="ls")
    return cell


@lru_cache(maxsize=1)
def _noto() -> ImageFont.FreeTypeFont:
    path = pylopdf_fonts_zh_cn.sans_path()
    return ImageFont.truetype(path, CELL[0] + 2, layout_engine=ImageFont.Layout.BASIC)


def _lit(dots: Image.Image, brightness: int) -> Image.Image:
    """Every dot a small square, lit or dim, with dark between."""
    share = _BRIGHTNESS.get(brightness, 1.0)
    lit = tuple(round(part * share) for part in LIT)
    width, height = dots.size
    whole = Image.new("RGB", (width * DOT, height * DOT), BACK)
    mask = dots.convert("L").resize(whole.size, Image.Resampling.NEAREST)
    colours = Image.composite(
        Image.new("RGB", whole.size, lit), Image.new("RGB", whole.size, DIM), mask
    )
    pattern = Image.new("L", (DOT, DOT), 255)
    ImageDraw.Draw(pattern).line((DOT - 1, 0, DOT - 1, DOT), fill=0)
    ImageDraw.Draw(pattern).line((0, DOT - 1, DOT, DOT - 1), fill=0)
    grid = Image.new("L", whole.size)
    for top in range(0, whole.height, DOT):
        for left in range(0, whole.width, DOT):
            grid.paste(pattern, (left, top))
    whole.paste(colours, (0, 0), grid)
    framed = Image.new("RGB", (whole.width + 2 * MARGIN, whole.height + 2 * MARGIN), BACK)
    framed.paste(whole, (MARGIN, MARGIN))
    return framed


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", optimize=False)
    return stream.getvalue()
