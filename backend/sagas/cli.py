"""``tillway backend sagas``: what is still open with the channels, and what happened to a payment.

Reads only; works beside a running backend.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from backend.db.option import Database
from backend.db.reading import Reader
from backend.sagas.limits import ROWS_PER_LIST_MAX
from backend.sagas.repository import SagaRepository
from faces.tables import draw

app = typer.Typer(help="Conversations with payment channels.", no_args_is_help=True)

_LISTED = ("saga_id", "kind", "payment_id", "channel_id", "amount_minor", "state", "tries", "error")
_STEPS = ("event", "state_before", "state_after", "detail")


@app.command("list")
def list_command(
    database: Database,
    limit: Annotated[int, typer.Option(min=1, max=ROWS_PER_LIST_MAX)] = 50,
) -> None:
    """Show the conversations in which a channel still owes a word, oldest first, and those that are
    stranded: an operator owes one."""
    with Reader.opened(database) as reader:
        rows = SagaRepository(reader).unfinished(limit)
    table = Table(*_LISTED)
    for row in rows:
        table.add_row(*(str(row[name]) for name in _LISTED))
    draw(table)


@app.command()
def show(database: Database, payment_id: str) -> None:
    """Tell what happened between us and the channel about a payment. Exit code 1 if nothing did."""
    with Reader.opened(database) as reader:
        found = SagaRepository(reader).of_payment(payment_id)
    for saga in found:
        settled = saga["settlement_date"] or "-"
        typer.echo(
            f"{saga['saga_id']}: {saga['kind']} of {saga['amount_minor']} {saga['currency']}"
            f" through {saga['channel_id']}, {saga['state']} after {saga['tries']} tries,"
            f" settled {settled}"
        )
        for step in saga["timeline"]:
            at = datetime.fromtimestamp(step["at_ms"] // 1000, UTC).isoformat()
            typer.echo("  ".join([f"  {at}", *(step[name] for name in _STEPS)]))
    if not found:
        typer.echo(f"{payment_id}: no channel was spoken to")
        raise typer.Exit(1)
