"""The commands of ``tillway risk``. Each lives in a module of its own and imports its room when it
runs."""

import typer

from tillway.risk.aml import aml
from tillway.risk.cases import app as cases
from tillway.risk.devices import devices
from tillway.risk.drift import drift
from tillway.risk.evaluate import evaluate
from tillway.risk.explain import explain
from tillway.risk.labels import app as labels
from tillway.risk.large_value import large_value
from tillway.risk.lists import app as lists
from tillway.risk.models import app as models
from tillway.risk.replay import replay
from tillway.risk.reports import app as reports
from tillway.risk.rules import app as rules
from tillway.risk.screen import screen
from tillway.risk.tags import tags
from tillway.risk.train import train

app = typer.Typer(
    help="Judge payments, devices and accounts.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(cases, name="cases")
app.add_typer(labels, name="label")
app.add_typer(lists, name="lists")
app.add_typer(models, name="models")
app.add_typer(reports, name="reports")
app.add_typer(rules, name="rules")
app.command()(aml)
app.command()(devices)
app.command()(drift)
app.command()(evaluate)
app.command()(replay)
app.command()(screen)
app.command()(tags)
app.command()(explain)
app.command()(train)
app.command("large-value")(large_value)


@app.callback()
def main() -> None:
    """Judge payments, devices and accounts."""
