"""``tillway backend withdrawals``: what payers have taken out. Reads only."""

import typer
from rich.table import Table

from backend.db.option import Database
from backend.db.reading import Reader
from backend.withdrawals.repository import WithdrawalRepository
from faces.tables import draw

app = typer.Typer(help="Payers' withdrawals.", no_args_is_help=True)

_LISTED = ("withdrawal_id", "amount_minor", "fee_minor", "currency", "state", "settlement_date")


@app.callback()
def withdrawals() -> None:
    """Payers' withdrawals."""


@app.command("list")
def list_command(database: Database, payer_id: str) -> None:
    """Show a payer's withdrawals, the newest first. Exit code 1 if there are none."""
    with Reader.opened(database) as reader:
        rows = WithdrawalRepository(reader).of_payer(payer_id)
    table = Table(*_LISTED)
    for row in rows:
        table.add_row(*(str(row[name]) for name in _LISTED))
    draw(table)
    if not rows:
        raise typer.Exit(1)
