"""``tillway backend dead-letters``: callbacks that could not be delivered, and sending them again.

Works beside a running backend: a replay is one short transaction of its own.
"""

import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.reading import Reader
from backend.notify.limits import DEAD_LETTERS_PER_LIST_MAX
from backend.notify.repository import CallbackRepository
from backend.notify.service import ReplayCallback
from protocol.errors import TillwayError

app = typer.Typer(help="Callbacks that could not be delivered.", no_args_is_help=True)

_Database = Annotated[
    str, typer.Option("--database", envvar="TILLWAY_BACKEND_DATABASE_URL", help="SQLAlchemy URL.")
]


class _WallClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@app.command("list")
def list_command(
    database: _Database,
    limit: Annotated[int, typer.Option(min=1, max=DEAD_LETTERS_PER_LIST_MAX)] = 50,
) -> None:
    """Show dead letters, newest first."""
    with Reader.opened(database) as reader:
        rows = CallbackRepository(reader).dead_letters(limit)
    shown = ("callback_id", "merchant_id", "event_type", "failed_tries", "last_error", "url")
    table = Table(*shown)
    for row in rows:
        table.add_row(*(str(row[name]) for name in shown))
    Console().print(table)


@app.command()
def replay(database: _Database, callback_ids: list[str]) -> None:
    """Send dead letters again. Exit code 1 if one of them does not exist."""
    with Reader.opened(database):
        engine = open_engine(database)
    writer = GroupCommitWriter(open_store(engine), clock=_WallClock())
    try:
        outcomes = writer.apply([ReplayCallback(callback_id=one) for one in callback_ids])
    finally:
        writer.close()
        engine.dispose()
    for callback_id, outcome in zip(callback_ids, outcomes, strict=True):
        error = outcome.error
        word = error.advice.en if isinstance(error, TillwayError) else outcome.result
        typer.echo(f"{callback_id}: {word}")
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)
