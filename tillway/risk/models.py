"""``tillway risk models``: the challenger beside the champion."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="Models that score payments.", no_args_is_help=True)
Database = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_DATABASE", help="SQLAlchemy URL; is only read.")
]
Days = Annotated[int, typer.Option(min=1, max=365, help="The days to look at, up to the end.")]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The end; now if not given.")
]
_FIGURES = ("mean_probability", "average_precision", "auc", "brier", "top_frauds")


@app.callback()
def main() -> None:
    """Models that score payments."""


@app.command()
def compare(database: Database, days: Days = 30, until: Until = None) -> None:
    """What champion and challenger said of the same payments, and who was right. Exit code 1: they
    have scored none together."""
    from backend.db.reading import Reader
    from backend.risk.judging.repository import DecisionRepository
    from backend.risk.models.comparison import compare as compared
    from backend.risk.models.payments_repository import TrainingRepository

    end = until.replace(tzinfo=UTC) if until else datetime.now(UTC)
    begin_ms, end_ms = (int(at.timestamp() * 1000) for at in (end - timedelta(days=days), end))
    with Reader.opened(database) as reader:
        scored = DecisionRepository(reader).challenged(from_ms=begin_ms, until_ms=end_ms)
        labels = TrainingRepository(reader).labels(until_ms=end_ms)
        found = compared(scored, labels, until_ms=end_ms)
    for pair in found:
        title = f"{pair.payments:,} payments, {pair.frauds:,} frauds, {pair.honest:,} honest"
        table = Table("", "champion", "challenger", title=title)
        sides = (pair.champion, pair.challenger)
        table.add_row("model", *(side.model_id[:12] for side in sides))
        for name in _FIGURES:
            table.add_row(name, *(_told(getattr(side, name)) for side in sides))
        table.add_row("mean distance", "", _told(pair.moved))
        Console().print(table)
    if not found:
        typer.echo("no payment was scored by both")
    raise typer.Exit(0 if found else 1)


def _told(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.4f}" if isinstance(value, float) else f"{value}"
