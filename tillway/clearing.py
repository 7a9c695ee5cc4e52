"""``tillway clearing``: close a business day on a running backend, and read what came of it."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from protocol.money import Money
from tillway.clearing_breaks import app as breaks
from tillway.clearing_calendar import app as calendar
from tillway.json_api import JsonApi

app = typer.Typer(
    help="Close a day: clear, settle, pay out.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(breaks, name="breaks")
app.add_typer(calendar, name="calendar")
Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The business day.")]
Url = Annotated[str, typer.Option(help="The backend's address, https://…")]
Ca = Annotated[Path, typer.Option(help="The CA's certificate, which init wrote.")]
TokenFile = Annotated[Path, typer.Option(help="The operator's token.")]


@app.command()
def run(day: Day, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Close a day. Safe to repeat: what is done is left alone. Exit code 1 while it stays open."""
    console = Console()
    with console.status(f"closing {day.date()}"):
        found = _api(url, ca, token_file).post(f"/operator/v1/clearing/{day.date()}/run")
    _show(console, day.date(), found)


@app.command()
def report(day: Day, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The report of the last run of a day."""
    found = _api(url, ca, token_file).get(f"/operator/v1/clearing/{day.date()}")
    _show(Console(), day.date(), found)


def _api(url: str, ca: Path, token_file: Path) -> JsonApi:
    return JsonApi(url, ca, token_file.read_text("ascii").strip())


def _show(console: Console, day: date, found: dict[str, object]) -> None:
    table = Table("payout", "merchant", "amount", "state", "reason", title=f"{day}")
    payouts = found["payouts"]
    assert isinstance(payouts, list)
    for row in payouts:
        amount = Money(row["amount_minor"], row["currency"])
        table.add_row(
            row["payout_id"], row["merchant_id"], str(amount), row["state"], row["reason"]
        )
    console.print(table)
    console.print(f"reconciliation: {found['reconciliation']}")
    console.print(f"fees swept: {found['swept_minor']} minor units; the day is {found['state']}")
    if found.get("long_minor"):
        console.print(f"nobody's money: {found['long_minor']} minor units")
    raise typer.Exit(0 if found["state"] == "closed" else 1)
