"""``tillway backend …``: make the state directory, run, look after it."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from backend import state
from backend.channels.signed_http import key_text
from backend.clock import SystemClock, SystemEntropy
from backend.config import load
from backend.disputes.cli import app as disputes
from backend.notify.cli import app as dead_letters
from backend.routing.cli import app as routing
from backend.sagas.cli import app as sagas
from backend.withdrawals.cli import app as withdrawals
from protocol.errors import CallerError
from transport import logs

app = typer.Typer(
    help="The payment backend.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(sagas, name="sagas")
app.add_typer(disputes, name="disputes")
app.add_typer(routing, name="routing")
app.add_typer(withdrawals, name="withdrawals")
_Config = Annotated[
    Path | None, typer.Option("--config", help="TOML file; TILLWAY_BACKEND_… goes above it.")
]


@app.command()
def init(config: _Config = None) -> None:
    """Make the state directory: CA, keys, and the operator token, which is shown this once.

    The public signing key is what institutions and merchants know us by.
    """
    settings = load(config)
    token = state.initialise(settings, entropy=SystemEntropy(), now_ms=SystemClock().now_ms())
    signing_key = key_text(state.read(settings).identity.signing_key.public)
    _say(
        {
            "state_dir": str(settings.state_dir),
            "operator_token": token,
            "signing_key": signing_key,
        }
    )


@app.command("operator-token")
def operator_token(config: _Config = None) -> None:
    """Make a new operator token; the old one ends when the backend starts next."""
    _say({"operator_token": state.renew_operator_token(load(config), entropy=SystemEntropy())})


@app.command()
def run(config: _Config = None) -> None:
    """Serve until SIGTERM. Prints one JSON line when ready."""
    # Imported here, because the other commands need a tenth of it.
    import uvloop

    from backend import serving

    logs.configure()
    settings = load(config)
    uvloop.run(serving.serve(settings, state.read(settings)))


@app.command()
def move(
    to: Annotated[Path, typer.Option(help="The TOML file with PostgreSQL's database_url.")],
    config: _Config = None,
) -> None:
    """Copy all rows from SQLite to an empty PostgreSQL database. The backend must not run."""
    from backend.db.move import move as copy_rows

    old, new = load(config), load(to)
    for option, settings in (("--config", old), ("--to", new)):
        if len(settings.ledger_shards) > 1:
            count = len(settings.ledger_shards)
            raise CallerError("database_sharded", f"{option}: ledger_shards names {count}")
    moved = copy_rows(old.url, new.url)
    _say({"tables": moved.tables, "rows": moved.rows})


@app.command()
def openapi(config: _Config = None) -> None:
    """Print the public interface as OpenAPI. Needs an initialised state directory."""
    from backend.openapi import describe

    logs.configure()  # to stderr: what is printed is the document alone
    settings = load(config)
    sys.stdout.write(json.dumps(describe(settings, state.read(settings)), indent=1) + "\n")


def _say(words: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
