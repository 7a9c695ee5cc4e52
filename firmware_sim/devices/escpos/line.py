"""The line under the head in standard mode: pieces at their places until the line is printed.

Rule 1: places count from the left margin while the line grows; alignment and margin are added when
it is printed. Rule 2: a code or a raster stands on paper of its own, below what was on the line.
"""

from dataclasses import dataclass, replace

from firmware_sim.devices.paper import (
    CELL_CHINESE_DOTS,
    LINE_DOTS,
    Blank,
    Block,
    Picture,
    Span,
    Style,
    Symbol,
    TextLine,
)
from firmware_sim.limits import LINE_PIECES_MAX


@dataclass(slots=True)
class _Run:
    left_dots: int
    style: Style
    text: str
    end_dots: int


class Line:
    """Grows by characters and column pictures; printing it gives a block of paper."""

    def __init__(self, paper_dots: int) -> None:
        self._paper_dots = paper_dots
        self.margin_dots = 0
        self.area_dots = paper_dots
        self.align = 0
        self.spacing_dots = LINE_DOTS
        self.is_upside_down = False
        self.cursor_dots = 0
        self._runs: list[_Run] = []
        self._pictures: list[Picture] = []
        self.blocks: list[Block] = []

    @property
    def width_dots(self) -> int:
        """From the margin to the end of the print area."""
        return max(1, min(self.area_dots, self._paper_dots - self.margin_dots))

    @property
    def margin_dots_max(self) -> int:
        """The margin that leaves room for one Chinese character."""
        return self._paper_dots - CELL_CHINESE_DOTS[0]

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands on it."""
        return not self._runs and not self._pictures

    def add_character(self, character: str, style: Style) -> None:
        """At the cursor; a line that is full is printed first."""
        width = style.cell_dots(character)[0]
        if self.cursor_dots and self.cursor_dots + width > self.width_dots:
            self.feed()
        end = self.cursor_dots + style.advance_dots(character)
        last = self._runs[-1] if self._runs else None
        if last is not None and last.style == style and last.end_dots == self.cursor_dots:
            last.text += character
            last.end_dots = end
        elif len(self._runs) < LINE_PIECES_MAX:
            self._runs.append(_Run(self.cursor_dots, style, character, end))
        self.cursor_dots = end

    def add_picture(self, picture: Picture) -> None:
        """A column image, at the cursor."""
        if len(self._pictures) < LINE_PIECES_MAX:
            self._pictures.append(replace(picture, left_dots=self.cursor_dots))
        self.cursor_dots += picture.width_dots

    def move_to(self, dots: int) -> None:
        """ESC $ and ESC \\: a place beyond the area is no place."""
        if 0 <= dots <= self.width_dots:
            self.cursor_dots = dots

    def feed(self, dots: int | None = None) -> None:
        """Print what there is and move the paper: by the line spacing, or by ``dots``. What is
        taller than that takes what it needs."""
        spacing = self.spacing_dots if dots is None else dots
        ends = [run.end_dots for run in self._runs]
        ends += [picture.left_dots + picture.width_dots for picture in self._pictures]
        left = self._left(max(ends, default=0))
        spans = tuple(Span(run.text, run.style, left + run.left_dots) for run in self._runs)
        pictures = tuple(
            replace(
                picture, align=self.align, left_dots=left + picture.left_dots,
                is_upside_down=self.is_upside_down,
            )
            for picture in self._pictures
        )  # fmt: skip
        if len(pictures) == 1 and not spans:
            self.blocks.append(replace(pictures[0], feed_dots=spacing))
        else:
            line = TextLine(self.align, spans, spacing, pictures, self.is_upside_down)
            self.blocks.append(line)
        self.forget()

    def forget(self) -> None:
        """Begin the line anew."""
        self._runs, self._pictures, self.cursor_dots = [], [], 0

    def finish(self) -> None:
        """Print what there is, if anything."""
        if not self.is_empty:
            self.feed()
        self.cursor_dots = 0

    def blank(self, dots: int) -> None:
        """White paper."""
        if dots:
            self.blocks.append(Blank(dots))

    def stand_alone(self, piece: Symbol | Picture) -> bool:
        """A code or raster on paper of its own; ``False`` where a code is wider than the area."""
        self.finish()
        is_code = not isinstance(piece, Picture)
        if is_code and piece.width_dots > self.width_dots:
            return False
        placed = replace(piece, align=self.align, left_dots=self._left(piece.width_dots))
        if is_code:
            placed = replace(placed, is_upside_down=self.is_upside_down)
        self.blocks.append(placed)
        return True

    def _left(self, content_dots: int) -> int:
        free = max(0, self.width_dots - content_dots)
        return self.margin_dots + {1: free // 2, 2: free}.get(self.align, 0)
