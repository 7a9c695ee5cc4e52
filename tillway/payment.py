"""``tillway payment``: payments of all merchants, by the filter that the console has."""

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from protocol.money import Money
from protocol.payment import PaymentState
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import save

app = typer.Typer(
    help="Find payments of all merchants, and look at one.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_PAYMENTS = "/operator/v1/payments"
_Device = Annotated[str, typer.Option(help="Of this device: id, or name of its store.")]
_State = Annotated[str | None, listing.one_of(PaymentState, "In this state.")]
_Day = Annotated[str, typer.Option(help="Settled with this business date.")]
_Number = Annotated[str, typer.Option(help="Of this number alone.")]


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    merchant: listing.Merchant = "",
    store: listing.Store = "",
    device: _Device = "",
    state: _State = None,
    amount: listing.Amount = "",
    since: listing.Since = "",
    until: listing.Until = "",
    day: _Day = "",
    number: _Number = "",
    after: listing.After = "",
    limit: listing.Limit = 50,
) -> None:
    """What they come to by state, and the newest, one a line."""
    asked = {
        "merchant": merchant, "store": store, "device": device, "state": state, "amount": amount,
        "since": since, "until": until, "day": day, "number": number, "after": after,
        "limit": f"{limit}",
    }  # fmt: skip
    listing.tell(api_of(url, ca, token_file), _PAYMENTS, asked, _line)


@app.command("csv")
def csv_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: listing.Out,
    merchant: listing.Merchant = "",
    store: listing.Store = "",
    device: _Device = "",
    state: _State = None,
    amount: listing.Amount = "",
    since: listing.Since = "",
    until: listing.Until = "",
    day: _Day = "",
) -> None:
    """The payments as a CSV file, the newest first, at most 100,000."""
    query = listing.query_of(
        merchant=merchant, store=store, device=device, state=state, amount=amount, since=since,
        until=until, day=day,
    )  # fmt: skip
    save(api_of(url, ca, token_file), f"{_PAYMENTS}/csv?{query}", out)
    typer.echo(f"{out}")


@app.command()
def show(number: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """All that is known of a payment: steps, attempts, refunds, disputes, verdict and routing."""
    found = api_of(url, ca, token_file).get(f"{_PAYMENTS}/{quote(number, safe='')}")
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _line(row: dict[str, Any]) -> str:
    amount = Money(row["amount_minor"], row["currency"])
    at = listing.moment(row["created_at_ms"])
    place = f"{row['merchant_id']} {row['store']} {row['device']}"
    return f"{row['payment_id']}  {at}  {row['state']:<18} {amount}  {place}".rstrip()
