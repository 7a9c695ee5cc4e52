"""How a command shows a table, or a list: an id stays whole on one line, for whoever copies it, and
where there is nothing, it says so. What stands in a cell is shown as it is, never read as markup.
"""

from collections.abc import Iterable

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

NONE = "none"
_ANY_WIDTH = 10_000


def draw(table: Table) -> None:
    """Print it. A cell of several words is wrapped; a window, or a file, too narrow for the longest
    words gets a wider table instead of cut ones."""
    if not table.row_count:
        typer.echo(f"{table.title}: {NONE}" if table.title else NONE)
        return
    for column in table.columns:
        column.no_wrap = not any(" " in str(cell) for cell in column.cells)
    console = Console(markup=False, emoji=False)
    whole = Measurement.get(console, console.options.update(max_width=_ANY_WIDTH), table)
    console.width = max(console.width, whole.minimum)
    console.print(table)


def list_lines(lines: Iterable[str]) -> None:
    """Print them."""
    is_empty = True
    for line in lines:
        typer.echo(line)
        is_empty = False
    if is_empty:
        typer.echo(NONE)
