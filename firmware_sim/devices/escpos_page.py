"""What printing operations mean: from operations to the blocks of a receipt.

The page knows styles, alignment, codes and pictures. Paper, cover, drawer and status are the
printer's matter (``escpos.py``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from firmware_sim.devices import receipt
from firmware_sim.devices.escpos_parser import Kind, Operation
from firmware_sim.devices.gb18030 import CODE_PAGES, TextDecoder
from firmware_sim.devices.receipt import Block, Style
from firmware_sim.limits import RECEIPT_DOTS_MAX, RECEIPT_LINES_MAX

_BARCODES = {
    0: "UPCA", 1: "UPCE", 2: "EAN13", 3: "EAN8", 4: "Code39", 5: "ITF", 6: "Codabar",
    65: "UPCA", 66: "UPCE", 67: "EAN13", 68: "EAN8", 69: "Code39", 70: "ITF", 71: "Codabar",
    72: "Code93", 73: "Code128",
}  # fmt: skip
_CORRECTION = {48: "L", 49: "M", 50: "Q", 51: "H"}


@dataclass(frozen=True, slots=True)
class _Defaults:
    chinese: bool
    columns: int


class Page:
    """The sheet under the print head. ``print`` returns how much paper an operation took."""

    def __init__(self, *, width_dots: int, chinese: bool) -> None:
        self._defaults = _Defaults(chinese, width_dots // receipt.CELL_DOTS[0])
        self._decoder = TextDecoder(chinese=chinese)
        self.blocks: list[Block] = []
        self.unknown_commands = 0
        self._dots = 0
        self.initialise()

    def initialise(self) -> None:
        """ESC @: everything but what is printed goes back to the profile's defaults."""
        self._style = Style(chinese=self._defaults.chinese)
        self._decoder = TextDecoder(chinese=self._defaults.chinese)
        self._spans: list[receipt.Span] = []
        self._align = 0
        self._line_dots = receipt.LINE_DOTS
        self._qr_module, self._qr_correction, self._qr_payload = 3, "L", b""
        self._barcode_height = 162
        self._graphic: receipt.Picture | None = None

    @property
    def is_full(self) -> bool:
        """Whether nobody would believe one receipt to be this long."""
        return len(self.blocks) >= RECEIPT_LINES_MAX or self._dots >= RECEIPT_DOTS_MAX

    def take(self) -> tuple[Block, ...]:
        """Cut: the blocks so far, leaving a fresh page in the same style."""
        self._flush_line()
        blocks, self.blocks = tuple(self.blocks), []
        self._dots = 0
        return blocks

    def print(self, operation: Operation) -> int:
        """Carry out one operation; returns the dots of paper it moved."""
        before = len(self.blocks)
        if operation.kind is Kind.TEXT:
            self._text(self._decoder.feed(operation.data))
        else:
            self._text(self._decoder.flush())
            action = _ACTIONS.get(operation.name)
            if action is None:
                self.unknown_commands += 1
            else:
                action(self, operation.data)
        moved = sum(block.dots for block in self.blocks[before:])
        self._dots += moved
        return moved

    def line_feed(self, _: bytes = b"") -> None:
        """LF: print the line, or white paper where there is none."""
        self.blocks.append(receipt.TextLine(self._align, tuple(self._spans), self._line_dots))
        self._spans = []

    def feed_lines(self, data: bytes) -> None:
        """ESC d n."""
        self._flush_line()
        self._blank(data[0] * self._line_dots)

    def feed_dots(self, data: bytes) -> None:
        """ESC J n."""
        self._flush_line()
        self._blank(data[0])

    def set_align(self, data: bytes) -> None:
        """ESC a n, as number or digit."""
        if data[0] % 48 <= 2:
            self._align = data[0] % 48

    def set_print_mode(self, data: bytes) -> None:
        """ESC ! n."""
        mode = data[0]
        self._style = replace(
            self._style, font_b=bool(mode & 0x01), bold=bool(mode & 0x08),
            height=2 if mode & 0x10 else 1, width=2 if mode & 0x20 else 1,
            underline=1 if mode & 0x80 else 0,
        )  # fmt: skip

    def set_chinese_mode(self, data: bytes) -> None:
        """FS ! n."""
        self._style = replace(
            self._style, width=2 if data[0] & 0x04 else 1, height=2 if data[0] & 0x08 else 1,
            underline=1 if data[0] & 0x80 else 0,
        )  # fmt: skip

    def set_size(self, data: bytes) -> None:
        """GS ! n."""
        self._style = replace(self._style, width=(data[0] >> 4 & 7) + 1, height=(data[0] & 7) + 1)

    def set_bold(self, data: bytes) -> None:
        """ESC E n, ESC G n."""
        self._style = replace(self._style, bold=bool(data[0] & 1))

    def set_underline(self, data: bytes) -> None:
        """ESC - n, FS - n."""
        self._style = replace(self._style, underline=data[0] % 48 if data[0] % 48 <= 2 else 0)

    def set_font(self, data: bytes) -> None:
        """ESC M n."""
        self._style = replace(self._style, font_b=data[0] % 48 == 1)

    def set_reverse(self, data: bytes) -> None:
        """GS B n."""
        self._style = replace(self._style, reverse=bool(data[0] & 1))

    def chinese_on(self, _: bytes) -> None:
        """FS &."""
        self._decoder.chinese = True
        self._style = replace(self._style, chinese=True)

    def chinese_off(self, _: bytes) -> None:
        """FS . : the code page speaks."""
        self._decoder.chinese = False
        self._style = replace(self._style, chinese=False)

    def set_code_page(self, data: bytes) -> None:
        """ESC t n; the Chinese mode, where on, stays on."""
        self._decoder.code_page = CODE_PAGES.get(data[0], "cp437")

    def default_line_spacing(self, _: bytes) -> None:
        """ESC 2."""
        self._line_dots = receipt.LINE_DOTS

    def set_line_spacing(self, data: bytes) -> None:
        """ESC 3 n."""
        self._line_dots = data[0]

    def set_barcode_height(self, data: bytes) -> None:
        """GS h n."""
        self._barcode_height = data[0]

    def barcode(self, data: bytes) -> None:
        """GS k, both forms."""
        payload = data[1:-1] if data[0] <= 6 else data[2:]
        name = _BARCODES.get(data[0])
        if name is None or not payload:
            self.unknown_commands += 1
            return
        if name == "Code128":
            payload = payload.removeprefix(b"{A").removeprefix(b"{B").removeprefix(b"{C")
        self._flush_line()
        self.blocks.append(receipt.Barcode(self._align, name, payload, self._barcode_height))

    def symbol(self, data: bytes) -> None:
        """GS ( k: QR codes are symbol type 49; the others are left out."""
        if len(data) < 4 or data[2] != 49:
            self.unknown_commands += 1
            return
        function, arguments = data[3], data[4:]
        if function == 67 and arguments:
            self._qr_module = max(1, min(16, arguments[0]))
        elif function == 69 and arguments:
            self._qr_correction = _CORRECTION.get(arguments[0], "L")
        elif function == 80:
            self._qr_payload = arguments[1:]
        elif function == 81 and self._qr_payload:
            self._flush_line()
            self.blocks.append(
                receipt.QrCode(self._align, self._qr_payload, self._qr_module, self._qr_correction)
            )

    def raster(self, data: bytes) -> None:
        """GS v 0 m xL xH yL yH d…"""
        row_bytes = data[1] | data[2] << 8
        self._picture(
            receipt.Picture(
                self._align, row_bytes, data[5:],
                2 if data[0] & 1 else 1, 2 if data[0] & 2 else 1,
            )
        )  # fmt: skip

    def graphics(self, data: bytes) -> None:
        """GS ( L: functions 112 (store a raster) and 2/50 (print it)."""
        if len(data) >= 4 and data[3] in (2, 50):
            if self._graphic is not None:
                self._picture(replace(self._graphic, align=self._align))
            self._graphic = None
        elif len(data) >= 12 and data[3] == 112:
            row_bytes = (data[8] | data[9] << 8) + 7 >> 3
            self._graphic = receipt.Picture(
                self._align, row_bytes, data[12:], max(1, data[5]), max(1, data[6])
            )

    def column_image(self, data: bytes) -> None:
        """ESC * m nL nH d…: columns of 8 or 24 dots, turned into rows."""
        deep = 3 if data[0] in (32, 33) else 1
        columns = data[3:]
        width = len(columns) // deep
        row_bytes = (width + 7) // 8
        rows = bytearray(row_bytes * deep * 8)
        for x in range(width):
            for y in range(deep * 8):
                if columns[x * deep + y // 8] & 0x80 >> y % 8:
                    rows[y * row_bytes + x // 8] |= 0x80 >> x % 8
        self._picture(receipt.Picture(self._align, row_bytes, bytes(rows)))

    def _picture(self, picture: receipt.Picture) -> None:
        if picture.row_bytes and picture.rows:
            self._flush_line()
            self.blocks.append(picture)

    def _blank(self, dots: int) -> None:
        if dots:
            self.blocks.append(receipt.Blank(dots))

    def _flush_line(self) -> None:
        if self._spans:
            self.line_feed()

    def _text(self, characters: str) -> None:
        columns = self._defaults.columns * (4 if self._style.font_b else 3) // 3
        used = sum(span.columns for span in self._spans)
        run = ""
        for character in characters:
            wide = self._style.columns_of(character) * self._style.width
            if used + wide > columns and used:
                self._append(run)
                self.line_feed()
                run, used = "", 0
            run += character
            used += wide
        self._append(run)

    def _append(self, run: str) -> None:
        if run:
            self._spans.append(receipt.Span(run, self._style))


Action = Callable[[Page, bytes], None]


def _nothing(_page: Page, _data: bytes) -> None:
    """Taken and without effect on paper here: margins, positions, HRI, panel keys, buzzer."""


def _symbol_or_graphics(page: Page, data: bytes) -> None:
    """GS ( X: the letter after the bracket chooses."""
    if data[:1] == b"k":
        page.symbol(data[1:])
    elif data[:1] == b"L":
        page.graphics(data[1:])
    else:
        page.unknown_commands += 1


_ACTIONS: dict[bytes, Action] = {
    b"\n": Page.line_feed, b"\r": _nothing, b"\x1bd": Page.feed_lines, b"\x1bJ": Page.feed_dots,
    b"\x1b@": lambda page, _: page.initialise(), b"\x1ba": Page.set_align,
    b"\x1b!": Page.set_print_mode, b"\x1c!": Page.set_chinese_mode, b"\x1d!": Page.set_size,
    b"\x1bE": Page.set_bold, b"\x1bG": Page.set_bold, b"\x1b-": Page.set_underline,
    b"\x1c-": Page.set_underline, b"\x1bM": Page.set_font, b"\x1dB": Page.set_reverse,
    b"\x1c&": Page.chinese_on, b"\x1c.": Page.chinese_off, b"\x1bt": Page.set_code_page,
    b"\x1b2": Page.default_line_spacing, b"\x1b3": Page.set_line_spacing,
    b"\x1dh": Page.set_barcode_height, b"\x1dk": Page.barcode, b"\x1d(": _symbol_or_graphics,
    b"\x1dv0": Page.raster, b"\x1b*": Page.column_image,
    **dict.fromkeys(
        (b"\x1b$", b"\x1b\\", b"\x1bR", b"\x1bV", b"\x1b{", b"\x1b ", b"\x1b=", b"\x1bc",
         b"\x1bD", b"\x1bB", b"\x1bU", b"\x1d\\", b"\x1d$", b"\x1dL", b"\x1dW", b"\x1dP",
         b"\x1dw", b"\x1dH", b"\x1df", b"\x1db", b"\x1cS", b"\x1cC", b"\x1cW", b"\x1dT"),
        _nothing,
    ),
}  # fmt: skip
