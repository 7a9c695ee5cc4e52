"""``tillway risk explain``: what a payment was judged by."""

from typing import Any

import typer
from rich.table import Table

from faces.tables import draw
from tillway.operator_place import Ca, TokenFile, Url, api_of

_SHOWN = 8
"""The features that moved the score most."""
_TOLD = {True: "judged again: the same", False: "judged again: NOT the same",
         None: "not at hand to be judged again"}  # fmt: skip


def explain(payment_id: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Each attempt of a payment: the decision, the rules that hit, the facts and the features, and
    whether judging again gives the same. Exit code 1 if one does not."""
    api = api_of(url, ca, token_file)
    found = api.get(f"/operator/v1/risk/decisions/{payment_id}")["decisions"]
    for one in found:
        typer.echo(f"{one['attempt_id']}: {one['action']} by {one['rule']}")
        typer.echo(f"rules {one['rules_version']}; {_TOLD[one['is_repeated']]}")
        if guarded := one["guards"]:
            stopped = guarded["rule"] or "none"
            typer.echo(f"guard {stopped}; {_TOLD[guarded['is_repeated']]}")
        for hit in one["hits"]:
            typer.echo(f"  {'live' if hit['is_live'] else 'shadow'} {hit['rule']}: {hit['en']}")
        if one["trouble"]:
            typer.echo(f"judged without a part: {one['trouble']}")
        _tell_score("model", one["score"])
        _tell_score("challenger, which decides nothing,", one["challenger"])
        table = Table("fact", "value")
        for name, value in {**one["facts"], **one["features"]}.items():
            table.add_row(name, f"{value}")
        draw(table)
    raise typer.Exit(1 if any(_differs(one) for one in found) else 0)


def _tell_score(who: str, score: dict[str, Any] | None) -> None:
    if score is None:
        return
    told = _TOLD[score["is_repeated"]]
    typer.echo(f"{who} {score['model_id']}: {score['probability']:.4f}; {told}")
    for name, part in sorted(score["contributions"].items(), key=_weight)[:_SHOWN]:
        typer.echo(f"  {part:+.4f} {name}")


def _weight(part: tuple[str, float]) -> float:
    return -abs(part[1])


def _differs(one: dict[str, Any]) -> bool:
    parts = [part for part in (one["guards"], one["score"], one["challenger"]) if part]
    return any(part["is_repeated"] is False for part in (one, *parts))
