"""What ``tillway payment``, ``refund`` and ``callback`` have in common: the same filter as the
console's, a page of rows, and what all of them come to."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from faces.tables import NONE, list_lines
from protocol.money import Money
from tillway.json_api import JsonApi

Merchant = Annotated[str, typer.Option(help="Of this merchant: id or name.")]
Store = Annotated[str, typer.Option(help="Of this store: id or name.")]
Amount = Annotated[str, typer.Option(help="Of exactly this amount, as in 12.80.")]
Since = Annotated[str, typer.Option(help="From this date on, as in 2026-11-28.")]
Until = Annotated[str, typer.Option(help="Until this date.")]
After = Annotated[str, typer.Option(help="Go on there, as the page before says.")]
Limit = Annotated[int, typer.Option(min=1, max=500, help="So many rows.")]
Out = Annotated[Path, typer.Option(help="The file to write.")]


def one_of(known: Iterable[str], words: str) -> Any:  # noqa: ANN401  # as typer.Option
    """An option that takes one word of a set: help and refusals name all of them."""
    return typer.Option(metavar="<word>", **_word_of(known, words))


def argument_of(known: Iterable[str], words: str) -> Any:  # noqa: ANN401  # as typer.Argument
    """The same of an argument."""
    return typer.Argument(**_word_of(known, words))


def _word_of(known: Iterable[str], words: str) -> dict[str, Any]:
    each = [str(one) for one in known]

    def word(text: str) -> str:
        if text not in each:
            raise typer.BadParameter(f"{text!r} is none of {', '.join(each)}")
        return text

    return {"help": f"{words} One of: {', '.join(each)}.", "parser": word}


def query_of(**asked: str | None) -> str:
    """An address's query, without what was not asked."""
    return urlencode({name: value for name, value in asked.items() if value})


def tell(
    api: JsonApi, path: str, asked: dict[str, str | None], line: Callable[[dict[str, Any]], str]
) -> None:
    """A page, one row a line; what all come to above the first, of money; where the next begins
    below."""
    found = api.get(f"{path}?{query_of(**asked)}")
    if found.get("sums") is not None:
        for one in _sums(found["sums"]):
            typer.echo(one)
    rows = found[path.rpartition("/")[2]]
    if found.get("sums") is None or rows:
        list_lines(map(line, rows))
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
    return told or [NONE]
