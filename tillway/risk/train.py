"""``tillway risk train``: learn a model from the ledger's history and write its file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from backend.risk.models.limits import SEED_MAX
from faces.tables import draw
from protocol.errors import CallerError
from tillway.out_files import writing
from tillway.risk.period import Until, end_of, span_ms

Database = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_DATABASE_URL", help="SQLAlchemy URL; is only read.")
]
Out = Annotated[Path, typer.Option(help="The model's file to write, ….onnx.")]
Kind = Annotated[str, typer.Option(help="random_forest or decision_tree.")]
Days = Annotated[int, typer.Option(min=1, max=3_650, help="How many days of history to learn.")]
Seed = Annotated[
    int,
    typer.Option(min=0, max=SEED_MAX, help="The same history and seed give the same file."),
]


def train(
    database: Database,
    out: Out,
    kind: Kind = "random_forest",
    days: Days = 180,
    until: Until = None,
    seed: Seed = 0,
) -> None:
    """Train on the judged payments and on what became known of them."""
    from backend.db.reading import Reader
    from backend.risk.judging.repository import DecisionRepository
    from backend.risk.models.card import KINDS
    from backend.risk.models.ledger_inputs import ledger_inputs
    from backend.risk.models.onnx_file import read_model
    from backend.risk.models.payments_repository import TrainingRepository
    from backend.risk.models.train import Settings, TrainingError
    from backend.risk.models.train import train as learn

    if kind not in KINDS:
        raise CallerError("field_invalid", f"--kind is one of {', '.join(KINDS)}")
    end = end_of(until)
    begin_ms, end_ms = span_ms(end, days=days)
    console = Console(stderr=True)
    with console.status("reading the ledger …") as status, Reader.opened(database) as reader:
        history = TrainingRepository(reader)
        payments = history.payments(from_ms=begin_ms, until_ms=end_ms)
        labels = history.labels(until_ms=end_ms)
        kept = DecisionRepository(reader).vectors(from_ms=begin_ms, until_ms=end_ms)
        status.update(f"gathering the features of {len(payments):,} payments …")
        gathered = ledger_inputs(payments, labels, until_ms=end_ms, kept=kept)
        inputs = gathered.inputs
        status.update(f"training on {len(inputs.is_fraud):,} of them …")
        try:
            model = learn(
                inputs, Settings(kind=kind, seed=seed), trained_at=f"{end:%Y-%m-%dT%H:%M:%SZ}"
            )
        except TrainingError as error:
            raise CallerError("training_impossible", str(error)) from error
    with writing(out):
        out.write_bytes(model)
    card = read_model(model)
    table = Table("what", "value", title=out.name)
    origins = {"features as judged": gathered.kept_rows, "computed again": gathered.computed_rows}
    told = {"rows": card.rows, "frauds": card.frauds, **origins, **card.metrics}
    for name, value in told.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else f"{value:.4f}")
    draw(table)
