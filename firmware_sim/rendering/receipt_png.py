"""A receipt as a picture at 203 dpi: what the paper would look like.

The glyphs are Noto Sans SC (SIL Open Font License 1.1) out of a data-only package, so a machine
with nothing but pip shows real Chinese. A Latin glyph is squeezed into the 12-dot cell a printer
gives it. Codes are drawn dot by dot, so a reader finds in them what the printer was told.
"""

import io
from functools import lru_cache
from typing import Literal

import pylopdf_fonts_zh_cn
import qrcode
from PIL import Image, ImageDraw, ImageFont, ImageOps
from qrcode.util import QRData

from firmware_sim.devices.paper import (
    CELL_B_DOTS,
    CELL_DOTS,
    HRI_GAP_DOTS,
    Area,
    Barcode,
    Blank,
    Block,
    Matrix,
    PageSheet,
    Picture,
    Piece,
    QrCode,
    Span,
    Style,
    TextLine,
)
from firmware_sim.devices.receipt import Receipt

MARGIN_DOTS = 24
PAPER, INK = 255, 0
_GLYPH_DOTS = 22
_BASELINE_DOTS = 19
_QR_LEVELS = {"L": 1, "M": 0, "Q": 3, "H": 2}
_BYTE_MODE: Literal[4] = 4
_TURNS = {
    1: Image.Transpose.ROTATE_90,
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_270,
}


def draw_receipt(receipt: Receipt) -> bytes:
    """The receipt as PNG bytes; the same receipt always gives the same bytes."""
    width = receipt.width_dots + 2 * MARGIN_DOTS
    height = max(1, receipt.length_dots) + 2 * MARGIN_DOTS
    sheet = Image.new("L", (width, height), PAPER)
    top = MARGIN_DOTS
    for block in receipt.blocks:
        sheet.paste(_strip(block, receipt.width_dots), (MARGIN_DOTS, top))
        top += block.dots
    stream = io.BytesIO()
    sheet.save(stream, format="PNG", optimize=False)
    return stream.getvalue()


def _strip(block: Block, width: int) -> Image.Image:
    strip = Image.new("L", (width, block.dots), PAPER)
    match block:
        case TextLine():
            for piece in block.pieces:
                top = block.height_dots - piece.height_dots
                strip.paste(_drawn(piece), (piece.left_dots, top))
            return _turned(strip) if block.is_upside_down else strip
        case QrCode() | Barcode() | Matrix() | Picture():
            strip.paste(_drawn(block), (block.left_dots, 0))
            return _turned(strip) if block.is_upside_down else strip
        case PageSheet():
            for area in block.areas:
                _print_area(strip, area)
        case Blank():
            pass
    return strip


def _turned(strip: Image.Image) -> Image.Image:
    return strip.transpose(Image.Transpose.ROTATE_180)


def _print_area(strip: Image.Image, area: Area) -> None:
    """An area is drawn in its own direction, then turned; where areas overlap, ink stays ink."""
    size = (area.width_dots, area.height_dots)
    canvas = Image.new("L", size[::-1] if area.direction in (1, 3) else size, PAPER)
    for placed in area.pieces:
        canvas.paste(_drawn(placed.piece), (placed.left_dots, placed.top_dots))
    if area.direction:
        canvas = canvas.transpose(_TURNS[area.direction])
    ink = ImageOps.invert(canvas)
    strip.paste(INK, (area.left_dots, area.top_dots), ink)


def _drawn(piece: Piece) -> Image.Image:
    match piece:
        case Span():
            return _span(piece)
        case QrCode():
            return _qr(piece)
        case Barcode():
            return _barcode(piece)
        case Matrix():
            return _matrix(piece)
        case Picture():
            return _picture(piece)


def _span(span: Span) -> Image.Image:
    drawn = Image.new("L", (max(1, span.width_dots), max(1, span.height_dots)), PAPER)
    left = 0
    for character in span.text:
        cell = _cell(character, span.style)
        drawn.paste(cell, (left, drawn.height - cell.height))
        left += cell.width
    return drawn


@lru_cache(maxsize=4096)
def _cell(character: str, style: Style) -> Image.Image:
    """The character with the white to its right, which underline and reverse cover, too."""
    size = style.cell_dots(character)
    glyph = _glyph(character, bold=style.bold)
    if style.rotated:
        glyph = glyph.transpose(Image.Transpose.ROTATE_270)
    cell = Image.new("L", (style.advance_dots(character), size[1]), PAPER)
    cell.paste(glyph.resize(size, Image.Resampling.LANCZOS), (0, 0))
    if style.underline:
        top = cell.height - style.underline
        ImageDraw.Draw(cell).rectangle((0, top, cell.width, cell.height), fill=INK)
    return ImageOps.invert(cell) if style.reverse else cell


def _glyph(character: str, *, bold: bool) -> Image.Image:
    font = _font()
    width = max(CELL_DOTS[0], round(font.getlength(character)))
    if ord(character) >= 0x80:
        width = max(width, CELL_DOTS[1])
    glyph = Image.new("L", (width, CELL_DOTS[1]), PAPER)
    left = (width - round(font.getlength(character))) // 2
    pen = ImageDraw.Draw(glyph)
    for shift in (0, 1) if bold else (0,):
        pen.text((left + shift, _BASELINE_DOTS), character, INK, font, anchor="ls")
    return glyph


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    path = pylopdf_fonts_zh_cn.sans_path()
    return ImageFont.truetype(path, _GLYPH_DOTS, layout_engine=ImageFont.Layout.BASIC)


def _qr(block: QrCode) -> Image.Image:
    code = qrcode.QRCode(
        version=block.version, error_correction=_QR_LEVELS[block.correction],
        box_size=block.module_dots, border=0,
    )  # fmt: skip
    code.add_data(QRData(block.payload, _BYTE_MODE))
    code.make(fit=False)
    return code.make_image().get_image().convert("L")


def _barcode(block: Barcode) -> Image.Image:
    words = _words(block)
    width = max(block.width_dots, words.width if block.hri else 0)
    drawn = Image.new("L", (width, block.height_dots), PAPER)
    top = block.words_dots if block.hri & 1 else 0
    pen, left = ImageDraw.Draw(drawn), 0
    for at, dots in enumerate(block.bars):
        if at % 2 == 0:
            pen.rectangle((left, top, left + dots - 1, top + block.bar_dots - 1), fill=INK)
        left += dots
    middle = max(0, (block.width_dots - words.width) // 2)
    if block.hri & 1:
        drawn.paste(words, (middle, 0))
    if block.hri & 2:
        drawn.paste(words, (middle, top + block.bar_dots + HRI_GAP_DOTS))
    return drawn


def _matrix(block: Matrix) -> Image.Image:
    size = (block.columns, block.row_count)
    modules = ImageOps.invert(Image.frombytes("1", size, block.rows).convert("L"))
    return modules.resize((block.width_dots, block.height_dots), Image.Resampling.NEAREST)


def _words(block: Barcode) -> Image.Image:
    span = Span(block.words, Style(font_b=block.hri_font_b, chinese=False))
    height = (CELL_B_DOTS if block.hri_font_b else CELL_DOTS)[1]
    return _span(span) if block.words else Image.new("L", (1, height), PAPER)


def _picture(block: Picture) -> Image.Image:
    size = (block.row_bytes * 8, block.height)
    content = ImageOps.invert(Image.frombytes("1", size, block.rows).convert("L"))
    return content.resize((block.width_dots, block.height_dots))
