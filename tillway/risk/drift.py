"""``tillway risk drift``: has what a model sees moved from what it was trained on?"""

from bisect import bisect_left
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from faces.tables import draw
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from tillway.risk.period import Until, end_of, span_ms

Database = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_DATABASE_URL", help="SQLAlchemy URL; is only read.")
]
Model = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The model's file.")]
Days = Annotated[int, typer.Option(min=1, max=365, help="The days to look at, up to the end.")]

HISTORY_DAYS = 60
"""Read before the days that are looked at, so that the longest windows are full."""


def drift(database: Database, model: Model, days: Days = 7, until: Until = None) -> None:
    """Compare the latest payments with the training. Exit code 1: somebody should look."""
    from backend.db.reading import Reader
    from backend.risk.features.catalogue import PAYMENT
    from backend.risk.judging.repository import DecisionRepository
    from backend.risk.models.card import ModelError
    from backend.risk.models.ledger_inputs import ledger_vectors
    from backend.risk.models.monitor import drift_of
    from backend.risk.models.payments_repository import TrainingRepository
    from backend.risk.models.scorer import Scorer

    try:
        scorer = Scorer.load(model.read_bytes(), PAYMENT.digest)
    except ModelError as error:
        raise CallerError("model_refused", str(error)) from error
    begin_ms, end_ms = span_ms(end_of(until), days=days)
    history_ms = begin_ms - HISTORY_DAYS * DAY_MS
    with Reader.opened(database) as reader:
        history = TrainingRepository(reader)
        payments = history.payments(from_ms=history_ms, until_ms=end_ms)
        labels = history.labels(until_ms=end_ms)
        kept = DecisionRepository(reader).vectors(from_ms=begin_ms, until_ms=end_ms)
    first = bisect_left(payments, begin_ms, key=itemgetter("created_at_ms"))
    latest = ledger_vectors(payments, labels, kept=kept, first=first)
    found = drift_of(scorer.card, latest, scorer.score_many(latest).probability)
    table = Table("what", "index", "", title=f"{found.rows:,} payments of {days} days")
    for moved in (found.score, *found.features):
        table.add_row(moved.name, f"{moved.psi:.3f}", moved.word)
    draw(table)
    if not found.is_known:
        typer.echo("too few payments to say")
    raise typer.Exit(1 if found.is_alarming else 0)
