"""``tillway refund``: refunds of all merchants, by the filter that the console has; giving one."""

import secrets
from typing import Annotated, Any
from urllib.parse import quote

import typer

from backend.clock import SystemClock
from backend.listing.filters import minor_of
from backend.refunds.model import RefundState
from protocol import ids
from protocol.money import Money
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import save

app = typer.Typer(
    help="Find refunds of all merchants, and give money back.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_REFUNDS = "/operator/v1/refunds"
_STATES = [state for state in RefundState if state is not RefundState.ASKED]
"""Of those that are stored."""
_State = Annotated[str | None, listing.one_of(_STATES, "In this state.")]
_Who = Annotated[str, typer.Option(help="By whom: a part of the cashier's or the device's name.")]


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    merchant: listing.Merchant = "",
    store: listing.Store = "",
    who: _Who = "",
    state: _State = None,
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


@app.command()
def give(
    payment: Annotated[str, typer.Argument(help="The payment's number.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    amount: Annotated[str, typer.Option(help="How much goes back, as in 12.80.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    by: Annotated[str, typer.Option(help="Who says so; kept in the audit log.")] = "",
    refund_id: Annotated[
        str, typer.Option(help="Ask for this refund again: money goes back once.")
    ] = "",
) -> None:
    """Give money back to a payment's payer. The refund's number is told first: with it the same is
    asked again where the answer is lost."""
    api = api_of(url, ca, token_file)
    currency = api.get(f"/operator/v1/payments/{quote(payment, safe='')}")["currency"]
    wanted = {
        "refund_id": refund_id or _new_id(),
        "payment_id": payment,
        "amount_minor": minor_of(amount, currency),
        "currency": currency,
        "reason": reason,
        "by": by,
    }
    typer.echo(wanted["refund_id"])
    given = api.post(_REFUNDS, wanted)
    typer.echo(f"{given['state']}  {Money(given['amount_minor'], currency)}")


@app.command("csv")
def csv_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: listing.Out,
    merchant: listing.Merchant = "",
    store: listing.Store = "",
    who: _Who = "",
    state: _State = None,
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


def _new_id() -> str:
    now_ms, luck = SystemClock().now_ms(), secrets.token_bytes(ids.RANDOM_BYTES)
    return ids.mint(ids.REFUND, time_ms=now_ms, random_bytes=luck)


def _line(row: dict[str, Any]) -> str:
    amount = Money(row["amount_minor"], row["currency"])
    at, who = listing.moment(row["created_at_ms"]), row["cashier"] or row["device"]
    place = f"{row['merchant_id']} {row['store']} {who}"
    return f"{row['refund_id']}  {at}  {row['state']:<10} {amount}  {row['payment_id']}  {place}"
