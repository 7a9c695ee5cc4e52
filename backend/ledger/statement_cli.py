"""``tillway ledger balance``, ``statement`` and ``follow``."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from backend.clock import SystemClock
from backend.db.engine import open_engine
from backend.db.group_commit import GroupCommitWriter
from backend.db.open_store import open_store
from backend.db.option import Database
from backend.db.reading import Reader
from backend.ledger.derived_repository import DerivedRepository, forget
from backend.ledger.limits import STATEMENT_ENTRIES_MAX
from backend.ledger.projection import FollowChain, groups_behind, next_step
from backend.ledger.repository import LedgerRepository
from backend.ledger.statements import Place, Statement, Statements
from faces.tables import draw
from protocol.errors import CallerError

_S = 1000
_TIME = (
    "A date or time (2026-09-30, 2026-09-30T12:00:00+08:00; UTC if it says no zone) or epoch ms."
)


def add_to(app: typer.Typer) -> None:
    """Give the room's program these commands."""
    app.command()(balance)
    app.command()(statement)
    app.command()(follow)


def balance(
    account: str, database: Database, at: Annotated[str, typer.Option(help=_TIME)] = ""
) -> None:
    """What an account held at a time (now, if none is given), in minor units."""
    at_ms = _milliseconds(at) if at else SystemClock().now_ms()
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        found = _statements(connection).balance(account, at_ms)
    typer.echo(f"{found.balance_minor} ({found.available_minor} available)")


def statement(
    account: str,
    database: Database,
    from_: Annotated[str, typer.Option("--from", help=_TIME)],
    to: Annotated[str, typer.Option("--to", help=f"{_TIME} Not included.")],
    after: Annotated[str, typer.Option(help="Where the page before has ended.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=STATEMENT_ENTRIES_MAX)] = 100,
) -> None:
    """A page of an account's statement: opening balance, entries, closing balance."""
    place = Place.from_text(after) if after else None
    with Reader.opened(database) as reader, reader.snapshot() as connection:
        shown = _statements(connection).statement(
            account, _milliseconds(from_), _milliseconds(to), after=place, limit=limit
        )
    _print(shown)


def follow(
    database: Database,
    afresh: Annotated[bool, typer.Option(help="Throw the derived rows away first.")] = False,
) -> None:
    """Bring balances and the log up to what is posted now (a backend does it by itself)."""
    with Reader.opened(database) as reader:
        engine = open_engine(database)
        try:
            if afresh:
                with engine.begin() as connection:
                    forget(connection)
            groups = catch_up(reader, GroupCommitWriter(open_store(engine), clock=SystemClock()))
        finally:
            engine.dispose()
    typer.echo(f"{groups} groups followed")


def catch_up(reader: Reader, writer: GroupCommitWriter) -> int:
    """Follow what is there now, and close the writer; how many groups that was."""
    try:
        with reader.snapshot() as connection:
            behind = groups_behind(LedgerRepository(connection), DerivedRepository(connection))
        done, wanted = 0, sum(behind.values())
        while done < wanted and (step := _next(reader)) is not None:
            writer.apply([step])[0].value()
            done += step.groups
        return done
    finally:
        writer.close()


def _next(reader: Reader) -> FollowChain | None:
    with reader.snapshot() as connection:
        return next_step(LedgerRepository(connection), DerivedRepository(connection))


def _statements(connection: Any) -> Statements:  # noqa: ANN401
    return Statements(LedgerRepository(connection), DerivedRepository(connection))


def _milliseconds(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,15}", text):
        return int(text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CallerError("field_invalid", f"time {text!r}") from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * _S + aware.microsecond // _S


def _print(shown: Statement) -> None:
    table = Table("at", "transfer", "rule", "counter account", "amount", "balance", "available")
    for column in table.columns[4:]:
        column.justify = "right"
    opening, closing = shown.opening, shown.closing
    table.add_row("", "", "opening", "", "", *(f"{value}" for value in opening))
    for one in shown.entries:
        at = datetime.fromtimestamp(one.at_ms // _S, UTC).isoformat()
        table.add_row(
            at, one.transfer_id, one.rule, one.counter_account, f"{one.amount_minor}",
            f"{one.balance_minor}", f"{one.available_minor}",
        )  # fmt: skip
    table.add_row("", "", "closing", "", "", *(f"{value}" for value in closing))
    typer.echo(f"{shown.account_id}, minor units of {shown.currency}")
    draw(table)
    if shown.next_after is not None:
        typer.echo(f"more: --after {shown.next_after}")
