"""How a command shows a table: an id stays whole on one line, for whoever copies it."""

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_ANY_WIDTH = 10_000


def draw(table: Table) -> None:
    """Print it. What has several words is wrapped; a window, or a file, too narrow for the longest
    words gets a wider table instead of cut ones."""
    for column in table.columns:
        column.no_wrap = not any(" " in str(cell) for cell in column.cells)
    console = Console()
    whole = Measurement.get(console, console.options.update(max_width=_ANY_WIDTH), table)
    console.width = max(console.width, whole.minimum)
    console.print(table)
