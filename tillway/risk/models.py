"""``tillway risk models``: bring a model to its use by two persons, and see it beside another."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer
from rich.table import Table

from faces.tables import draw, list_lines
from tillway.json_api import JsonApi
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.risk.moments import heading, told
from tillway.risk.period import Until, end_of, span_ms
from tillway.risk.signing import Code, SignedBy, signed

app = typer.Typer(help="Models that score payments.", no_args_is_help=True)
Database = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_DATABASE_URL", help="SQLAlchemy URL; is only read.")
]
Days = Annotated[int, typer.Option(min=1, max=365, help="The days to look at, up to the end.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What train wrote.")]
ModelId = Annotated[str, typer.Argument(help="The model's id, the hash of its file.")]
By = Annotated[str, typer.Option(help="Who does it.")]
Words = Annotated[str, typer.Option(help="Why.")]
_PATH = "/operator/v1/risk/models"
_STEPS = ("number", "at_ms", "event", "state_before", "state_after", "actor", "words")
_FIGURES = ("mean_probability", "average_precision", "auc", "brier", "top_frauds")


@app.callback()
def main() -> None:
    """Models that score payments."""


@app.command("list")
def list_models(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Every model, the latest first."""
    list_lines(map(_line, api_of(url, ca, token_file).get(_PATH)["models"]))


def _line(row: dict[str, Any]) -> str:
    card = row["card"]
    learnt = f"{card['rows']:,} rows, {card['frauds']:,} frauds"
    return f"{row['model_id']}  {row['state']}  {card['kind']}  {learnt}"


@app.command()
def show(model_id: ModelId, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """A model, its figures and its steps."""
    row: dict[str, Any] = api_of(url, ca, token_file).get(f"{_PATH}/{quote(model_id, safe='')}")
    events, card = row.pop("events"), row.pop("card")
    metrics = {name: round(value, 4) for name, value in card["metrics"].items()}
    known = {name: card[name] for name in ("kind", "rows", "frauds", "trained_at")}
    for name, value in (row | known | metrics).items():
        typer.echo(f"{heading(name)}: {told(name, value)}")
    for step in events:
        typer.echo("  ".join(told(name, step[name]) for name in _STEPS))


@app.command()
def register(file: File, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words) -> None:
    """Bring a model's file: it is checked and kept, and scores nothing yet."""
    asked = f"{_PATH}?{urlencode({'by': by, 'words': words})}"
    content = api_of(url, ca, token_file).call(
        "POST", asked, file.read_bytes(), "application/octet-stream"
    )
    _tell(json.loads(content))


@app.command()
def challenge(
    model_id: ModelId, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words
) -> None:
    """Let a model score beside the champion, and decide nothing."""
    _tell(_moved(api_of(url, ca, token_file), model_id, "challenge", {"by": by, "words": words}))


@app.command()
def propose(
    model_id: ModelId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Propose, as the first of two persons, the challenger for champion."""
    body = signed(by, code, words)
    _tell(_moved(api_of(url, ca, token_file), model_id, "propose", body))


@app.command()
def confirm(
    model_id: ModelId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Agree, as the second person: its score counts, and the champion before is retired."""
    body = signed(by, code, words)
    _tell(_moved(api_of(url, ca, token_file), model_id, "confirm", body))


@app.command()
def reject(
    model_id: ModelId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Disagree, as the second person: it stays the challenger."""
    body = signed(by, code, words)
    _tell(_moved(api_of(url, ca, token_file), model_id, "reject", body))


@app.command()
def retire(
    model_id: ModelId, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words
) -> None:
    """Take a model that is not the champion out of use."""
    _tell(_moved(api_of(url, ca, token_file), model_id, "retire", {"by": by, "words": words}))


@app.command()
def compare(database: Database, days: Days = 30, until: Until = None) -> None:
    """What champion and challenger said of the same payments, and who was right. Exit code 1: they
    have scored none together."""
    from backend.db.reading import Reader
    from backend.risk.judging.repository import DecisionRepository
    from backend.risk.models.comparison import compare as compared
    from backend.risk.models.payments_repository import TrainingRepository

    begin_ms, end_ms = span_ms(end_of(until), days=days)
    with Reader.opened(database) as reader:
        scored = DecisionRepository(reader).challenged(from_ms=begin_ms, until_ms=end_ms)
        labels = TrainingRepository(reader).labels(until_ms=end_ms)
        found = compared(scored, labels, until_ms=end_ms)
    for pair in found:
        title = f"{pair.payments:,} payments, {pair.frauds:,} frauds, {pair.honest:,} honest"
        table = Table("", "champion", "challenger", title=title)
        sides = (pair.champion, pair.challenger)
        table.add_row("model", *(side.model_id[:12] for side in sides))
        for name in _FIGURES:
            table.add_row(name, *(_figure(getattr(side, name)) for side in sides))
        table.add_row("mean distance", "", _figure(pair.moved))
        draw(table)
    if not found:
        typer.echo("no payment was scored by both")
    raise typer.Exit(0 if found else 1)


def _moved(api: JsonApi, model_id: str, command: str, body: dict[str, str]) -> dict[str, Any]:
    path = f"{_PATH}/{quote(model_id, safe='')}/{command}"
    row: dict[str, Any] = api.post(path, body)
    return row


def _tell(model: dict[str, Any]) -> None:
    typer.echo(f"{model['model_id']}: {model['state']}")


def _figure(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.4f}" if isinstance(value, float) else f"{value}"
