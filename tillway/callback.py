"""``tillway callback``: what merchants' servers are told, by the filter that the console has."""

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from backend.notify.states import CallbackState
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of

app = typer.Typer(
    help="Find callbacks of all merchants, look at one, send it again.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_CALLBACKS, _ONE = "/operator/v1/callbacks", "/operator/v1/dead-letters"
_State = Annotated[str | None, listing.one_of(CallbackState, "In this state.")]
_Kind = Annotated[str, typer.Option(help="Of this event: payment.captured, refund.succeeded…")]
_Number = Annotated[str, typer.Argument(help="As `list` tells it.")]


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    merchant: listing.Merchant = "",
    state: _State = None,
    kind: _Kind = "",
    since: listing.Since = "",
    until: listing.Until = "",
    after: listing.After = "",
    limit: listing.Limit = 50,
) -> None:
    """Those written last, one a line: number, when, state, event, whose, and why not yet."""
    asked = {
        "merchant": merchant, "state": state, "kind": kind, "since": since, "until": until,
        "after": after, "limit": f"{limit}",
    }  # fmt: skip
    listing.tell(api_of(url, ca, token_file), _CALLBACKS, asked, _line)


@app.command()
def show(callback_id: _Number, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """One with every try and what it says; secrets are masked."""
    found = api_of(url, ca, token_file).get(_path(callback_id))
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


@app.command()
def replay(callback_id: _Number, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """Send one that was given up again, from the first gap on."""
    found = api_of(url, ca, token_file).post(f"{_path(callback_id)}/replay")
    typer.echo(f"{found['callback_id']} is {found['state']}")


def _path(callback_id: str) -> str:
    return f"{_ONE}/{quote(callback_id, safe='')}"


def _line(row: dict[str, Any]) -> str:
    at = listing.moment(row["created_at_ms"])
    told = f"{row['callback_id']}  {at}  {row['state']:<10} {row['event_type']:<24}"
    return f"{told} {row['merchant_id']}  {row['last_error']}".rstrip()
