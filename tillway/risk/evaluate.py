"""``tillway risk evaluate``: score the days of a history, looking at nothing that came later."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from backend.risk.limits import TABLE_INTEGER_MAX
from protocol.errors import CallerError
from tillway.out_files import writing

Transactions = Annotated[
    Path,
    typer.Option(
        help="CSV (also .csv.gz) or Parquet: tx_id, ts, t_sec, day, card_id, terminal_id, amount."
    ),
]
Labels = Annotated[
    Path,
    typer.Option(
        help="CSV (also .csv.gz) or Parquet: tx_id, fraud, available_at (seconds, as t_sec)."
    ),
]
FromDay = Annotated[
    int, typer.Option(min=0, max=TABLE_INTEGER_MAX, help="The first day to score, counted from 0.")
]
ToDay = Annotated[int, typer.Option(min=0, max=TABLE_INTEGER_MAX, help="The last day to score.")]
Out = Annotated[Path, typer.Option(help="CSV or Parquet to write: tx_id, score.")]


def evaluate(
    transactions: Transactions, labels: Labels, from_day: FromDay, to_day: ToDay, out: Out
) -> None:
    """Train on what is known before the first day, again as labels come, and score each row."""
    import numpy as np
    import polars as pl

    from backend.risk.evaluation.history import doubts, read_history
    from backend.risk.evaluation.inputs import features_of
    from backend.risk.evaluation.scoring import score_days
    from backend.risk.tables_io import table_file

    if to_day < from_day:
        raise CallerError(
            "field_invalid", "--to-day is before --from-day", detail_zh="--to-day 早于 --from-day"
        )
    console = Console(stderr=True)
    with writing(out), table_file(out, transactions, labels) as write:
        with console.status("reading …") as status:
            history = read_history(transactions, labels, to_day=to_day)
            status.update(f"computing the features of {len(history.tx_id):,} transactions …")
            found = score_days(
                history,
                features_of(history),
                from_day=from_day,
                to_day=to_day,
                on_day=lambda day: status.update(f"training for day {day} …"),
            )
        for doubt in doubts(history, from_day=from_day):
            for word in (f"注意：{doubt.zh}", f"warning: {doubt.en}"):
                console.print(word, style="yellow", highlight=False, soft_wrap=True)
        order = np.argsort(history.place[found.rows], kind="stable")
        rows = found.rows[order].tolist()
        write(pl.DataFrame({"tx_id": [history.tx_id[row] for row in rows],
                            "score": found.score[order]}))  # fmt: skip
    typer.echo(f"{len(rows):,} transactions scored, written to {out}")
