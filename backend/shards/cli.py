"""``tillway shards``: found the databases of a ledger over several, and prove them together."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from backend.clock import SystemClock, SystemEntropy
from backend.config import load
from backend.db.reading import Reader
from backend.shards.founding import check_addresses, found, own_place
from backend.shards.limits import FOUNDING_BYTES
from backend.shards.verify import ShardsReport, verify_shards

app = typer.Typer(
    help="The ledger over several databases.", add_completion=False, no_args_is_help=True
)

_Config = Annotated[
    Path | None, typer.Option("--config", help="The backend's TOML; ledger_shards names them.")
]


@app.command("found")
def found_command(config: _Config = None) -> None:
    """Make the databases of ledger_shards, in their order, the shards of one ledger. The number of
    shards and their order stay; again it changes nothing."""
    founding = SystemEntropy().token_bytes(FOUNDING_BYTES).hex()
    places = found(load(config).ledger_shards, founding=founding, clock=SystemClock())
    first = places[0].map
    typer.echo(f"{first.count} shards, founding {first.founding}, map epoch {first.epoch}")


@app.command()
def where(owner: str, config: _Config = None) -> None:
    """The number of the shard of a payer, a merchant or a merchant's sub-account."""
    urls = load(config).ledger_shards
    check_addresses(urls)
    typer.echo(f"{own_place(urls[0], urls).map.shard_of(owner)}")


@app.command("verify")
def verify_command(config: _Config = None) -> None:
    """Prove every shard, and every crossing on both of its sides. Exit code 1 on a break."""
    urls = load(config).ledger_shards
    check_addresses(urls)
    with ExitStack() as stack:
        report = verify_shards([stack.enter_context(Reader.opened(url)) for url in urls])
    _print_report(report)
    if not report.is_whole:
        raise typer.Exit(1)


def _print_report(report: ShardsReport) -> None:
    for number, shard in enumerate(report.shards):
        typer.echo(f"shard {number}: {shard.transfers} transfers, {shard.accounts} accounts")
        for found_break in shard.breaks:
            typer.echo(
                f"BREAK shard {number} {found_break.kind} {found_break.where}: {found_break.why}"
            )
    for found_break in report.breaks:
        typer.echo(f"BREAK {found_break.kind} {found_break.where}: {found_break.why}")
    under_way = ", ".join(f"{minor} {name}" for name, minor in report.under_way_minor.items())
    typer.echo(f"{report.crossings} crossings, under way: {under_way or 'nothing'}")
    typer.echo("the shards are whole" if report.is_whole else "the shards are BROKEN")
