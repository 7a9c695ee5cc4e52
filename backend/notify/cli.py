"""``tillway backend dead-letters``: callbacks that could not be delivered, and sending them again.

Works beside a running backend: a replay is one short transaction of its own.
"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from backend.clock import SystemClock
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.option import Database
from backend.db.reading import Reader
from backend.notify.dead_letters import DeadLetters, replays_of
from backend.notify.limits import DEAD_LETTERS_PER_LIST_MAX
from backend.notify.model import DeadLetterFilter
from backend.notify.repository import CallbackRepository
from backend.notify.service import ReplayCallback
from faces.tables import draw
from protocol.errors import CallerError, TillwayError

app = typer.Typer(help="Callbacks that could not be delivered.", no_args_is_help=True)

_Merchant = Annotated[str | None, typer.Option("--merchant", help="Of this merchant only.")]
_EventType = Annotated[str | None, typer.Option("--event-type", help="Of this type only.")]
_Since = Annotated[datetime | None, typer.Option("--since", help="Given up then or later. In UTC.")]
_SHOWN = ("callback_id", "merchant_id", "event_type", "died", "last_error", "url")


@app.command("list")
def list_command(
    database: Database,
    merchant: _Merchant = None,
    event_type: _EventType = None,
    since: _Since = None,
    limit: Annotated[int, typer.Option(min=1, max=DEAD_LETTERS_PER_LIST_MAX)] = 50,
    after: Annotated[str, typer.Option(help="Where the last page ended.")] = "",
) -> None:
    """Show dead letters, the last given up first."""
    wanted = _filter(merchant, event_type, since)
    with Reader.opened(database) as reader:
        page = DeadLetters(CallbackRepository(reader)).page(wanted, limit=limit, after=after)
    table = Table(*_SHOWN)
    for row in page.rows:
        died = datetime.fromtimestamp(row["died_at_ms"] // 1000, UTC).isoformat()
        table.add_row(*(str({**row, "died": died}[name]) for name in _SHOWN))
    draw(table)
    if page.after:
        typer.echo(f"More: --after {page.after}")


@app.command()
def show(database: Database, callback_id: str) -> None:
    """Print a callback as JSON: its body (secrets masked) and every try, newest first."""
    with Reader.opened(database) as reader:
        shown = DeadLetters(CallbackRepository(reader)).shown(callback_id)
    sys.stdout.write(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")


@app.command()
def replay(
    database: Database,
    callback_ids: Annotated[list[str] | None, typer.Argument()] = None,
    merchant: _Merchant = None,
    event_type: _EventType = None,
    since: _Since = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Send dead letters again: those named, or those that match. Exit code 1 if one failed."""
    wanted = _filter(merchant, event_type, since)
    actor = f"cli:uid-{os.getuid()}"
    if bool(callback_ids) == (every or not wanted.is_all):
        raise CallerError("field_invalid", "name callbacks, or a filter, or --all")
    with Reader.opened(database) as reader:
        letters = DeadLetters(CallbackRepository(reader))
        commands = (
            replays_of(callback_ids, actor=actor)
            if callback_ids
            else letters.replays(wanted, actor=actor)
        )
        has_failed = _apply(database, commands)
        if not callback_ids:
            typer.echo(f"Dead letters that still match: {letters.count(wanted)}")
    if has_failed:
        raise typer.Exit(1)


def _apply(database: str, commands: list[ReplayCallback]) -> bool:
    """Carry the replays out, one line each; whether one of them failed."""
    engine = open_engine(database)
    writer = GroupCommitWriter(open_store(engine), clock=SystemClock())
    try:
        outcomes = writer.apply(commands)
    finally:
        writer.close()
        engine.dispose()
    for command, outcome in zip(commands, outcomes, strict=True):
        error = outcome.error
        refused = error.advice if isinstance(error, TillwayError) else None
        word = f"{refused.code}\n  {refused.zh}\n  {refused.en}" if refused else outcome.result
        typer.echo(f"{command.callback_id}: {word}")
    return any(outcome.error for outcome in outcomes)


def _filter(
    merchant: str | None, event_type: str | None, since: datetime | None
) -> DeadLetterFilter:
    from_ms = None if since is None else int(since.replace(tzinfo=UTC).timestamp()) * 1000
    return DeadLetterFilter(merchant_id=merchant, event_type=event_type, from_ms=from_ms)
