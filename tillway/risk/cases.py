"""``tillway risk cases``: what the engine found, and what two people decide about it."""

import secrets
import time
from typing import Annotated, Any

import typer
from rich.table import Table

from backend.risk.cases.model import CaseState, Severity, Standing
from faces.tables import draw
from protocol.ids import CASE, RANDOM_BYTES, mint
from tillway import listing
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.risk.moments import heading, told
from tillway.risk.signing import Code, SignedBy, signed

app = typer.Typer(help="Cases of the risk engine.", no_args_is_help=True)
By = Annotated[str, typer.Option(help="Who does it.")]
Words = Annotated[str, typer.Option(help="Why.")]
_PATH = "/operator/v1/risk/cases"
_LISTED = (
    "case_id", "severity", "subject_kind", "subject_id", "reason", "state", "assignee", "standing",
)  # fmt: skip
_STEPS = ("number", "at_ms", "event", "state_before", "state_after", "actor", "words")


@app.command("list")
def list_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    standing: Annotated[str | None, listing.one_of(Standing, "Only these.")] = None,
    state: Annotated[str | None, listing.one_of(CaseState, "Only these.")] = None,
    severity: Annotated[str | None, listing.one_of(Severity, "Only these.")] = None,
    assignee: Annotated[str, typer.Option(help="Only those that this person looks into.")] = "",
    after: listing.After = "",
) -> None:
    """The cases that are not decided, the first due first."""
    asked = listing.query_of(
        standing=standing, state=state, severity=severity, assignee=assignee, after=after
    )
    found = api_of(url, ca, token_file).get(f"{_PATH}?{asked}")
    _show_rows(found["cases"])
    typer.echo("  ".join(f"{name}: {found[name]}" for name in ("undecided", "warned", "overdue")))
    if found["after"]:
        typer.echo(f"more: --after {found['after']}")


@app.command()
def of(payment_id: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The cases that a payment is in: about it, raised over it or labelling it; of its payer, card,
    device and merchant those that are not decided."""
    _show_rows(api_of(url, ca, token_file).get(f"{_PATH}/of-payment/{payment_id}")["cases"])


@app.command()
def show(case_id: str, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """One case, its steps and what is linked to it. Exit code 1: its steps were tampered with."""
    api = api_of(url, ca, token_file)
    row: dict[str, Any] = api.get(f"{_PATH}/{case_id}")
    events = row.pop("events")
    for name, value in row.items():
        typer.echo(f"{heading(name)}: {told(name, value)}")
    for step in events:
        typer.echo("  ".join(told(name, step[name]) for name in _STEPS))
    graph = api.get(f"{_PATH}/{case_id}/evidence")["graph"]
    for node in graph["nodes"]:
        more = " and more" if node["is_cut"] else ""
        typer.echo(f"{'  ' * node['hops']}{node['kind']} {node['id']}{more}")
    raise typer.Exit(0 if row["first_broken_event"] is None else 1)


@app.command("open")
def open_command(
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: By,
    subject: Annotated[str, typer.Option(help="payment, payer, device, card or merchant.")],
    subject_id: Annotated[str, typer.Option(help="Its id.")],
    reason: Annotated[str, typer.Option(help="What somebody must look at.")],
    severity: Annotated[str, typer.Option(help="critical, high, medium or low.")] = "medium",
) -> None:
    """Open a case by hand."""
    case_id = mint(
        CASE, time_ms=time.time_ns() // 1_000_000, random_bytes=secrets.token_bytes(RANDOM_BYTES)
    )
    body = {
        "case_id": case_id, "by": by, "subject": subject, "subject_id": subject_id,
        "reason": reason, "severity": severity,
    }  # fmt: skip
    _tell(api_of(url, ca, token_file).post(_PATH, body))


@app.command()
def assign(
    case_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: By,
    to: Annotated[str, typer.Option(help="Who looks into it; empty: back to the queue.")],
) -> None:
    """Give a case to a person."""
    body = {"by": by, "to": to}
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/{case_id}/assign", body))


@app.command()
def propose(
    case_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    outcome: Annotated[str, typer.Option(help="fraud, genuine, suspicious or inconclusive.")],
    words: Words,
    payment: Annotated[list[str] | None, typer.Option(help="Which it labels.")] = None,
    code: Code = "",
) -> None:
    """Say what it is, as the first of two persons."""
    body = signed(by, code, words) | {"outcome": outcome, "payments": payment or []}
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/{case_id}/propose", body))


@app.command()
def note(case_id: str, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words) -> None:
    """Say something about it; it stays as it is."""
    body = {"by": by, "words": words}
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/{case_id}/note", body))


@app.command()
def confirm(
    case_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Agree, as the second person: the case is decided, and its labels are given."""
    body = signed(by, code, words)
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/{case_id}/confirm", body))


@app.command()
def reject(
    case_id: str,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Disagree, as the second person: the case goes back to whoever looks into it."""
    body = signed(by, code, words)
    _tell(api_of(url, ca, token_file).post(f"{_PATH}/{case_id}/reject", body))


def _show_rows(rows: list[dict[str, Any]]) -> None:
    table = Table(*_LISTED)
    for row in rows:
        table.add_row(*(str(row[name]) for name in _LISTED))
    draw(table)


def _tell(case: dict[str, Any]) -> None:
    typer.echo(f"{case['case_id']}: {case['state']}")
