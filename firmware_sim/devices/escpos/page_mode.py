"""Page mode (ESC L): pieces are put on a page in any order and four directions, then printed at
once.

Rule 1: the cursor's height is the line on which pieces stand. Letters hang ``BELOW_DOTS`` below it,
as descenders do; codes and pictures stand on it. A fresh area begins at a line where letters of
common height just fit.
"""

from dataclasses import dataclass

from firmware_sim.devices.escpos.numbers import number_of
from firmware_sim.devices.paper import (
    LINE_DOTS,
    Area,
    PageSheet,
    Picture,
    Placed,
    Span,
    Style,
    Symbol,
)
from firmware_sim.limits import PAGE_MODE_DOTS_MAX, PAGE_PICTURE_BYTES_MAX, PAGE_PIECES_MAX

BELOW_DOTS = 3
FIRST_LINE_DOTS = 21
DEFAULT_HEIGHT_DOTS = 1662


@dataclass(frozen=True, slots=True)
class _Frame:
    left_dots: int
    top_dots: int
    width_dots: int
    height_dots: int


class PageMode:
    """One page being made."""

    def __init__(self, paper_dots: int) -> None:
        self._paper_dots = paper_dots
        self._frame = _Frame(0, 0, paper_dots, DEFAULT_HEIGHT_DOTS)
        self._is_framed = False
        self._direction = 0
        self._areas: list[Area] = []
        self._pieces: list[Placed] = []
        self._count = 0
        self._picture_bytes = 0
        self.spacing_dots = LINE_DOTS
        self.cursor_dots = 0
        self.foot_dots = FIRST_LINE_DOTS

    @property
    def width_dots(self) -> int:
        """Along the line, in the present direction."""
        frame = self._frame
        return frame.height_dots if self._direction in (1, 3) else frame.width_dots

    def set_area(self, left: int, top: int, width: int, height: int) -> None:
        """ESC W: nothing larger than the page; an area without a size changes nothing."""
        width = min(width, self._paper_dots - left)
        height = min(height, PAGE_MODE_DOTS_MAX - top)
        if left < 0 or top < 0 or width <= 0 or height <= 0:
            return
        self._close_area()
        self._frame = _Frame(left, top, width, height)
        self._is_framed = True

    def set_direction(self, data: bytes) -> None:
        """ESC T n."""
        number = number_of(data[0], 3)
        if number is not None:
            self._close_area()
            self._direction = number

    def move_to(self, dots: int) -> None:
        """ESC $ and ESC \\: along the line."""
        if 0 <= dots <= self.width_dots:
            self.cursor_dots = dots

    def move_down_to(self, dots: int) -> None:
        """GS $ and GS \\: across the lines."""
        frame = self._frame
        height = frame.width_dots if self._direction in (1, 3) else frame.height_dots
        if 0 <= dots <= height:
            self.foot_dots = dots

    def add_character(self, character: str, style: Style) -> None:
        """At the cursor; a line that is full goes on below."""
        width, height = style.cell_dots(character)
        if self.cursor_dots and self.cursor_dots + width > self.width_dots:
            self.feed()
        top = self.foot_dots + BELOW_DOTS - height
        last = self._pieces[-1] if self._pieces else None
        if last is not None and _goes_on(last, style, self.cursor_dots, self.foot_dots):
            assert isinstance(last.piece, Span)
            longer = Span(last.piece.text + character, style)
            top = self.foot_dots + BELOW_DOTS - longer.height_dots
            self._pieces[-1] = Placed(last.left_dots, top, longer)
        else:
            self._place(Placed(self.cursor_dots, top, Span(character, style)))
        self.cursor_dots += style.advance_dots(character)

    def add(self, piece: Symbol | Picture) -> bool:
        """On the cursor's line; ``False`` where the line or the page has no room for it."""
        if self.cursor_dots + piece.width_dots > self.width_dots:
            return False
        if isinstance(piece, Picture):
            self._picture_bytes += len(piece.rows)
            if self._picture_bytes > PAGE_PICTURE_BYTES_MAX:
                return False
        self._place(Placed(self.cursor_dots, self.foot_dots - piece.height_dots, piece))
        self.cursor_dots += piece.width_dots
        return True

    def feed(self, dots: int | None = None) -> None:
        """To the beginning of a line further down."""
        self.cursor_dots = 0
        self.foot_dots += self.spacing_dots if dots is None else dots

    def cancel(self) -> None:
        """CAN: forget what stands in the present area."""
        self._count -= len(self._pieces)
        self._pieces = []

    def sheet(self) -> PageSheet:
        """What is printed: as long as the areas are, or as the pieces reach where no area was
        set."""
        here = [] if not self._pieces else [self._area()]
        areas = [*self._areas, *here]
        if self._is_framed:
            frame = self._frame
            feet = [area.top_dots + area.height_dots for area in areas]
            return PageSheet(max([frame.top_dots + frame.height_dots, *feet]), tuple(areas))
        feet = [placed.top_dots + placed.piece.height_dots for placed in self._pieces]
        reach = DEFAULT_HEIGHT_DOTS if self._direction or self._areas else max(feet, default=0)
        return PageSheet(min(max(0, reach), DEFAULT_HEIGHT_DOTS), tuple(areas))

    def _place(self, placed: Placed) -> None:
        if self._count < PAGE_PIECES_MAX:
            self._pieces.append(placed)
            self._count += 1

    def _close_area(self) -> None:
        if self._pieces and len(self._areas) < PAGE_PIECES_MAX:
            self._areas.append(self._area())
        self._pieces = []
        self.cursor_dots, self.foot_dots = 0, FIRST_LINE_DOTS

    def _area(self) -> Area:
        frame = self._frame
        return Area(
            frame.left_dots, frame.top_dots, frame.width_dots, frame.height_dots,
            self._direction, tuple(self._pieces),
        )  # fmt: skip


def _goes_on(last: Placed, style: Style, cursor_dots: int, foot_dots: int) -> bool:
    """Whether a character simply follows the last ones."""
    piece = last.piece
    if not isinstance(piece, Span) or piece.style != style:
        return False
    foot = last.top_dots + piece.height_dots - BELOW_DOTS
    return foot == foot_dots and last.left_dots + piece.width_dots == cursor_dots
