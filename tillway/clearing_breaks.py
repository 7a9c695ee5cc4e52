"""``tillway clearing breaks``: what the reconciliation found and somebody must look at."""

from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from faces.tables import list_lines
from protocol.money import Money
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(help="Breaks of the reconciliation.", no_args_is_help=True)
_COMMANDS = {
    "resolve": "resolve",
    "assign": "resolve --assign-payer or --assign-merchant",
    "write_off": "resolve --write-off",
    "ask_back": "return",
}
"""What a person types for a proposed step."""
_STEPS = ("event", "state_before", "state_after", "actor", "words")


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    merchant: Annotated[str, typer.Option(help="Those about this merchant, open or over.")] = "",
) -> None:
    """The breaks that are not over, the oldest first: each with both sides' amounts, and what a
    person is asked to do about it."""
    query = f"?{urlencode({'merchant': merchant})}" if merchant else ""
    found = api_of(url, ca, token_file).get(f"/operator/v1/breaks{query}")["breaks"]
    list_lines(line for row in found for line in told(row))


def told(row: dict[str, Any]) -> list[str]:
    """A break in three lines, none of which is cut off: its id may be copied."""
    ours, theirs = (_amount(row[side], row["currency"]) for side in ("ours_minor", "theirs_minor"))
    number = f" ({row['channel_reference']})" if row["channel_reference"] else ""
    return [
        f"{row['break_id']}  {row['kind']}",
        f"    {row['business_date']}, {row['age_days']} days old: {row['state']}"
        + (f"; for a person: {_COMMANDS[row['proposed']]}" if row["proposed"] else ""),
        f"    {row['source']}: {row['reference']}{number}  ours {ours}, theirs {theirs}",
    ]


def _amount(minor: int | None, currency: str) -> str:
    return "none" if minor is None else str(Money(minor, currency))


@app.command()
def show(break_id: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """One break and everything that happened to it."""
    row: dict[str, Any] = api_of(url, ca, token_file).get(f"/operator/v1/breaks/{break_id}")
    timeline = row.pop("timeline")
    for name, value in row.items():
        typer.echo(f"{name}: {value}")
    for step in timeline:
        typer.echo("  ".join(str(step[name]) for name in _STEPS))


@app.command()
def resolve(
    break_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: Annotated[str, typer.Option(help="Who decides.")],
    words: Annotated[str, typer.Option(help="Why: two words, or four Chinese characters.")],
    *,
    write_off: Annotated[bool, typer.Option(help="It is short, lost, and our loss.")] = False,
    assign_payer: Annotated[str, typer.Option(help="It is long, and this payer's.")] = "",
    assign_merchant: Annotated[str, typer.Option(help="It is long, and this merchant's.")] = "",
) -> None:
    """End a break that waits for a person, write off what is short, or assign what is long."""
    body: dict[str, Any] = {"by": by, "words": words, "write_off": write_off}
    for kind, owner_id in (("payer", assign_payer), ("merchant", assign_merchant)):
        if owner_id:
            body |= {"assign": kind, "owner_id": owner_id}
    found = api_of(url, ca, token_file).post(f"/operator/v1/breaks/{break_id}/resolve", body)
    typer.echo(f"{break_id}: {found['break']['state']}")


@app.command(name="return")
def return_command(
    break_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: Annotated[str, typer.Option(help="Who decides.")],
    words: Annotated[str, typer.Option(help="Why: two words, or four Chinese characters.")],
) -> None:
    """Ask the channel now to take back what it took twice or unasked, by its own number.

    Without this it is asked when the break is two days old."""
    body = {"by": by, "words": words}
    found = api_of(url, ca, token_file).post(f"/operator/v1/breaks/{break_id}/return", body)
    typer.echo(f"{break_id}: {found['break']['state']}")
