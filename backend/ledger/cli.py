"""``tillway ledger``: look at the ledger, and prove it."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from backend.db.option import Database
from backend.db.reading import Reader
from backend.ledger import model, proof_cli, statement_cli
from backend.ledger.limits import TRANSFERS_LISTED_MAX
from backend.ledger.repository import LedgerRepository, UndecodableError, UnreadableError
from backend.ledger.verify import Report, verify
from faces.tables import draw
from protocol.signed_note import NoteKey

app = typer.Typer(
    help="Look at the ledger and prove it.", add_completion=False, no_args_is_help=True
)
statement_cli.add_to(app)
proof_cli.add_to(app)

_Limit = Annotated[int, typer.Option(min=1, max=TRANSFERS_LISTED_MAX, help="Rows at most.")]


@app.command("verify")
def verify_command(
    database: Database,
    key: Annotated[
        list[str] | None, typer.Option(help="Public key that checkpoints may be signed by.")
    ] = None,
) -> None:
    """Prove guards, sums, balances, floors, the chain and checkpoints. Exit code 1 on a break."""
    trusted = [NoteKey.from_text(text).key for text in key or ()]
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        repository = LedgerRepository(connection)
        with Progress(
            "verifying", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True,
        ) as shown:  # fmt: skip
            task = shown.add_task("", total=_count(repository))
            report = verify(repository, lambda count: shown.advance(task, count), trusted=trusted)
    _print_report(report)
    if not report.is_whole:
        raise typer.Exit(1)


@app.command()
def accounts(database: Database, prefix: str = "", limit: _Limit = 1000) -> None:
    """List accounts (with this prefix of the id) and their balances in minor units."""
    table = Table("account", "side", "balance", "available", "held", "floor")
    for column in table.columns[2:]:
        column.justify = "right"
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        for row in LedgerRepository(connection).accounts(prefix, limit=limit):
            balance, available = model.balance(row), model.available(row)
            floor = "" if row["floor_minor"] is None else f"{row['floor_minor']}"
            table.add_row(
                row["id"], row["side"], f"{balance}", f"{available}",
                f"{balance - available}", floor,
            )  # fmt: skip
    draw(table)


@app.command()
def transfers(
    database: Database,
    event: Annotated[str | None, typer.Option(help="Of this payment, refund, … id.")] = None,
    account: Annotated[str | None, typer.Option(help="Of this account (reads all).")] = None,
    limit: _Limit = 100,
) -> None:
    """List transfers, newest first."""
    table = Table("transfer", "debit", "credit", "minor", "ccy", "rule", "kind", "group")
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        repository = LedgerRepository(connection)
        for row in repository.transfers(event_id=event, account_id=account, limit=limit):
            table.add_row(
                row["id"], row["debit"], row["credit"], f"{row['amount_minor']}",
                row["currency"], row["rule"], row["kind"], f"{row['chain']}/{row['group_seq']}",
            )  # fmt: skip
    draw(table)


def _count(repository: LedgerRepository) -> int | None:
    """How many transfers there are to verify, as far as a damaged store can tell."""
    try:
        with repository.reading_plainly():
            return repository.transfer_count()
    except (UnreadableError, UndecodableError):
        return None


def _print_report(report: Report) -> None:
    typer.echo(
        f"{report.transfers} transfers in {report.groups} groups, "
        f"{report.accounts} accounts, {report.holds} holds, "
        f"{report.balances} followed balances, {report.checkpoints} checkpoints"
    )
    for chain, (seq, digest) in sorted(report.ends.items()):
        typer.echo(f"chain {chain} ends at group {seq}: {digest}")
    for found in report.breaks:
        typer.echo(f"BREAK {found.kind} {found.where}: {found.why}")
    if report.first_bad_transfer is not None:
        typer.echo(f"first bad transfer: {report.first_bad_transfer}")
    typer.echo("the ledger is whole" if report.is_whole else "the ledger is BROKEN")
