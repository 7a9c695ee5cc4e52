"""A receipt as a picture at 203 dpi: what the paper would look like.

The glyphs are Noto Sans SC (SIL Open Font License 1.1) out of a data-only package, so a machine
with nothing but pip shows real Chinese. A Latin glyph is squeezed into the 12-dot cell a printer
gives it.
"""

import io
from functools import lru_cache

import pylopdf_fonts_zh_cn
import qrcode
import qrcode.exceptions
import zxingcpp
from PIL import Image, ImageDraw, ImageFont, ImageOps

from firmware_sim.devices.receipt import (
    CELL_DOTS,
    Barcode,
    Blank,
    Block,
    Picture,
    QrCode,
    Receipt,
    Span,
    Style,
    TextLine,
)

MARGIN_DOTS = 24
PAPER, INK = 255, 0
_GLYPH_DOTS = 22
_BASELINE_DOTS = 19
_QR_LEVELS = {"L": 1, "M": 0, "Q": 3, "H": 2}


def draw_receipt(receipt: Receipt) -> bytes:
    """The receipt as PNG bytes; the same receipt always gives the same bytes."""
    strips = [_strip(block, receipt.width_dots) for block in receipt.blocks]
    width = receipt.width_dots + 2 * MARGIN_DOTS
    height = sum(strip.height for strip in strips) + 2 * MARGIN_DOTS
    sheet = Image.new("L", (width, height), PAPER)
    top = MARGIN_DOTS
    for strip in strips:
        sheet.paste(strip, (MARGIN_DOTS, top))
        top += strip.height
    stream = io.BytesIO()
    sheet.save(stream, format="PNG", optimize=False)
    return stream.getvalue()


def _strip(block: Block, width: int) -> Image.Image:
    match block:
        case TextLine():
            return _aligned(_text(block), block.align, width, minimum=block.dots)
        case QrCode():
            return _aligned(_qr(block), block.align, width)
        case Barcode():
            return _aligned(_barcode(block), block.align, width)
        case Picture():
            return _aligned(_picture(block), block.align, width)
        case Blank():
            return Image.new("L", (width, block.dots), PAPER)


def _aligned(content: Image.Image, align: int, width: int, minimum: int = 0) -> Image.Image:
    strip = Image.new("L", (width, max(content.height, minimum)), PAPER)
    free = max(0, width - content.width)
    strip.paste(content, ({1: free // 2, 2: free}.get(align, 0), 0))
    return strip


def _text(line: TextLine) -> Image.Image:
    width = sum(map(_span_dots, line.spans))
    tallest = max((span.style.height for span in line.spans), default=1)
    content = Image.new("L", (max(1, width), tallest * CELL_DOTS[1]), PAPER)
    left = 0
    for span in line.spans:
        for character in span.text:
            cell = _cell(character, span.style)
            content.paste(cell, (left, content.height - cell.height))
            left += cell.width
    return content


def _span_dots(span: Span) -> int:
    return sum(_cell_dots(character, span.style) for character in span.text)


def _cell_dots(character: str, style: Style) -> int:
    narrow = 9 if style.font_b else CELL_DOTS[0]
    return (24 if style.columns_of(character) == 2 else narrow) * style.width


@lru_cache(maxsize=4096)
def _cell(character: str, style: Style) -> Image.Image:
    glyph = _glyph(character, bold=style.bold)
    size = (_cell_dots(character, style), CELL_DOTS[1] * style.height)
    cell = glyph.resize(size, Image.Resampling.LANCZOS)
    if style.underline:
        thick = style.underline * 2
        ImageDraw.Draw(cell).rectangle((0, size[1] - thick, size[0], size[1]), fill=INK)
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
        error_correction=_QR_LEVELS[block.correction], box_size=block.module_dots, border=4
    )
    try:
        code.add_data(block.payload)
        code.make(fit=True)
    except (ValueError, qrcode.exceptions.DataOverflowError):
        return _words("[QR too long]")
    return code.make_image().get_image().convert("L")


def _barcode(block: Barcode) -> Image.Image:
    try:
        kind = zxingcpp.barcode_format_from_str(block.symbology)
        code = zxingcpp.create_barcode(block.payload.decode("latin-1"), kind)
        drawn = Image.fromarray(code.to_image(scale=2, add_quiet_zones=True))
    except (ValueError, RuntimeError):
        return _words(f"[{block.symbology} refused]")
    return drawn.convert("L").resize((drawn.width, max(1, block.dots)))


def _words(words: str) -> Image.Image:
    return _text(TextLine(0, (Span(words, Style()),)))


def _picture(block: Picture) -> Image.Image:
    size = (block.row_bytes * 8, block.height)
    content = ImageOps.invert(Image.frombytes("1", size, block.rows).convert("L"))
    return content.resize((size[0] * block.scale_x, size[1] * block.scale_y))
