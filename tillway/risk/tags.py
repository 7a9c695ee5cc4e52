"""``tillway risk tags``: which tags there are, which were ever true, and which are made use of."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from faces.tables import draw
from tillway.risk.period import end_of, span_ms

if TYPE_CHECKING:
    from backend.risk.tags.ledger import LedgerRows

Database = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_DATABASE_URL", help="SQLAlchemy URL; is only read.")
]
Days = Annotated[int, typer.Option(min=1, max=3_650, help="The payments of so many days.")]
Transfers = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Account-days of this file.")
]
Show = Annotated[str, typer.Option(help="List the tags of one category instead.")]


def tags(
    database: Database = "", days: Days = 90, transfers: Transfers = None, show: Show = ""
) -> None:
    """Count the tags: defined, implemented, ever fired, used. Without a database and a file of
    transfers nothing can have fired."""
    from backend.risk.aml.transfers import read_transfers
    from backend.risk.tags.report import Times, fired_of_payments, fired_of_transfers, report

    if show:
        _show(show)
        return
    times: list[Times] = []
    if database:
        times.append(fired_of_payments(_history(database, days)))
    if transfers is not None:
        times.append(fired_of_transfers(read_transfers(transfers)))
    table = Table("category", "defined", "implemented", "ever fired", "used")
    for line in report(*times):
        numbers = (line.defined, line.implemented, line.fired, line.used)
        table.add_row(line.category, *(f"{number:,}" for number in numbers))
    draw(table)


def _history(database: str, days: int) -> "LedgerRows":
    from backend.db.reading import Reader
    from backend.risk.tags.repository import TagRepository

    from_ms, _ = span_ms(end_of(None), days=days)
    with Reader.opened(database) as reader:
        return TagRepository(reader).history(from_ms=from_ms)


def _show(category: str) -> None:
    from backend.risk.tags.catalogue import all_tags
    from backend.risk.tags.taxonomy import Category
    from protocol.errors import CallerError

    if category not in set(Category):
        raise CallerError("field_invalid", f"show: one of {', '.join(Category)}")
    table = Table("tag", "when", "zh", "en")
    for tag in all_tags():
        if tag.category == category:
            table.add_row(tag.name, tag.when, tag.zh, tag.en)
    draw(table)
