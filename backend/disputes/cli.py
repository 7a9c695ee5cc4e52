"""``tillway backend disputes``: what payers and their issuers want back."""

from typing import Annotated

import typer
from rich.table import Table

from backend.db.option import Database
from backend.db.reading import Reader
from backend.disputes.model import DisputeState
from backend.disputes.repository import DisputeRepository
from faces.tables import draw
from protocol.money import Money

app = typer.Typer(help="Disputed payments.", no_args_is_help=True)


@app.callback()
def disputes() -> None:
    """Disputed payments."""


@app.command("list")
def list_command(
    database: Database,
    state: Annotated[DisputeState | None, typer.Option(help="Only these.")] = None,
    merchant: Annotated[str | None, typer.Option(help="Only this merchant's.")] = None,
) -> None:
    """Show disputes, newest first."""
    with Reader.opened(database) as reader:
        wanted = state.value if state else None
        rows = DisputeRepository(reader).listed(state=wanted, merchant_id=merchant)
    table = Table("dispute", "payment", "merchant", "amount", "covered by us", "state", "reason")
    for row in rows:
        amount, cover = (
            Money(row[name], row["currency"]) for name in ("amount_minor", "cover_minor")
        )
        table.add_row(
            row["dispute_id"], row["payment_id"], row["merchant_id"], str(amount), str(cover),
            row["state"], row["reason"],
        )  # fmt: skip
    draw(table)
