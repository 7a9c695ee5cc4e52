"""``tillway risk explain``: what a payment was judged by."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tillway.json_api import JsonApi

Url = Annotated[str, typer.Option(help="The backend's address, https://…")]
Ca = Annotated[Path, typer.Option(help="The CA's certificate, which init wrote.")]
TokenFile = Annotated[Path, typer.Option(help="The operator's token.")]
_TOLD = {True: "judged again: the same", False: "judged again: NOT the same",
         None: "the rules have changed since"}  # fmt: skip


def explain(payment_id: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Each attempt of a payment: the decision, the rules that hit, the facts and the features, and
    whether judging again gives the same. Exit code 1 if one does not."""
    api = JsonApi(url, ca, token_file.read_text("ascii").strip())
    found = api.get(f"/operator/v1/risk/decisions/{payment_id}")["decisions"]
    console = Console()
    for one in found:
        console.print(f"{one['attempt_id']}: {one['action']} by {one['rule']}")
        console.print(f"rules {one['rules_version']}; {_TOLD[one['is_repeated']]}")
        for hit in one["hits"]:
            console.print(f"  {'live' if hit['is_live'] else 'shadow'} {hit['rule']}: {hit['en']}")
        table = Table("fact", "value")
        for name, value in {**one["facts"], **one["features"]}.items():
            table.add_row(name, f"{value}")
        console.print(table)
    raise typer.Exit(1 if any(one["is_repeated"] is False for one in found) else 0)
