"""What stands on printed paper: lines, codes and pictures at their places, in dots.

Rule 1: every place is a distance in dots from the left edge of the printable width, counted before
a line is turned upside down. Alignment, margins and tab stops have been applied already.
Rule 2: ``dots`` of a block is the paper it takes; the sum over a receipt is the receipt's length.

How blocks are read as text is ``receipt.py``; how they are drawn is no matter of a device.
"""

from dataclasses import dataclass

LINE_DOTS = 30
CELL_DOTS = (12, 24)
CELL_B_DOTS = (9, 17)
CELL_CHINESE_DOTS = (24, 24)
HRI_GAP_DOTS = 4


@dataclass(frozen=True, slots=True)
class Style:
    """How characters look. ``spacing`` is white to the right of each, in dots."""

    bold: bool = False
    underline: int = 0
    width: int = 1
    height: int = 1
    reverse: bool = False
    font_b: bool = False
    chinese: bool = True
    rotated: bool = False
    spacing: int = 0

    def is_wide(self, character: str) -> bool:
        """Whether the Chinese font ROM draws it, which has all but ASCII."""
        return self.chinese and ord(character) >= 0x80

    def columns_of(self, character: str) -> int:
        """Two columns for all that the Chinese font ROM draws."""
        return 2 if self.is_wide(character) else 1

    def cell_dots(self, character: str) -> tuple[int, int]:
        """Width and height of the character as printed, magnified and rotated, in dots."""
        narrow = CELL_B_DOTS if self.font_b else CELL_DOTS
        across, down = CELL_CHINESE_DOTS if self.is_wide(character) else narrow
        if self.rotated:
            return down * self.height, across * self.width
        return across * self.width, down * self.height

    def advance_dots(self, character: str) -> int:
        """From this character's left edge to the next one's."""
        return self.cell_dots(character)[0] + self.spacing * self.width


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters of one style, beginning at a place."""

    text: str
    style: Style
    left_dots: int = 0

    @property
    def width_dots(self) -> int:
        """The room it takes."""
        return sum(map(self.style.advance_dots, self.text))

    @property
    def height_dots(self) -> int:
        """The height of its tallest character."""
        return max((self.style.cell_dots(character)[1] for character in self.text), default=0)


@dataclass(frozen=True, slots=True)
class Picture:
    """A raster: rows of bytes, the left dot in the highest bit, 1 is black. ``feed_dots`` is what
    the paper moves where that is more than the picture is tall."""

    align: int
    row_bytes: int
    rows: bytes
    scale_x: int = 1
    scale_y: int = 1
    left_dots: int = 0
    feed_dots: int = 0
    is_upside_down: bool = False

    @property
    def height(self) -> int:
        """Rows before scaling."""
        return len(self.rows) // self.row_bytes if self.row_bytes else 0

    @property
    def width_dots(self) -> int:
        """Dots across on paper, filled up to whole bytes."""
        return self.row_bytes * 8 * self.scale_x

    @property
    def height_dots(self) -> int:
        """Rows on paper."""
        return self.height * self.scale_y

    @property
    def dots(self) -> int:
        """The paper it takes."""
        return max(self.height_dots, self.feed_dots)


@dataclass(frozen=True, slots=True)
class TextLine:
    """One printed line; ``pictures`` are column images that stand among the words."""

    align: int
    spans: tuple[Span, ...]
    line_dots: int = LINE_DOTS
    pictures: tuple[Picture, ...] = ()
    is_upside_down: bool = False

    @property
    def text(self) -> str:
        """The line's characters."""
        return "".join(span.text for span in self.spans)

    @property
    def pieces(self) -> "tuple[Span | Picture, ...]":
        """All that stands on it."""
        return (*self.spans, *self.pictures)

    @property
    def height_dots(self) -> int:
        """What its tallest piece needs."""
        return max((piece.height_dots for piece in self.pieces), default=0)

    @property
    def dots(self) -> int:
        """The paper it takes: the line spacing, or more where something is taller."""
        return max(self.line_dots, self.height_dots)


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code (model 2, byte mode) that the printer drew itself, without a quiet zone."""

    align: int
    payload: bytes
    module_dots: int
    correction: str
    version: int
    left_dots: int = 0
    is_upside_down: bool = False

    @property
    def width_dots(self) -> int:
        """Its edge."""
        return (17 + 4 * self.version) * self.module_dots

    @property
    def height_dots(self) -> int:
        """Its edge."""
        return self.width_dots

    @property
    def dots(self) -> int:
        """The paper it takes."""
        return self.width_dots


@dataclass(frozen=True, slots=True)
class Barcode:
    """A linear code that the printer drew itself. ``bars`` are widths in dots, a bar first and
    then by turns; ``words`` are what a person reads beside it, ``hri`` is 0 none, 1 above,
    2 below, 3 both."""

    align: int
    symbology: str
    payload: bytes
    bars: tuple[int, ...]
    bar_dots: int
    words: str = ""
    hri: int = 0
    hri_font_b: bool = False
    left_dots: int = 0
    is_upside_down: bool = False

    @property
    def width_dots(self) -> int:
        """Bars and gaps together."""
        return sum(self.bars)

    @property
    def words_dots(self) -> int:
        """The height of one line of words with the white between it and the bars."""
        return (CELL_B_DOTS if self.hri_font_b else CELL_DOTS)[1] + HRI_GAP_DOTS

    @property
    def height_dots(self) -> int:
        """Bars and words together."""
        return self.bar_dots + self.words_dots * self.hri.bit_count()

    @property
    def dots(self) -> int:
        """The paper it takes."""
        return self.height_dots


@dataclass(frozen=True, slots=True)
class Matrix:
    """A code of rows of modules, as PDF417 and Data Matrix: rows of bytes, the left module in the
    highest bit, 1 is black."""

    align: int
    symbology: str
    payload: bytes
    columns: int
    rows: bytes
    module_dots: int
    row_dots: int
    left_dots: int = 0
    is_upside_down: bool = False

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return (self.columns + 7) // 8

    @property
    def row_count(self) -> int:
        """Rows of modules."""
        return len(self.rows) // self.row_bytes

    @property
    def width_dots(self) -> int:
        """Across."""
        return self.columns * self.module_dots

    @property
    def height_dots(self) -> int:
        """Down."""
        return self.row_count * self.row_dots

    @property
    def dots(self) -> int:
        """The paper it takes."""
        return self.height_dots


@dataclass(frozen=True, slots=True)
class Blank:
    """White paper."""

    dots: int


Symbol = QrCode | Barcode | Matrix
"""A code that the printer drew itself."""
Piece = Span | Picture | Symbol
"""What can stand at a place."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece in a page-mode area, by its top left corner seen in the area's own direction."""

    left_dots: int
    top_dots: int
    piece: Piece


@dataclass(frozen=True, slots=True)
class Area:
    """A page-mode print area. Direction 0 reads left to right, 1 bottom to top, 2 upside down,
    3 top to bottom (ESC T)."""

    left_dots: int
    top_dots: int
    width_dots: int
    height_dots: int
    direction: int
    pieces: tuple[Placed, ...]


@dataclass(frozen=True, slots=True)
class PageSheet:
    """What page mode printed at once."""

    dots: int
    areas: tuple[Area, ...]


Block = TextLine | Symbol | Picture | Blank | PageSheet
