"""``tillway risk label``: what is known of a payment, and a person's word about it."""

import secrets
import time
from typing import Annotated

import typer
from rich.table import Table

from faces.tables import draw
from protocol.errors import CallerError
from protocol.ids import LABEL, RANDOM_BYTES, mint
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.risk.moments import heading, told

app = typer.Typer(help="Labels of payments.", no_args_is_help=True)
_PATH = "/operator/v1/risk/labels"
_VERDICTS = {"fraud": True, "genuine": False}
_SHOWN = ("available_at_ms", "source", "origin", "actor", "reason")


@app.command()
def give(
    payment_id: str,
    verdict: Annotated[str, typer.Argument(help="fraud or genuine.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: Annotated[str, typer.Option(help="Who says it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Say what a payment was. From then on features and training know it; the latest word holds."""
    if verdict not in _VERDICTS:
        raise CallerError("field_invalid", f"verdict is one of {', '.join(_VERDICTS)}")
    body = new_label(payment_id, is_fraud=_VERDICTS[verdict], by=by, reason=reason)
    given = api_of(url, ca, token_file).post(_PATH, body)
    typer.echo(f"{given['origin']}: {payment_id} {verdict}")


@app.command()
def show(payment_id: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """What was said of a payment, the latest first: that one holds."""
    table = Table("verdict", *map(heading, _SHOWN))
    for row in api_of(url, ca, token_file).get(f"{_PATH}/{payment_id}")["labels"]:
        verdict = "fraud" if row["is_fraud"] else "genuine"
        table.add_row(verdict, *(told(name, row[name]) for name in _SHOWN))
    draw(table)


def new_label(payment_id: str, *, is_fraud: bool, by: str, reason: str) -> dict[str, object]:
    """A label as the backend takes it, under an id of its own."""
    label_id = mint(
        LABEL, time_ms=time.time_ns() // 1_000_000, random_bytes=secrets.token_bytes(RANDOM_BYTES)
    )
    return {"label_id": label_id, "payment_id": payment_id, "is_fraud": is_fraud,
            "by": by, "reason": reason}  # fmt: skip
