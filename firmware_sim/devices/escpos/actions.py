"""Which command does what to the sheet: one table.

A command that is not in it, nor in the printer's own (``printer.py``), is counted as unknown.
"""

from collections.abc import Callable

from firmware_sim.devices.escpos import images
from firmware_sim.devices.escpos.numbers import number_of
from firmware_sim.devices.escpos.page_mode import PageMode
from firmware_sim.devices.escpos.parser import Operation, Sort
from firmware_sim.devices.escpos.sheet import Sheet
from firmware_sim.devices.escpos.symbols import MATRICES

QR = 49
Action = Callable[[Sheet, bytes], None]


def carry_out(sheet: Sheet, operation: Operation) -> int:
    """Do one operation to the sheet; returns the dots of paper it moved."""
    before = len(sheet.line.blocks)
    if operation.sort is Sort.TEXT:
        sheet.text(operation.data)
    else:
        sheet.end_text()
        action = ACTIONS.get(operation.name)
        if action is None:
            sheet.unknown_commands += 1
        else:
            action(sheet, operation.data)
    return sheet.use_paper(before)


def _nothing(_sheet: Sheet, _data: bytes) -> None:
    """Taken and without effect on paper: colours, smoothing, speed, print density, own fonts."""


def _word(data: bytes, at: int = 0) -> int:
    return data[at] | data[at + 1] << 8


def _signed(data: bytes) -> int:
    return int.from_bytes(data[:2], "little", signed=True)


def _line_feed(sheet: Sheet, _data: bytes) -> None:
    """LF."""
    (sheet.page or sheet.line).feed()


def _feed_lines(sheet: Sheet, data: bytes) -> None:
    """ESC d n: print, and n lines in all."""
    if sheet.page is not None:
        sheet.page.feed(data[0] * sheet.page.spacing_dots)
        return
    line, lines = sheet.line, data[0]
    if not line.is_empty:
        line.feed(min(1, lines) * line.spacing_dots)
        lines = max(0, lines - 1)
    line.blank(lines * line.spacing_dots)


def _feed_dots(sheet: Sheet, data: bytes) -> None:
    """ESC J n: print, and n units in all."""
    dots = sheet.down(data[0])
    if sheet.page is not None:
        sheet.page.feed(dots)
    elif sheet.line.is_empty:
        sheet.line.blank(dots)
    else:
        sheet.line.feed(dots)


def _print_only(sheet: Sheet, _data: bytes) -> None:
    """ESC K n, ESC e n: print; the paper does not really go back here."""
    if sheet.page is None:
        sheet.line.finish()


def _align(sheet: Sheet, data: bytes) -> None:
    """ESC a n, at the beginning of a line."""
    number = number_of(data[0], 2)
    if number is not None and sheet.page is None and sheet.line.is_empty:
        sheet.line.align = number


def _upside_down(sheet: Sheet, data: bytes) -> None:
    """ESC { n, at the beginning of a line."""
    if sheet.page is None and sheet.line.is_empty:
        sheet.line.is_upside_down = bool(data[0] & 1)


def _margin(sheet: Sheet, data: bytes) -> None:
    """GS L nL nH, at the beginning of a line."""
    if sheet.page is None and sheet.line.is_empty:
        sheet.line.margin_dots = min(sheet.across(_word(data)), sheet.line.margin_dots_max)


def _area(sheet: Sheet, data: bytes) -> None:
    """GS W nL nH, at the beginning of a line."""
    if sheet.page is None and sheet.line.is_empty:
        sheet.line.area_dots = max(1, sheet.across(_word(data)))


def _to_margin(sheet: Sheet, data: bytes) -> None:
    """GS T n: the line begun is printed (1, 49) or forgotten (0, 48)."""
    number = number_of(data[0], 1)
    if sheet.page is None and not sheet.line.is_empty and number is not None:
        if number:
            sheet.line.feed()
        else:
            sheet.line.forget()


def _move_to(sheet: Sheet, data: bytes) -> None:
    """ESC $ nL nH."""
    (sheet.page or sheet.line).move_to(sheet.across(_word(data)))


def _move_by(sheet: Sheet, data: bytes) -> None:
    """ESC \\ nL nH, to the left where negative."""
    layout = sheet.page or sheet.line
    layout.move_to(layout.cursor_dots + sheet.across(_signed(data)))


def _move_down_to(sheet: Sheet, data: bytes) -> None:
    """GS $ nL nH."""
    if sheet.page is not None:
        sheet.page.move_down_to(sheet.down(_word(data)))


def _move_down_by(sheet: Sheet, data: bytes) -> None:
    """GS \\ nL nH, upwards where negative."""
    if sheet.page is not None:
        sheet.page.move_down_to(sheet.page.foot_dots + sheet.down(_signed(data)))


def _begin_page(sheet: Sheet, _data: bytes) -> None:
    """ESC L, at the beginning of a line."""
    if sheet.page is None and sheet.line.is_empty:
        sheet.page = PageMode(sheet.width_dots)


def _page_area(sheet: Sheet, data: bytes) -> None:
    """ESC W, eight bytes: left, top, width, height."""
    if sheet.page is not None:
        sheet.page.set_area(
            sheet.across(_word(data, 0)), sheet.down(_word(data, 2)),
            sheet.across(_word(data, 4)), sheet.down(_word(data, 6)),
        )  # fmt: skip


def _page_direction(sheet: Sheet, data: bytes) -> None:
    """ESC T n."""
    if sheet.page is not None:
        sheet.page.set_direction(data)


def _print_page(sheet: Sheet, _data: bytes) -> None:
    """ESC FF: print the page and keep it."""
    if sheet.page is not None:
        sheet.line.blocks.append(sheet.page.sheet())


def _cancel(sheet: Sheet, _data: bytes) -> None:
    """CAN."""
    if sheet.page is not None:
        sheet.page.cancel()


def _chinese(sheet: Sheet, *, is_on: bool) -> None:
    sheet.decoder.chinese = is_on


def _column_image(sheet: Sheet, data: bytes) -> None:
    """ESC * m nL nH d…"""
    sheet.put_column_image(images.column_image(data))


def _downloaded(sheet: Sheet, data: bytes) -> None:
    """GS / m: print what GS * brought."""
    picture = sheet.store.downloaded
    sheet.put_picture(picture and images.magnify(picture, data[0]))


def _kept(sheet: Sheet, data: bytes) -> None:
    """FS p n m: print one of FS q's pictures."""
    picture = sheet.store.kept.get(data[0])
    sheet.put_picture(picture and images.magnify(picture, data[1]))


def _packed(sheet: Sheet, data: bytes) -> None:
    """GS ( X pL pH …: the letter after the bracket chooses."""
    letter, body = data[:1], data[3:]
    if letter == b"k" and len(body) >= 2 and body[0] == QR:
        _symbol(sheet, body[1], body[2:])
    elif letter == b"k" and len(body) >= 2 and body[0] in MATRICES:
        _matrix(sheet, body[0], body[1], body[2:])
    elif letter == b"L" and len(body) >= 2:
        _graphics(sheet, body)
    elif letter not in (b"D", b"E", b"K", b"M", b"N", b"P", b"Q", b"V", b"C"):
        sheet.unknown_commands += 1


def _symbol(sheet: Sheet, function: int, arguments: bytes) -> None:
    """GS ( k for QR codes: 181 prints, 182 measures, the others set."""
    if function == 81:
        sheet.put_qr_code()
    elif function == 82:
        sheet.say_qr_size()
    else:
        sheet.symbols.set_qr(function, arguments)


def _matrix(sheet: Sheet, kind: int, function: int, arguments: bytes) -> None:
    """GS ( k for PDF417, Aztec and Data Matrix: 81 prints, the others set."""
    if function == 81:
        sheet.put_matrix(kind)
    else:
        sheet.symbols.set_matrix(kind, function, arguments)


def _graphics(sheet: Sheet, body: bytes) -> None:
    """GS ( L and GS 8 L, from m on: 112 and 113 store, 2 and 50 print what is stored."""
    if body[1] in (2, 50):
        sheet.put_picture(sheet.store.graphic)
        sheet.store.graphic = None
    elif not sheet.store.store_graphic(body):
        sheet.unknown_commands += 1


def _long_graphics(sheet: Sheet, data: bytes) -> None:
    """GS 8 L, with four bytes of length."""
    if len(data) >= 6:
        _graphics(sheet, data[4:])


ACTIONS: dict[bytes, Action] = {
    b"\n": _line_feed, b"\r": _nothing, b"\t": lambda sheet, _: sheet.tab(),
    b"\x0c": lambda sheet, _: sheet.leave_page_mode(is_printed=True), b"\x18": _cancel,
    b"\x1bd": _feed_lines, b"\x1bJ": _feed_dots, b"\x1bK": _print_only, b"\x1be": _print_only,
    b"\x1b@": lambda sheet, _: sheet.initialise(),
    b"\x1ba": _align, b"\x1b{": _upside_down, b"\x1dL": _margin, b"\x1dW": _area,
    b"\x1dT": _to_margin, b"\x1b$": _move_to, b"\x1b\\": _move_by,
    b"\x1d$": _move_down_to, b"\x1d\\": _move_down_by,
    b"\x1bD": lambda sheet, data: sheet.set_tabs(data),
    b"\x1b2": lambda sheet, _: sheet.set_line_spacing(),
    b"\x1b3": lambda sheet, data: sheet.set_line_spacing(sheet.down(data[0])),
    b"\x1dP": lambda sheet, data: sheet.set_motion_units(data),
    b"\x1bL": _begin_page, b"\x1bW": _page_area, b"\x1bT": _page_direction,
    b"\x1b\x0c": _print_page, b"\x1bS": lambda sheet, _: sheet.leave_page_mode(is_printed=False),
    b"\x1b!": lambda sheet, data: sheet.face.set_print_mode(data),
    b"\x1bE": lambda sheet, data: sheet.face.set_bold(data),
    b"\x1bG": lambda sheet, data: sheet.face.set_double_strike(data),
    b"\x1b-": lambda sheet, data: sheet.face.set_underline(data),
    b"\x1bM": lambda sheet, data: sheet.face.set_font(data),
    b"\x1bV": lambda sheet, data: sheet.face.set_rotated(data),
    b"\x1b ": lambda sheet, data: sheet.face.set_spacing(data),
    b"\x1d!": lambda sheet, data: sheet.face.set_size(data),
    b"\x1dB": lambda sheet, data: sheet.face.set_reverse(data),
    b"\x1c!": lambda sheet, data: sheet.face.set_chinese_mode(data),
    b"\x1c-": lambda sheet, data: sheet.face.set_chinese_underline(data),
    b"\x1cS": lambda sheet, data: sheet.face.set_chinese_spacing(data),
    b"\x1cW": lambda sheet, data: sheet.face.set_quadruple(data),
    b"\x1c&": lambda sheet, _: _chinese(sheet, is_on=True),
    b"\x1c.": lambda sheet, _: _chinese(sheet, is_on=False),
    b"\x1bt": lambda sheet, data: sheet.decoder.select_page(data[0]),
    b"\x1bR": lambda sheet, data: sheet.decoder.select_nation(data[0]),
    b"\x1dh": lambda sheet, data: sheet.symbols.set_bar_height(data),
    b"\x1dw": lambda sheet, data: sheet.symbols.set_module(data),
    b"\x1dH": lambda sheet, data: sheet.symbols.set_hri(data),
    b"\x1df": lambda sheet, data: sheet.symbols.set_hri_font(data),
    b"\x1dk": lambda sheet, data: sheet.put_barcode(data),
    b"\x1d(": _packed, b"\x1d8L": _long_graphics,
    b"\x1dv0": lambda sheet, data: sheet.put_picture(images.raster(data)),
    b"\x1b*": _column_image, b"\x1d/": _downloaded, b"\x1cp": _kept,
    b"\x1d*": lambda sheet, data: sheet.store.download(data),
    b"\x1cq": lambda sheet, data: sheet.store.keep(data),
    **dict.fromkeys(
        (b"\x1br", b"\x1bU", b"\x1b_", b"\x1b%", b"\x1b?", b"\x1b&", b"\x1b(", b"\x1bF", b"\x1b<",
         b"\x1c(", b"\x1c2", b"\x1c?", b"\x1cC", b"\x1db", b"\x1d|", b"\x1dj", b"\x1dz0",
         b"\x1dg0"),
        _nothing,
    ),
}  # fmt: skip
