"""What ``tillway payment``, ``refund`` and ``callback`` have in common: the same filter as the
console's, a page of rows, and what all of them come to."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from protocol.money import Money
from tillway.json_api import JsonApi

Merchant = Annotated[str, typer.Option(help="Of this merchant: id or name.")]
Store = Annotated[str, typer.Option(help="Of this store: id or name.")]
State = Annotated[str, typer.Option(help="In this state: captured, succeeded, failed…")]
Amount = Annotated[str, typer.Option(help="Of exactly this amount, as in 12.80.")]
Since = Annotated[str, typer.Option(help="From this date on, as in 2026-11-28.")]
Until = Annotated[str, typer.Option(help="Until this date.")]
After = Annotated[str, typer.Option(help="Go on there, as the page before says.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="So many rows.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]


def query_of(**asked: str) -> str:
    """An address's query, without what was not asked."""
    return urlencode({name: value for name, value in asked.items() if value})


def tell(
    api: JsonApi, path: str, asked: dict[str, str], line: Callable[[dict[str, Any]], str]
) -> None:
    """A page, one row a line; what all come to above the first, of money; where the next begins
    below."""
    found = api.get(f"{path}?{query_of(**asked)}")
    if found.get("sums") is not None:
        for one in _sums(found["sums"]):
            typer.echo(one)
    for row in found[path.rpartition("/")[2]]:
        typer.echo(line(row))
    if found["after"]:
        typer.echo(f"more: --after {found['after']}")


def moment(at_ms: int) -> str:
    """A time, UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()


def _sums(sums: dict[str, Any]) -> list[str]:
    told = [
        f"{one['state']:<20} {one['count']:>8}  {Money(one['amount_minor'], one['currency'])}"
        for one in sums["by_state"]
    ]
    if not sums["is_all"]:
        told.append(f"counted among the newest {sums['newest']} rows; narrow the dates for others")
    return told or ["none"]
