"""``tillway risk lists``: who is trusted, blocked or watched."""

import time
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.table import Table

from backend.risk.lists.model import ListKind, ListName
from faces.tables import draw
from protocol.clock import DAY_MS
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.risk.moments import heading, told

app = typer.Typer(help="The allow, block and grey lists.", no_args_is_help=True)
ListArgument = Annotated[str, listing.argument_of(ListName, "Which list.")]
Kind = Annotated[str, listing.argument_of(ListKind, "What the value names.")]
Value = Annotated[str, typer.Argument(help="Its id; a card's is its instrument.")]
By = Annotated[str, typer.Option(help="Who does it.")]
Reason = Annotated[str, typer.Option(help="Why.")]
_PATH = "/operator/v1/risk/lists"
_LISTED = ("kind", "value", "reason", "owner", "until_ms")
_STEPS = ("number", "list_before", "list_after", "actor", "reason")


@app.command("list")
def list_command(list_name: ListArgument, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The entries of a list that count."""
    api, table = api_of(url, ca, token_file), Table(*map(heading, _LISTED))
    asked = ""
    while found := api.get(f"{_PATH}/{list_name}{asked}")["entries"]:
        for row in found:
            table.add_row(*(told(name, row[name]) for name in _LISTED))
        last = found[-1]
        asked = "?" + urlencode({"after_kind": last["kind"], "after_value": last["value"]})
    draw(table)


@app.command()
def show(kind: Kind, value: Value, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Where a value stands, and who put it there."""
    row: dict[str, Any] = api_of(url, ca, token_file).post(
        f"{_PATH}/look_up", {"kind": kind, "value": value}
    )
    events = row.pop("events")
    for name, value in row.items():
        typer.echo(f"{heading(name)}: {told(name, value)}")
    for step in events:
        typer.echo("  ".join(str(step[name]) for name in _STEPS))


@app.command()
def put(
    list_name: ListArgument,
    kind: Kind,
    value: Value,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: By,
    reason: Reason,
    owner: Annotated[str, typer.Option(help="Whose entry it is.")] = "risk",
    days: Annotated[int, typer.Option(min=0, help="How long; 0: until taken off.")] = 0,
) -> None:
    """Put a value on a list; it leaves the one that it is on. An allow entry needs --days."""
    until_ms = time.time_ns() // 1_000_000 + days * DAY_MS if days else 0
    body = {
        "list_name": list_name, "kind": kind, "value": value, "reason": reason, "owner": owner,
        "by": by, "until_ms": until_ms,
    }  # fmt: skip
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/put", body))


@app.command("take-off")
def take_off(
    kind: Kind, value: Value, url: Url, ca: Ca, token_file: TokenFile, by: By, reason: Reason
) -> None:
    """Take a value off its list."""
    body = {"kind": kind, "value": value, "reason": reason, "by": by}
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/take_off", body))


def _tell(entry: dict[str, Any]) -> None:
    typer.echo(f"{entry['kind']} {entry['value']}: {entry['list_name'] or 'on no list'}")
