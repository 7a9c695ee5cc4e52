"""``tillway backend routing``: why a payment went through its channel, and how the channels are.

Reads only; works beside a running backend.
"""

import json
from datetime import UTC, datetime
from typing import Any

import typer
from rich.table import Table

from backend.clock import SystemClock
from backend.db.option import Database
from backend.db.reading import Reader
from backend.payments.repository import PaymentRepository
from backend.routing.repository import HealthRepository
from backend.routing.service import read_health
from faces.tables import draw

app = typer.Typer(help="Which channel takes a payment.", no_args_is_help=True)

_HEALTH = ("channel_id", "health", "silences", "openings", "reason")


@app.command()
def explain(database: Database, payment_id: str) -> None:
    """Show every decision about a payment's channel, the first on top. Exit code 1 if there is
    none: it was paid from the balance, or never got so far."""
    with Reader.opened(database) as reader:
        row = PaymentRepository(reader).payment(payment_id)
    if row is None or not row["routing"]:
        typer.echo(f"{payment_id}: no channel was chosen")
        raise typer.Exit(1)
    for decision in json.loads(row["routing"]):
        typer.echo(_told(decision))
        for one in decision["considered"]:
            typer.echo(_told_of(one))


@app.command()
def health(database: Database) -> None:
    """Show the breakers of the channels that something bad was ever heard of."""
    with Reader.opened(database) as reader:
        rows = HealthRepository(reader).all()
    table, now_ms = Table(*_HEALTH), SystemClock().now_ms()
    for channel_id, row in rows.items():
        breaker = read_health(row).at(now_ms)
        numbers = (str(breaker.silences), str(breaker.openings))
        table.add_row(channel_id, breaker.state.value, *numbers, row["reason"])
    draw(table)


def _told(decision: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(decision["at_ms"] // 1000, UTC).isoformat()
    return f"{at}: {decision['channel_id'] or 'no channel'}"


def _told_of(one: dict[str, Any]) -> str:
    yuan = f"{one['cost_micro'] // 1_000_000}.{one['cost_micro'] % 1_000_000:06d}"
    why = one["passed_over"] or "could take it"
    return f"  {one['channel_id']}: {why}, cost {yuan}, breaker {one['health']}"
