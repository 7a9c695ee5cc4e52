"""Goal: what is printed stands where the commands put it, to the dot."""

import io
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageChops

from firmware_sim.devices.escpos import EscPosPrinter, PrinterProfile
from firmware_sim.devices.paper import Barcode, PageSheet, Picture, Span, TextLine
from firmware_sim.devices.receipt import Receipt
from firmware_sim.rendering.receipt_png import MARGIN_DOTS, draw_receipt
from protocol.framing import escpos
from protocol.framing.escpos import Align, QrStyle

RASTER_8X2 = b"\x1dv0\x00\x01\x00\x02\x00\xff\x81"


def _receipt(data: bytes, profile: PrinterProfile | None = None) -> Receipt:
    printer = EscPosPrinter(profile)
    printer.feed(data + escpos.CUT_FULL, 0)
    return printer.receipts[-1]


def _spans(data: bytes) -> list[Span]:
    return [piece for piece in _receipt(data).pieces if isinstance(piece, Span)]


def _ink_box(receipt: Receipt) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is black, in dots of the printable width."""
    with Image.open(io.BytesIO(draw_receipt(receipt))) as picture:
        box = ImageChops.invert(picture.convert("L")).point(lambda ink: 255 * (ink > 127)).getbbox()
    assert box is not None
    left, top, right, bottom = (edge - MARGIN_DOTS for edge in box)
    return left, top, right, bottom


# -- along the line ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("align", "left"), [(Align.LEFT, 0), (Align.CENTRE, (576 - 48) // 2), (Align.RIGHT, 576 - 48)]
)
def test_alignment_moves_words_and_codes_alike(align: Align, left: int) -> None:
    [span] = _spans(escpos.align(align) + b"till\n")
    assert (span.left_dots, span.width_dots) == (left, 48)
    picture = b"\x1dv0\x00\x06\x00\x01\x00" + b"\xff" * 6
    [raster] = _receipt(escpos.align(align) + picture).pieces
    assert isinstance(raster, Picture)
    assert raster.left_dots == left


def test_margin_and_print_width_bound_the_line() -> None:
    bounds = b"\x1dL\x18\x00\x1dW\x78\x00"  # 24 dots in, 120 wide
    spans = _spans(bounds + escpos.align(Align.RIGHT) + b"0123456789AB\n")
    assert [(span.text, span.left_dots) for span in spans] == [("0123456789", 24), ("AB", 120)]


def test_absolute_and_relative_places_on_a_line() -> None:
    spans = _spans(b"a\x1b$\x64\x00b\x1b\\\x0a\x00c\x1b\\\xf6\xffd\n")
    assert [(span.text, span.left_dots) for span in spans] == [
        ("a", 0), ("b", 100), ("c", 122), ("d", 124),
    ]  # fmt: skip
    assert _receipt(b"1\x1b$\x90\x002\n").to_text() == "1           2\n"


def test_a_place_beyond_the_area_changes_nothing() -> None:
    spans = _spans(b"a\x1b$\xff\xffb\n")
    assert [(span.text, span.left_dots) for span in spans] == [("ab", 0)]


def test_motion_units_scale_places_and_feeds() -> None:
    [span] = _spans(b"\x1dP\x14\x14\x1b$\x02\x00x\n")
    assert span.left_dots == 2 * 203 // 20
    assert _receipt(b"\x1dP\x14\x14" + b"x\x1bJ\x0a").length_dots == 10 * 203 // 20


def test_tabs_stand_every_eight_columns_or_where_they_were_set() -> None:
    assert [span.left_dots for span in _spans(b"a\tb\tc\n")] == [0, 96, 192]
    assert [span.left_dots for span in _spans(b"\x1bD\x05\x0b\x00a\tb\tc\td\n")] == [0, 60, 132]
    assert [span.text for span in _spans(b"\x1bD\x00a\tb\n")] == ["ab"]


def test_tab_stops_of_double_width_letters_are_twice_as_far() -> None:
    spans = _spans(escpos.size(width=2) + b"\x1bD\x04\x00a\tb\n")
    assert [span.left_dots for span in spans] == [0, 96]


def test_spacing_widens_letters() -> None:
    [span] = _spans(b"\x1b \x06abc\n")
    assert span.width_dots == 3 * 18
    [chinese] = _spans(b"\x1cS\x02\x04" + "收银".encode("gb18030") + b"\n")
    assert chinese.width_dots == 2 * 30


def test_font_b_has_64_columns() -> None:
    rows = _receipt(b"\x1bM\x01" + b"x" * 65 + b"\n").to_text().splitlines()
    assert [len(row) for row in rows] == [64, 1]


def test_latin_and_chinese_have_sizes_and_underlines_of_their_own() -> None:
    words = "a收\n".encode("gb18030")
    [latin, chinese] = _spans(b"\x1b!\xb0" + words)
    assert (latin.style.width, latin.style.height, latin.style.underline) == (2, 2, 1)
    assert (chinese.style.width, chinese.style.height, chinese.style.underline) == (1, 1, 0)
    [latin, chinese] = _spans(b"\x1c!\x84\x1c-\x02" + words)
    assert (latin.style.width, chinese.style.width, chinese.style.underline) == (1, 2, 2)
    [both] = _spans(escpos.size(width=3, height=3) + words)
    assert both.width_dots == 36 + 72
    [_, chinese] = _spans(b"\x1cW\x01" + words)
    assert (chinese.style.width, chinese.style.height) == (2, 2)


@pytest.mark.parametrize(
    ("command", "field", "value"),
    [
        (b"\x1bE\x01", "bold", True), (b"\x1bG\x01", "bold", True), (b"\x1dB\x01", "reverse", True),
        (b"\x1b-\x02", "underline", 2), (b"\x1b-1", "underline", 1),
        (b"\x1bV\x01", "rotated", True), (b"\x1bM1", "font_b", True),
    ],
)  # fmt: skip
def test_a_style_is_kept_until_the_printer_is_initialised(
    command: bytes, field: str, value: object
) -> None:
    first, second = _spans(command + b"A\n" + escpos.INIT + b"B\n")
    assert getattr(first.style, field) == value
    assert getattr(second.style, field) != value


# -- characters ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "byte", "character"),
    [(0, 0x9B, "¢"), (16, 0x80, "€"), (17, 0x80, "А"), (19, 0xD5, "€"),
     (1, 0xB1, "ｱ"), (1, 0x95, "─"), (1, 0xFE, "▒"),
     (37, 0xC1, "\ufe80"), (250, 0x80, "\ufffd")],
)  # fmt: skip
def test_a_code_page_gives_a_byte_its_character(page: int, byte: int, character: str) -> None:
    western = PrinterProfile("western")
    text = _receipt(b"\x1bt" + bytes([page, byte]) + b"\n", western).to_text()
    if page == 37:
        assert text.strip() == bytes([byte]).decode("cp864")
    else:
        assert text == character + "\n"


@pytest.mark.parametrize(
    ("nation", "printed"), [(0, "#$@[\\]^`{|}~"), (2, "#$§ÄÖÜ^`äöüß"), (15, "#¥@[\\]^`{|}~")]
)
def test_a_national_set_puts_its_letters_into_ascii(nation: int, printed: str) -> None:
    data = b"\x1bR" + bytes([nation]) + b"#$@[\\]^`{|}~\n"
    assert _receipt(data, PrinterProfile("western")).to_text() == printed + "\n"


# -- down the paper --------------------------------------------------------------------------------


def test_lines_take_their_spacing_or_what_their_letters_need() -> None:
    assert _receipt(b"a\nb\n").length_dots == 60
    assert _receipt(b"\x1b3\x40a\n\x1b2b\n").length_dots == 64 + 30
    assert _receipt(b"\x1b3\x00a\n").length_dots == 24
    assert _receipt(escpos.size(height=4) + b"a\n").length_dots == 96


def test_feeding_prints_the_line_and_counts_it() -> None:
    assert _receipt(b"a" + escpos.feed(3)).length_dots == 90
    assert _receipt(b"a\n" + escpos.feed(3)).length_dots == 30 + 90
    assert _receipt(b"a\x1bJ\x50").length_dots == 80
    assert _receipt(b"a\x1d\x56\x42\x50").length_dots == 30 + 80


def test_column_images_stand_on_one_another_without_a_gap() -> None:
    strip = b"\x1b*\x21\x08\x00" + b"\xff\xff\xff" * 8
    receipt = _receipt(b"\x1b3\x10" + (strip + b"\n") * 2)
    assert receipt.length_dots == 48
    assert _ink_box(receipt) == (0, 0, 8, 48)


def test_a_column_image_stands_among_words() -> None:
    receipt = _receipt(b"ab\x1b*\x21\x08\x00" + b"\xff\xff\xff" * 8 + b"c\n")
    [line] = receipt.blocks
    assert isinstance(line, TextLine)
    assert [piece.left_dots for piece in line.spans] == [0, 32]
    assert line.pictures[0].left_dots == 24
    assert receipt.to_text() == "ab[picture 8x24]c\n"


@pytest.mark.parametrize(
    ("mode", "size"), [(0, (16, 24)), (1, (8, 24)), (32, (16, 24)), (33, (8, 24))]
)
def test_single_density_dots_are_larger(mode: int, size: tuple[int, int]) -> None:
    deep = 1 if mode < 2 else 3
    data = b"\x1b*" + bytes([mode, 8, 0]) + b"\xff" * 8 * deep + b"\n"
    assert _ink_box(_receipt(data))[2:] == size


@pytest.mark.parametrize(("mode", "size"), [(0, (8, 2)), (1, (16, 2)), (2, (8, 4)), (51, (16, 4))])
def test_a_raster_is_printed_in_four_sizes(mode: int, size: tuple[int, int]) -> None:
    receipt = _receipt(b"\x1dv0" + bytes([mode]) + RASTER_8X2[4:])
    assert _ink_box(receipt) == (0, 0, *size)


def test_a_raster_wider_than_the_paper_is_cut_off_at_its_edge() -> None:
    receipt = _receipt(b"\x1dv0\x00\x50\x00\x01\x00" + b"\xff" * 80)
    assert _ink_box(receipt) == (0, 0, 576, 1)


def test_graphics_are_stored_in_rows_or_columns_and_printed_when_asked() -> None:
    rows = b"0p0\x01\x02\x31\x08\x00\x02\x00\xff\x81"
    columns = b"0q0\x01\x01\x31\x08\x00\x08\x00" + b"\xff" * 8
    for body, box in ((rows, (0, 0, 8, 4)), (columns, (0, 0, 8, 8))):
        stored = b"\x1d(L" + len(body).to_bytes(2, "little") + body
        assert _ink_box(_receipt(stored + b"\x1d(L\x02\x0002")) == box
        long = b"\x1d8L" + len(body).to_bytes(4, "little") + body
        assert _ink_box(_receipt(long + b"\x1d(L\x02\x0002")) == box


def test_pictures_kept_in_the_printer_outlive_its_power_and_downloaded_ones_do_not() -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1cq\x01\x01\x00\x01\x00" + b"\xff" * 8, 0)
    printer.feed(b"\x1d*\x01\x01" + b"\xff" * 8 + b"\x1d/\x03" + escpos.CUT_FULL, 0)
    assert _ink_box(printer.receipts[0]) == (0, 0, 16, 16)
    printer.boot(1)
    printer.feed(b"\x1d/\x00" + escpos.CUT_FULL + b"\x1cp\x01\x01" + escpos.CUT_FULL, 2)
    assert _ink_box(printer.receipts[1]) == (0, 0, 16, 8)


def test_upside_down_paper_reads_when_turned() -> None:
    data = b"\x1b{\x01" + escpos.qr_code(b"turn me", QrStyle(4, "M")) + b"right way\n"
    receipt = _receipt(data)
    assert receipt.to_text() == "[QR turn me]\nright way\n"
    assert _ink_box(receipt)[2] == 576
    [code, line] = receipt.blocks
    assert isinstance(line, TextLine)
    assert line.is_upside_down
    plain = _receipt(escpos.qr_code(b"turn me", QrStyle(4, "M")))
    with (
        Image.open(io.BytesIO(draw_receipt(receipt))) as turned,
        Image.open(io.BytesIO(draw_receipt(plain))) as straight,
    ):
        edge = code.dots
        there = turned.crop((MARGIN_DOTS + 576 - edge, MARGIN_DOTS, MARGIN_DOTS + 576,
                             MARGIN_DOTS + edge))  # fmt: skip
        here = straight.crop((MARGIN_DOTS, MARGIN_DOTS, MARGIN_DOTS + edge, MARGIN_DOTS + edge))
        assert there.transpose(Image.Transpose.ROTATE_180).tobytes() == here.tobytes()


def test_rotated_letters_lie_on_their_side() -> None:
    [span] = _spans(b"\x1bV\x01I\n")
    assert span.style.cell_dots("I") == (24, 12)
    left, top, right, bottom = _ink_box(_receipt(b"\x1bV\x01l\n"))
    assert right - left > bottom - top


# -- page mode -------------------------------------------------------------------------------------


def _page(body: bytes) -> PageSheet:
    [sheet] = _receipt(b"\x1bL" + body + b"\x0c").blocks
    assert isinstance(sheet, PageSheet)
    return sheet


def _frame(left: int, top: int, width: int, height: int) -> bytes:
    return b"\x1bW" + b"".join(edge.to_bytes(2, "little") for edge in (left, top, width, height))


def test_a_page_is_printed_at_once_and_as_long_as_its_area() -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1bL" + _frame(0, 0, 576, 200) + b"total\n", 0)
    assert printer.paper_mm == 30_000
    printer.feed(b"\x0c" + escpos.CUT_FULL, 0)
    assert printer.receipts[0].length_dots == 200
    assert printer.receipts[0].to_text() == "total\n"


def test_pieces_of_a_page_stand_where_they_were_put() -> None:
    sheet = _page(
        _frame(0, 0, 400, 300) + b"\x1d$\x64\x00\x1b$\x32\x00low\x1d$\x18\x00\x1b$\x00\x00up"
    )
    placed = [(piece.left_dots, piece.top_dots) for piece in sheet.areas[0].pieces]
    assert placed == [(50, 100 + 3 - 24), (0, 24 + 3 - 24)]
    receipt = _receipt(
        b"\x1bL" + _frame(0, 0, 400, 300) + b"\x1d$\x64\x00low\x1d$\x18\x00\x1b$\x00\x00up\x0c"
    )
    assert receipt.to_text() == "up\nlow\n"


@pytest.mark.parametrize("direction", [0, 1, 2, 3])
def test_a_code_in_any_direction_of_a_page_is_read(direction: int) -> None:
    body = _frame(40, 20, 400, 400) + b"\x1bT" + bytes([direction]) + b"\x1d$\x2c\x01\x1b$\x28\x00"
    receipt = _receipt(b"\x1bL" + body + escpos.qr_code(b"page", QrStyle(6, "M")) + b"\x0c")
    with Image.open(io.BytesIO(draw_receipt(receipt))) as picture:
        [found] = zxingcpp.read_barcodes(picture)
    assert found.text == "page"
    assert (round(found.orientation / 90) * -1) % 4 == direction


def test_a_page_may_be_forgotten_or_printed_twice() -> None:
    printer = EscPosPrinter()
    printer.feed(b"\x1bL" + b"no\x18yes\n\x1b\x0c\x0c\x1bLgone\x1bS" + escpos.CUT_FULL, 0)
    assert printer.receipts[0].to_text().split() == ["yes", "yes"]


def test_a_barcode_in_a_page_counts_its_words() -> None:
    sheet = _page(b"\x1d$\xc8\x00\x1dH\x02\x1dh\x32" + b"\x1dk\x43\x0c690123456789")
    [placed] = sheet.areas[0].pieces
    assert isinstance(placed.piece, Barcode)
    assert placed.top_dots == 200 - (50 + 24 + 4)


def test_json_of_a_page_names_its_areas() -> None:
    told: Any = _receipt(b"\x1bL" + _frame(8, 16, 300, 100) + b"x\x0c").to_json()
    [block] = told["blocks"]
    assert block["kind"] == "page"
    assert (block["areas"][0]["left_dots"], block["areas"][0]["pieces"][0]["text"]) == (8, "x")
