"""``tillway risk large-value``: the reports that the law wants for their size alone."""

from pathlib import Path
from typing import Annotated

import typer

Transfers = Annotated[
    Path, typer.Option(exists=True, dir_okay=False, help="CSV or Parquet; see docs/risk-aml.md.")
]
Out = Annotated[Path, typer.Option(help="The CSV to write, a line a report.")]


def large_value(transfers: Transfers, out: Out) -> None:
    """Write a report for each customer, day, direction and standard that was reached."""
    from backend.clearing.calendar import Calendar
    from backend.risk.aml.large_value import large_value_reports
    from backend.risk.aml.transfers import read_transfers
    from backend.risk.tables_io import write_table
    from tillway.risk.paper import yuan

    reports = large_value_reports(
        read_transfers(transfers), business_day_after=Calendar().business_day_after
    )
    write_table(out, yuan(reports, "amount_minor", "amount"))
    typer.echo(f"{len(reports)} reports written to {out}")
