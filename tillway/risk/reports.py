"""``tillway risk reports``: suspicious transactions, from the alert to what was filed."""

import secrets
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from backend.risk.aml.reports.model import ReportState
from faces.tables import draw
from protocol.ids import RANDOM_BYTES, REPORT, mint
from tillway import listing
from tillway.json_api import JsonApi
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.out_files import writing
from tillway.risk.moments import heading, told
from tillway.risk.signing import Code, SignedBy, signed

app = typer.Typer(help="Reports of suspicious transactions.", no_args_is_help=True)
By = Annotated[str, typer.Option(help="Who does it.")]
Words = Annotated[str, typer.Option(help="Why.")]
_PATH = "/operator/v1/risk/reports"
_LISTED = (
    "report_id", "subject_kind", "subject_id", "reason", "state", "analyst", "standing",
)  # fmt: skip
_STEPS = ("number", "at_ms", "event", "state_after", "actor", "words")


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    state: Annotated[str | None, listing.one_of(ReportState, "Only these.")] = None,
) -> None:
    """The reports that have not ended, the first due first."""
    found = api_of(url, ca, token_file).get(_PATH + (f"?state={state}" if state else ""))
    table = Table(*_LISTED)
    for row in found["reports"]:
        table.add_row(*(str(row[name]) for name in _LISTED))
    draw(table)


@app.command()
def show(
    report_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    out: Annotated[Path | None, typer.Option(help="Write the report's file here, too.")] = None,
) -> None:
    """One report and its steps. Exit code 1: its steps were tampered with."""
    api = api_of(url, ca, token_file)
    row: dict[str, Any] = api.get(f"{_PATH}/{report_id}")
    events = row.pop("events")
    for name, value in row.items():
        typer.echo(f"{heading(name)}: {told(name, value)}")
    for step in events:
        typer.echo("  ".join(told(name, step[name]) for name in _STEPS))
    if out is not None:
        _write(out, api, report_id)
    raise typer.Exit(0 if row["first_broken_event"] is None else 1)


@app.command("raise")
def raise_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: By,
    subject: Annotated[str, typer.Option(help="payer or merchant.")],
    subject_id: Annotated[str, typer.Option(help="Its id.")],
    reason: Annotated[str, typer.Option(help="What is suspicious.")],
    payment: Annotated[list[str], typer.Option(help="Which payments; may be repeated.")],
    case_id: Annotated[str, typer.Option(help="The case that it comes from.")] = "",
) -> None:
    """Raise an alert about some of a customer's payments."""
    report_id = mint(
        REPORT, time_ms=time.time_ns() // 1_000_000, random_bytes=secrets.token_bytes(RANDOM_BYTES)
    )
    body = {
        "report_id": report_id, "by": by, "subject": subject, "subject_id": subject_id,
        "reason": reason, "payments": payment, "case_id": case_id or None,
    }  # fmt: skip
    _tell(api_of(url, ca, token_file).post(_PATH, body))


@app.command()
def propose(
    report_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Analyse it, as the first of two persons: the words are the report's analysis."""
    _step(url, ca, token_file, f"{report_id}/analyse", **signed(by, code, words))


@app.command()
def approve(
    report_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Agree that it is suspicious, as the second person: it is to be filed."""
    _step(url, ca, token_file, f"{report_id}/confirm", **signed(by, code, words))


@app.command()
def dismiss(
    report_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Say that it is not suspicious, as the second person: kept with the reason."""
    _step(url, ca, token_file, f"{report_id}/dismiss", **signed(by, code, words))


@app.command("return")
def return_command(
    report_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Send it back to be analysed again, as the second person."""
    _step(url, ca, token_file, f"{report_id}/return", **signed(by, code, words))


@app.command()
def file(
    report_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: By,
    words: Words,
    receipt: Annotated[str, typer.Option(help="Under which number the AML centre has it.")],
    out: Annotated[Path | None, typer.Option(help="Write what was filed here, too.")] = None,
) -> None:
    """Say that an approved report was filed; what was filed is kept as it is now."""
    _step(url, ca, token_file, f"{report_id}/file", by=by, words=words, receipt=receipt)
    if out is not None:
        _write(out, api_of(url, ca, token_file), report_id)


def _write(out: Path, api: JsonApi, report_id: str) -> None:
    content = api.call("GET", f"{_PATH}/{report_id}/file")
    with writing(out):
        out.write_bytes(content)


def _step(url: str, ca: Path, token_file: Path, place: str, **body: str) -> None:
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/{place}", body))


def _tell(report: dict[str, Any]) -> None:
    typer.echo(f"{report['report_id']}: {report['state']}")
