"""``tillway clearing``: close a business day on a running backend, and read what came of it: its
report, its windows, the reserve's signed test, and the regulator's report."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from backend.clearing.reserve_test import open_reserve_test
from faces.tables import draw
from protocol.errors import CallerError
from protocol.money import Money
from protocol.signed_note import NoteKey
from tillway.clearing_bill import app as bill
from tillway.clearing_breaks import app as breaks
from tillway.clearing_calendar import app as calendar
from tillway.clearing_watch import watch
from tillway.json_api import JsonApi
from tillway.limits import CLEARING_RUN_S_MAX
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import writing

app = typer.Typer(
    help="Close a day: clear, settle, pay out.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(bill, name="bill")
app.add_typer(breaks, name="breaks")
app.add_typer(calendar, name="calendar")
Day = Annotated[datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The business day.")]
OneDay = Annotated[
    datetime | None,
    typer.Option(
        "--date",
        formats=["%Y-%m-%d"],
        help="The business day; without it all that are over, the earliest first.",
    ),
]
Key = Annotated[str, typer.Option(help="Whose signature it must be; else the answer's own.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]


@app.command()
def run(url: Url, ca: Ca, token_file: TokenFile, day: OneDay = None) -> None:
    """Close a day. Safe to repeat: what is done is left alone. Exit code 1 while it stays open."""
    console = Console()
    api = api_of(url, ca, token_file, timeout_s=CLEARING_RUN_S_MAX)
    for one in [day.date()] if day else _days_over(api):
        found = watch(api, f"/operator/v1/clearing/{one}/run", console)
        show_report(found)
        if found["state"] != "closed":
            raise typer.Exit(1)


@app.command()
def report(day: Day, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The report of the last run of a day."""
    found = api_of(url, ca, token_file).get(f"/operator/v1/clearing/{day.date()}")
    show_report(found)
    raise typer.Exit(0 if found["state"] == "closed" else 1)


@app.command()
def windows(day: Day, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The channels' clearing windows of a settlement date."""
    found = api_of(url, ca, token_file).get(f"/operator/v1/clearing/{day.date()}/windows")
    table = Table("channel", "state", "net", "settled", title=f"{day.date()}")
    for row in found["windows"]:
        net, settled = Money(row["net_minor"], "CNY"), Money(row["settled_minor"], "CNY")
        table.add_row(row["channel_id"], row["state"], str(net), str(settled))
    draw(table)


@app.command("reserve-test")
def reserve_test(day: Day, url: Url, ca: Ca, token_file: TokenFile, key: Key = "") -> None:
    """Check the signature of a day's test of the reserve, and show it. Exit code 1: it failed."""
    found = api_of(url, ca, token_file).get(f"/operator/v1/clearing/{day.date()}/reserve-test")
    test = open_reserve_test(found["note"], NoteKey.from_text(key or found["key"]))
    if test.day != f"{day.date()}":
        raise CallerError("proof_invalid", f"the test of {test.day}")
    typer.echo(found["note"], nl=False)
    raise typer.Exit(0 if test.passed else 1)


@app.command("reserve-report")
def reserve_report(day: Day, url: Url, ca: Ca, token_file: TokenFile, out: Out) -> None:
    """Write the regulator's report of the reserve on a day: CSV, see backend/clearing."""
    path = f"/operator/v1/clearing/{day.date()}/reserve-report"
    report = api_of(url, ca, token_file).call("GET", path)
    with writing(out):
        out.write_bytes(report)
    typer.echo(f"{out}")


def _days_over(api: JsonApi) -> list[date]:
    """From the earliest day that is open, or else from yesterday, to yesterday."""
    standing = api.get("/operator/v1/clearing")
    today = date.fromisoformat(standing["today"])
    yesterday = today - timedelta(days=1)
    first = date.fromisoformat(standing["earliest_open_day"] or yesterday.isoformat())
    return [first + timedelta(days=number) for number in range((today - first).days)]


def show_report(found: dict[str, Any]) -> None:
    """A day's payouts, what came of the rest, and what keeps the day open, for people."""
    table = Table("payout", "merchant", "amount", "state", "reason", title=f"{found['day']}")
    for row in found["payouts"]:
        amount = Money(row["amount_minor"], row["currency"])
        table.add_row(
            row["payout_id"], row["merchant_id"], str(amount), row["state"], row["reason"]
        )
    draw(table)
    compared = found["reconciliation"]
    kinds = f" ({', '.join(compared['kinds'])})" if compared["kinds"] else ""
    typer.echo(f"{compared['matched']} figures agree, {compared['found']} do not{kinds}")
    typer.echo(f"fees swept: {found['swept_minor']} minor units; the day is {found['state']}")
    for reason in found.get("open_because", ()):
        typer.echo(f"  {reason}")
    if compared["breaks"]:
        typer.echo("see: tillway clearing breaks list")
    if found.get("long_minor"):
        typer.echo(f"nobody's money: {found['long_minor']} minor units")
