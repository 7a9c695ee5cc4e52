"""``tillway risk aml``: which accounts look like laundering, day by day."""

import os
from pathlib import Path
from typing import Annotated

import typer

from backend.risk.limits import TABLE_INTEGER_MAX
from tillway.out_files import writing

Transfers = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="CSV or Parquet; see docs/risk-aml.md.")
]
Until = Annotated[
    int, typer.Option(min=1, max=TABLE_INTEGER_MAX, help="Labels before this day are learned from.")
]
From = Annotated[int, typer.Option(min=0, max=TABLE_INTEGER_MAX, help="The first day to judge.")]
Out = Annotated[Path, typer.Option(help="The CSV to write: account,day,score.")]
All = Annotated[bool, typer.Option("--all", help="Write every account-day, not only alerts.")]


def aml(
    transfers: Transfers,
    labels_until_day: Until,
    from_day: From,
    out: Out,
    *,
    is_all: All = False,
) -> None:
    """Learn from the cases known before a day and write the alerts of the days from another on."""
    # Else the threads of a boosted model spin while they wait for one that has no processor.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import polars as pl

    from backend.risk.aml.detection import score_account_days
    from backend.risk.aml.transfers import read_transfers
    from backend.risk.tables_io import table_file

    with writing(out), table_file(out, transfers) as write:
        scored = score_account_days(
            read_transfers(transfers), labels_until_day=labels_until_day, from_day=from_day
        )
        days = scored.days
        if not is_all:
            days = days.filter(pl.col("score") >= scored.alert_from)
        write(days.sort("score", "day", "account", descending=[True, False, False]))
    typer.echo(f"{len(days)} of {len(scored.days)} account-days written to {out}")
