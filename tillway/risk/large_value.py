"""``tillway risk large-value``: the reports that the law wants for their size alone."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocol.errors import CallerError
from tillway.out_files import writing

if TYPE_CHECKING:
    import polars as pl

    from backend.clearing.calendar import Calendar

Transfers = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="CSV or Parquet; see docs/risk-aml.md."),
]
Database = Annotated[
    str, typer.Option(help="Instead: our own ledger, by its SQLAlchemy URL; is only read.")
]
FirstDay = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The ledger's first day.")
]
LastDay = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last; the first if not given.")
]
Rates = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False,
                 help="date,currency,dollars: what foreign money is worth, for --transfers."),
]  # fmt: skip
CalendarFile = Annotated[
    Path | None,
    typer.Option("--calendar", envvar="TILLWAY_BACKEND_CALENDAR_FILE", exists=True, dir_okay=False,
                 help="The days off of years that no library knows, signed."),
]  # fmt: skip
CalendarKey = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_CALENDAR_KEY", help="Whose signature is beside it.")
]
Out = Annotated[Path, typer.Option(help="The CSV to write, a line a report.")]
_CURRENCY = "CNY"


def large_value(
    out: Out,
    transfers: Transfers = None,
    database: Database = "",
    first_day: FirstDay = None,
    last_day: LastDay = None,
    rates: Rates = None,
    calendar: CalendarFile = None,
    calendar_key: CalendarKey = "",
) -> None:
    """Write a report for each customer, day, direction and standard that was reached."""
    from backend.clearing.calendar_file import load_calendar
    from backend.risk.aml.exchange import NO_RATES, read_rates
    from backend.risk.aml.large_value import large_value_reports
    from backend.risk.aml.transfers import read_transfers
    from backend.risk.business_days import due_day
    from backend.risk.tables_io import table_file
    from protocol.signed_note import NoteKey
    from tillway.risk.paper import yuan

    if (transfers is None) == (not database):
        raise CallerError(
            "field_invalid", "either --transfers or --database",
            detail_zh="--transfers 与 --database 须给出其一",
        )  # fmt: skip
    known = load_calendar(calendar, NoteKey.from_text(calendar_key) if calendar_key else None)
    given = [path for path in (transfers, rates, calendar) if path is not None]
    with writing(out), table_file(out, *given) as write:
        if transfers is not None:
            table = read_transfers(transfers)
        else:
            table = _from_ledger(database, first_day, last_day or first_day)
        reports = large_value_reports(
            table,
            business_day_after=partial(due_day, known.is_business_day),
            rates=NO_RATES if rates is None else read_rates(rates),
        )
        write(yuan(reports, "amount_minor", "amount"))
    typer.echo(f"{len(reports)} reports written to {out}")
    if years := _unknown_years(reports, known):
        named = ", ".join(str(year) for year in years)
        typer.echo(f"注意：{named} 年的放假安排未知，逐日计为工作日，截止日只早不晚", err=True)
        typer.echo(
            f"warning: days off of {named} not known: each day counts there, no date is late",
            err=True,
        )


def _unknown_years(reports: "pl.DataFrame", calendar: "Calendar") -> list[int]:
    from backend.risk.business_days import is_known

    days = {day.replace(month=1, day=1) for day in (*reports["date"], *reports["due"])}
    return sorted(day.year for day in days if not is_known(calendar.is_business_day, day))


def _from_ledger(database: str, first: datetime | None, last: datetime | None) -> "pl.DataFrame":
    from backend.db.reading import Reader
    from backend.risk.aml.ledger_repository import LedgerMovements
    from backend.risk.aml.ledger_transfers import ledger_transfers

    if first is None or last is None or last < first:
        raise CallerError(
            "field_invalid", "--first-day and --last-day",
            detail_zh="须给出 --first-day 与 --last-day，且不得颠倒",
        )  # fmt: skip
    with Reader.opened(database) as reader:
        days = (first.date(), last.date())
        return ledger_transfers(LedgerMovements(reader).of_days(*days, currency=_CURRENCY))
