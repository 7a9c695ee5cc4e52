"""``tillway refund``: refunds of all merchants, by the filter that the console has."""

from typing import Annotated, Any

import typer

from protocol.money import Money
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import save

app = typer.Typer(
    help="Find refunds of all merchants.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_REFUNDS = "/operator/v1/refunds"
_Who = Annotated[str, typer.Option(help="By whom: a part of the cashier's or the device's name.")]


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    merchant: listing.Merchant = "",
    store: listing.Store = "",
    who: _Who = "",
    state: listing.State = "",
    amount: listing.Amount = "",
    since: listing.Since = "",
    until: listing.Until = "",
    after: listing.After = "",
    limit: listing.Limit = 50,
) -> None:
    """What they come to by state, and the newest, one a line."""
    asked = {
        "merchant": merchant, "store": store, "who": who, "state": state, "amount": amount,
        "since": since, "until": until, "after": after, "limit": f"{limit}",
    }  # fmt: skip
    listing.tell(api_of(url, ca, token_file), _REFUNDS, asked, _line)


@app.command("csv")
def csv_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: listing.Out,
    merchant: listing.Merchant = "",
    store: listing.Store = "",
    who: _Who = "",
    state: listing.State = "",
    amount: listing.Amount = "",
    since: listing.Since = "",
    until: listing.Until = "",
) -> None:
    """The refunds as a CSV file, the newest first, at most 100,000."""
    query = listing.query_of(
        merchant=merchant, store=store, who=who, state=state, amount=amount, since=since,
        until=until,
    )  # fmt: skip
    save(api_of(url, ca, token_file), f"{_REFUNDS}/csv?{query}", out)
    typer.echo(f"{out}")


def _line(row: dict[str, Any]) -> str:
    amount = Money(row["amount_minor"], row["currency"])
    at, who = listing.moment(row["created_at_ms"]), row["cashier"] or row["device"]
    place = f"{row['merchant_id']} {row['store']} {who}"
    return f"{row['refund_id']}  {at}  {row['state']:<10} {amount}  {row['payment_id']}  {place}"
