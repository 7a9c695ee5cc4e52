"""Two rows of twenty characters and a cursor: what both families of VFD share.

Rule: the cursor stands on the place of the next character. In overwrite mode it goes round the
glass; in vertical scroll mode what would leave the glass pushes the rows; in horizontal scroll mode
a row that is full moves to the left within its window.
"""

from dataclasses import dataclass, field
from enum import Enum

from protocol.framing.limits import DISPLAY_COLUMNS

ROWS = 2
BLANK = " "


class Mode(Enum):
    """What happens at the end of a row."""

    OVERWRITE = "overwrite"
    VERTICAL = "vertical"
    HORIZONTAL = "horizontal"


def _empty() -> list[list[str]]:
    return [[BLANK] * DISPLAY_COLUMNS for _ in range(ROWS)]


@dataclass(slots=True)
class Glass:
    """The picture and the cursor. Columns and rows count from 0."""

    cells: list[list[str]] = field(default_factory=_empty)
    column: int = 0
    row: int = 0
    mode: Mode = Mode.OVERWRITE
    window: tuple[int, int, int] | None = None
    """First column, last column, row: where horizontal scroll takes place."""

    @property
    def rows(self) -> list[str]:
        """The rows as text, each twenty characters long."""
        return ["".join(row) for row in self.cells]

    def clear(self) -> None:
        """Nothing on the glass; the cursor goes home."""
        self.cells = _empty()
        self.home()

    def clear_row(self) -> None:
        """Nothing on the cursor's row; the cursor goes to its start."""
        self.cells[self.row] = [BLANK] * DISPLAY_COLUMNS
        self.column = 0

    def home(self) -> None:
        """The cursor goes to the upper left."""
        self.column = self.row = 0

    def bottom(self) -> None:
        """The cursor goes to the lower right."""
        self.column, self.row = DISPLAY_COLUMNS - 1, ROWS - 1

    def row_start(self) -> None:
        """The cursor goes to the left end of its row."""
        self.column = 0

    def row_end(self) -> None:
        """The cursor goes to the right end of its row."""
        self.column = DISPLAY_COLUMNS - 1

    def move_to(self, column: int, row: int) -> bool:
        """The cursor goes there; whether there is such a place."""
        if not (0 <= column < DISPLAY_COLUMNS and 0 <= row < ROWS):
            return False
        self.column, self.row = column, row
        return True

    def write(self, character: str) -> None:
        """Put a character at the cursor, and go on."""
        if self.mode is Mode.HORIZONTAL:
            self._write_within_window(character)
            return
        self.cells[self.row][self.column] = character
        self.right()

    def right(self) -> None:
        """One to the right; from the end of a row to the start of the other."""
        if self.column < DISPLAY_COLUMNS - 1:
            self.column += 1
        elif self.mode is not Mode.HORIZONTAL:
            self.column = 0
            self.down()

    def left(self) -> None:
        """One to the left; from the start of a row to the end of the other."""
        if self.column:
            self.column -= 1
        elif self.mode is not Mode.HORIZONTAL:
            self.column = DISPLAY_COLUMNS - 1
            self.up()

    def down(self) -> None:
        """One row down; from the last row, round or by pushing the rows up."""
        if self.row < ROWS - 1:
            self.row += 1
        elif self.mode is Mode.OVERWRITE:
            self.row = 0
        elif self.mode is Mode.VERTICAL:
            self.cells = [*self.cells[1:], [BLANK] * DISPLAY_COLUMNS]

    def up(self) -> None:
        """One row up; from the first row, round or by pushing the rows down."""
        if self.row:
            self.row -= 1
        elif self.mode is Mode.OVERWRITE:
            self.row = ROWS - 1
        elif self.mode is Mode.VERTICAL:
            self.cells = [[BLANK] * DISPLAY_COLUMNS, *self.cells[:-1]]

    def put_row(self, row: int, text: str) -> None:
        """A whole row at once, from its start; the rest is blank."""
        self.cells[row] = list(text[:DISPLAY_COLUMNS].ljust(DISPLAY_COLUMNS))

    def _write_within_window(self, character: str) -> None:
        first, last, row = self.window or (0, DISPLAY_COLUMNS - 1, self.row)
        cells = self.cells[row]
        if self.row != row or not first <= self.column <= last:
            self.column, self.row = first, row
        if self.column == last and cells[last] != BLANK:
            cells[first : last + 1] = [*cells[first + 1 : last + 1], character]
        else:
            cells[self.column] = character
            self.column = min(self.column + 1, last)
