"""The sheet under the print head, and all that decides how the next thing is put on it.

Rule 1: the sheet knows styles, places, codes and pictures. Paper, cover, drawer and status are the
printer's matter (``printer.py``).
Rule 2: distances come in motion units, 1 dot each until GS P says otherwise.
"""

from collections import deque

from firmware_sim.devices.escpos import images
from firmware_sim.devices.escpos.characters import TextDecoder
from firmware_sim.devices.escpos.images import PictureStore
from firmware_sim.devices.escpos.line import Line
from firmware_sim.devices.escpos.page_mode import PageMode
from firmware_sim.devices.escpos.symbols import DrawModules, SymbolRefusedError, Symbols
from firmware_sim.devices.escpos.typeface import Typeface
from firmware_sim.devices.paper import CELL_DOTS, LINE_DOTS, Block, Picture, Symbol
from firmware_sim.limits import RECEIPT_DOTS_MAX, RECEIPT_LINES_MAX, REFUSALS_KEPT_MAX

DOTS_PER_INCH = 203
_TAB_COLUMNS = 8


class Sheet:
    """Words, codes and pictures in, blocks of paper out; ``actions.py`` has the commands."""

    def __init__(self, *, width_dots: int, chinese: bool, draw: DrawModules) -> None:
        self._draw = draw
        self.width_dots = width_dots
        self._starts_chinese = chinese
        self.store = PictureStore()
        self.unknown_commands = 0
        self.refused_symbols = 0
        self.refusals: deque[str] = deque(maxlen=REFUSALS_KEPT_MAX)
        self._reply = b""
        self._dots = 0
        self.line = Line(width_dots)
        self.initialise()

    def initialise(self) -> None:
        """ESC @: all but what is printed and kept goes back to the profile's defaults."""
        blocks = self.line.blocks
        self.line = Line(self.width_dots)
        self.line.blocks = blocks
        self.page: PageMode | None = None
        self.face = Typeface()
        self.symbols = Symbols(self._draw)
        self.decoder = TextDecoder(chinese=self._starts_chinese)
        self._across_per_inch = self._down_per_inch = DOTS_PER_INCH
        tabs = range(_TAB_COLUMNS, self.width_dots // CELL_DOTS[0], _TAB_COLUMNS)
        self._tabs = [column * CELL_DOTS[0] for column in tabs]
        self._reply = b""

    @property
    def is_full(self) -> bool:
        """Whether nobody would believe one receipt to be this long."""
        return len(self.line.blocks) >= RECEIPT_LINES_MAX or self._dots >= RECEIPT_DOTS_MAX

    def take(self) -> tuple[tuple[Block, ...], int]:
        """Cut: the blocks so far, and the paper that the line begun took, leaving a fresh sheet in
        the same style."""
        before = len(self.line.blocks)
        if self.page is None:
            self.line.finish()
        dots = self.use_paper(before)
        blocks, self.line.blocks = tuple(self.line.blocks), []
        self._dots = 0
        return blocks, dots

    def feed_by_hand(self, dots: int) -> int:
        """Print the line begun and move the paper; returns the dots it moved in all."""
        before = len(self.line.blocks)
        if self.page is None:
            self.line.finish()
        self.line.blank(dots)
        return self.use_paper(before)

    def lose_power(self) -> None:
        """What was stored until power goes is gone; the pictures of FS q stay."""
        self.initialise()
        self.store.graphic = self.store.downloaded = None

    def take_reply(self) -> bytes:
        """What the last command has to say, if anything."""
        reply, self._reply = self._reply, b""
        return reply

    def text(self, data: bytes) -> None:
        """Bytes of a text, in the font and code page of the moment."""
        self._put_characters(self.decoder.feed(data))

    def end_text(self) -> None:
        """A command follows: a character that is only half there is printed as what it is."""
        self._put_characters(self.decoder.flush())

    def use_paper(self, blocks_before: int) -> int:
        """The dots of paper that the blocks since then take."""
        moved = sum(block.dots for block in self.line.blocks[blocks_before:])
        self._dots += moved
        return moved

    def across(self, units: int) -> int:
        """Horizontal motion units in dots."""
        return units * DOTS_PER_INCH // self._across_per_inch

    def down(self, units: int) -> int:
        """Vertical motion units in dots."""
        return units * DOTS_PER_INCH // self._down_per_inch

    def set_motion_units(self, data: bytes) -> None:
        """GS P x y: units to the inch; 0 is the default."""
        self._across_per_inch = data[0] or DOTS_PER_INCH
        self._down_per_inch = data[1] or DOTS_PER_INCH

    def set_line_spacing(self, dots: int = LINE_DOTS) -> None:
        """ESC 2, ESC 3 n."""
        (self.page or self.line).spacing_dots = dots

    def set_tabs(self, data: bytes) -> None:
        """ESC D n… NUL: columns in rising order; none at all takes the stops away."""
        step = CELL_DOTS[0] * self.face.latin.width
        columns = list(data.rstrip(b"\x00"))
        rising = [
            column
            for at, column in enumerate(columns)
            if all(column > before for before in columns[:at])
        ]
        self._tabs = [column * step for column in rising[:32]]

    def tab(self) -> None:
        """HT: to the next stop, if there is one."""
        layout = self.page or self.line
        stop = next((stop for stop in self._tabs if stop > layout.cursor_dots), None)
        if stop is not None:
            layout.move_to(stop)

    def put_picture(self, picture: Picture | None) -> None:
        """A raster or a kept picture, on paper of its own."""
        if picture is not None and picture.row_bytes and picture.rows:
            self._put(images.crop(picture, self.width_dots))

    def put_column_image(self, picture: Picture | None) -> None:
        """A column image, among the words."""
        if picture is None or not picture.row_bytes or not picture.rows:
            return
        cropped = images.crop(picture, self.width_dots)
        if self.page is not None:
            self.page.add(cropped)
        else:
            self.line.add_picture(cropped)

    def put_barcode(self, data: bytes) -> None:
        """GS k."""
        try:
            self._put(self.symbols.barcode(data))
        except SymbolRefusedError as error:
            self.refuse(str(error))

    def put_qr_code(self) -> None:
        """GS ( k, function 181 (81)."""
        try:
            self._put(self.symbols.qr_code())
        except SymbolRefusedError as error:
            self.refuse(str(error))

    def put_matrix(self, kind: int) -> None:
        """GS ( k, function 81 of PDF417, Aztec and Data Matrix."""
        try:
            self._put(self.symbols.matrix(kind))
        except SymbolRefusedError as error:
            self.refuse(str(error))

    def say_qr_size(self) -> None:
        """GS ( k, function 182 (82): edge, edge, 1, and whether it can be printed."""
        edge, is_printable = 0, False
        try:
            code = self.symbols.qr_code()
            edge, is_printable = code.width_dots, code.width_dots <= self.line.width_dots
        except SymbolRefusedError:
            pass
        size = f"{edge}\x1f{edge}\x1f1\x1f{0 if is_printable else 1}"
        self._reply = b"\x37\x36" + size.encode() + b"\x00"

    def refuse(self, why: str) -> None:
        """Count a code that is not printed."""
        self.refused_symbols += 1
        self.refusals.append(why)

    def leave_page_mode(self, *, is_printed: bool) -> None:
        """FF prints the page, ESC S throws it away."""
        page, self.page = self.page, None
        if page is not None and is_printed:
            self.line.blocks.append(page.sheet())

    def _put(self, piece: Symbol | Picture) -> None:
        has_room = self.page.add(piece) if self.page else self.line.stand_alone(piece)
        if not has_room:
            self.refuse(f"{type(piece).__name__}: wider than the print area")

    def _put_characters(self, characters: str) -> None:
        is_chinese = self.decoder.chinese
        for character in characters:
            style = self.face.style(character, is_chinese_mode=is_chinese)
            (self.page or self.line).add_character(character, style)
