"""``tillway risk rules``: read, check and list rules, and the facts that they may read."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(help="Rules and the facts that they read.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Rules as TOML.")]


@app.command()
def check(file: File) -> None:
    """Check a file of rules: each is tried with the facts that must fire it and those that must
    not."""
    from backend.risk.rules.compiled import RuleSetError
    from backend.risk.rules.facts import FIELDS
    from backend.risk.rules.rule_file import read_rules
    from protocol.errors import CallerError

    try:
        written = read_rules(file.read_text("utf-8"), FIELDS)
    except (RuleSetError, UnicodeDecodeError) as error:
        raise CallerError("rule_invalid", f"{file.name}: {error}") from error
    typer.echo(f"{len(written)} rules are right")


@app.command("list")
def list_rules() -> None:
    """The rules that ship."""
    from backend.risk.rules.facts import FIELDS
    from backend.risk.rules.rule_file import shipped_rules

    table = Table("rule", "action", "severity", "when", "why")
    for written in shipped_rules(FIELDS):
        rule = written.rule
        table.add_row(rule.rule_id, rule.action, rule.severity, rule.when, rule.en)
    Console().print(table)


@app.command()
def facts() -> None:
    """The facts that a rule may read."""
    from backend.risk.rules.facts import FIELDS, PAYMENT_FACTS

    meanings = {fact.name: fact.meaning for fact in PAYMENT_FACTS}
    table = Table("fact", "type", "meaning")
    for name, kind in FIELDS.items():
        table.add_row(name, kind, meanings.get(name, "a feature, see backend/risk/features"))
    Console().print(table)
