"""``tillway audit``: who of staff and operators did what, when, from where."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from backend.audit.model import ActKind
from faces.tables import list_lines
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import save

app = typer.Typer(
    help="The audit log of staff and operators.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_AUDIT = "/operator/v1/audit"
_Kind = Annotated[str | None, listing.one_of(ActKind, "Of this kind alone.")]
_Actor = Annotated[str, typer.Option(help="By whom: a part of the name.")]
_Since = Annotated[str, typer.Option(help="From this date on, as in 2026-11-28.")]
_Until = Annotated[str, typer.Option(help="Until this date.")]
_Subject = Annotated[str, typer.Option(help="On what: a part of the name.")]


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    kind: _Kind = None,
    actor: _Actor = "",
    subject: _Subject = "",
    since: _Since = "",
    until: _Until = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
) -> None:
    """The newest acts, one a line."""
    query = _query(
        kind=kind, actor=actor, subject=subject, since=since, until=until, limit=f"{limit}"
    )
    list_lines(map(_line, api_of(url, ca, token_file).get(f"{_AUDIT}?{query}")["acts"]))


def _line(one: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(one["at_ms"] // 1000, UTC).isoformat()
    told = f"{one['kind']} {one['what']} {one['subject']} {one['reason']}".strip()
    return f"{one['number']:>6} {at} {one['actor']} ({one['origin']}): {told}"


@app.command("csv")
def csv_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    kind: _Kind = None,
    actor: _Actor = "",
    subject: _Subject = "",
    since: _Since = "",
    until: _Until = "",
) -> None:
    """The acts with all their fields as a CSV file, the newest first, at most 100,000."""
    query = _query(kind=kind, actor=actor, subject=subject, since=since, until=until)
    save(api_of(url, ca, token_file), f"{_AUDIT}/csv?{query}", out)
    typer.echo(f"{out}")


@app.command()
def verify(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Whether every act is still what was written. Exit code 1 if one was changed or is gone."""
    found = api_of(url, ca, token_file).get(f"{_AUDIT}/verify")
    if not found["is_whole"]:
        typer.echo(f"act {found['first_broken']} is not what was written")
        raise typer.Exit(1)
    typer.echo("every act is what was written")


def _query(**asked: str | None) -> str:
    return urlencode({name: value for name, value in asked.items() if value})
