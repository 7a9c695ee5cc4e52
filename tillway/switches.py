"""``tillway switch``: stop new payments of a merchant, of a device or through a channel, and let
them go on."""

from enum import StrEnum
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from faces.tables import list_lines
from tillway.json_api import JsonApi
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="Kill switches: stop new payments, and let them go on.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_SWITCHES = "/operator/v1/switches"
_Reason = Annotated[str, typer.Option(help="Why; kept in the audit log.")]
_By = Annotated[str, typer.Option(help="Who says so; kept in the audit log.")]


class CategoryName(StrEnum):
    """What the merchant is told of the reason."""

    COMPLAINTS = "complaints"
    RISK = "risk"
    PAPERS = "papers"
    FAULT = "fault"
    OTHER = "other"


_Category = Annotated[CategoryName, typer.Option(help="What the merchant is told of the reason.")]


class KindName(StrEnum):
    """What a switch is of."""

    MERCHANT = "merchant"
    DEVICE = "device"
    CHANNEL = "channel"


_Subject = Annotated[str, typer.Argument(help="The merchant's, device's or channel's name.")]


@app.command()
def stop(
    kind: KindName, subject: _Subject, url: Url, ca: Ca, token_file: TokenFile, reason: _Reason,
    category: _Category = CategoryName.OTHER, by: _By = "",
) -> None:  # fmt: skip
    """Refuse new payments from now on. Refunds, queries, reversals and what is under way go on."""
    _turn(
        kind,
        subject,
        "stop",
        api_of(url, ca, token_file),
        {"reason": reason, "category": category.value, "by": by},
    )


@app.command()
def start(
    kind: KindName, subject: _Subject, url: Url, ca: Ca, token_file: TokenFile, reason: _Reason,
    by: _By = "",
) -> None:  # fmt: skip
    """Take new payments again."""
    _turn(kind, subject, "start", api_of(url, ca, token_file), {"reason": reason, "by": by})


@app.command("list")
def list_command(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Every switch that was ever used, one a line; what is stopped comes first."""
    list_lines(map(_line, api_of(url, ca, token_file).get(_SWITCHES)["switches"]))


@app.command()
def find(
    kind: KindName, text: Annotated[str, typer.Argument(help="A part of its number or name.")],
    url: Url, ca: Ca, token_file: TokenFile,
) -> None:  # fmt: skip
    """What there is to stop: number and name (of a device: its store's), one a line."""
    query = urlencode({"kind": kind.value, "find": text})
    for one in api_of(url, ca, token_file).get(f"{_SWITCHES}/subjects?{query}")["subjects"]:
        typer.echo(f"{one['subject']:<24} {one['name']}".rstrip())


def _turn(kind: KindName, subject: str, command: str, api: JsonApi, wanted: dict[str, str]) -> None:
    path = f"{_SWITCHES}/{kind.value}/{quote(subject, safe='')}/{command}"
    typer.echo(_line(api.post(path, wanted)))


def _line(one: dict[str, object]) -> str:
    state = "stopped" if one["is_stopped"] else "open"
    return f"{one['kind']:<9} {one['subject']:<24} {state:<8} {one['actor']}: {one['reason']}"
