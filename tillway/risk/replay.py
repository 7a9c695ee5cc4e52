"""``tillway risk replay``: what would a set of rules have done to the ledger's payments?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from faces.tables import draw
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from tillway.risk.period import Until, end_of, span_ms

if TYPE_CHECKING:
    from backend.risk.rules.compiled import CompiledRules
    from backend.risk.rules.replay import Figures

Database = Annotated[
    str, typer.Option(envvar="TILLWAY_BACKEND_DATABASE_URL", help="SQLAlchemy URL; is only read.")
]
RulesFile = Annotated[
    Path | None,
    typer.Option("--rules", exists=True, dir_okay=False, help="TOML; the shipped ones if absent."),
]
Days = Annotated[int, typer.Option(min=1, max=365, help="The days to judge, up to the end.")]
LiveRules = Annotated[
    list[str] | None,
    typer.Option(
        "--live",
        help="A shipped rule that decides while no set is live, as risk_live_rules says; repeat.",
    ),
]

HISTORY_DAYS = 60
"""Read before the days that are judged, so that the longest windows are full."""
_COLUMNS = (
    "rule", "action", "hits", "a day", "precision", "recall", "saved", "fraud", "honest",
    "also live",
)  # fmt: skip


def replay(
    database: Database,
    rules: RulesFile = None,
    days: Days = 30,
    until: Until = None,
    live_rules: LiveRules = None,
) -> None:
    """Judge the history with rules: precision, recall, money (in the smallest unit), overlap with
    the live set and alerts a day, rule by rule."""
    from backend.db.reading import Reader
    from backend.risk.judging.repository import DecisionRepository
    from backend.risk.models.payments_repository import TrainingRepository
    from backend.risk.rules.replay import Replay, days_between, replay_ledger
    from backend.risk.rules.repository import RuleRepository

    from_ms, until_ms = span_ms(end_of(until), days=days)
    history_ms = from_ms - HISTORY_DAYS * DAY_MS
    with Reader.opened(database) as reader:
        repository, history = RuleRepository(reader), TrainingRepository(reader)
        decisions = DecisionRepository(reader)
        live_id = repository.roles(now_ms=until_ms).live
        live = repository.compiled(live_id) if live_id else _live_of_shipped(live_rules)
        run = Replay(_compiled(rules), live)
        replay_ledger(
            run,
            history.payments(from_ms=history_ms, until_ms=until_ms),
            history.labels(until_ms=until_ms),
            kept=decisions.vectors(from_ms=from_ms, until_ms=until_ms),
            facts_of=decisions.facts_of,
            from_ms=from_ms,
            until_ms=until_ms,
        )
    span = days_between(from_ms, until_ms)
    table = Table(*_COLUMNS, title=f"{run.payments:,} payments of {days} days")
    for found in (run.whole, *sorted(run.each.values(), key=lambda one: -one.hits)):
        table.add_row(*_cells(found, span))
    draw(table)
    if run.unknown:
        typer.echo(f"unknown in this history: {', '.join(sorted(run.unknown))}")


def _compiled(file: Path | None) -> "CompiledRules":
    from backend.risk.rules.compiled import RuleSetError
    from backend.risk.rules.facts import FIELDS
    from backend.risk.rules.rule_file import read_bounded, shipped_set

    if file is None:
        return shipped_set(FIELDS)
    try:
        return read_bounded(file.read_text("utf-8"), FIELDS).rules
    except UnicodeDecodeError as error:
        raise CallerError("rule_invalid", str(error)) from error
    except RuleSetError as error:
        raise CallerError(error.code, str(error)) from error


def _live_of_shipped(named: list[str] | None) -> "CompiledRules":
    """Those of the rules that ship which decide; the others are in shadow."""
    from backend.risk.judging.live import LIVE_BY_DEFAULT
    from backend.risk.rules.compiled import compile_rules
    from backend.risk.rules.facts import FIELDS
    from backend.risk.rules.rule_file import shipped_rules

    shipped = {written.rule.rule_id: written.rule for written in shipped_rules(FIELDS)}
    wanted = LIVE_BY_DEFAULT if named is None else named
    for rule_id in wanted:
        if rule_id not in shipped:
            raise CallerError("field_invalid", f"--live: no shipped rule {rule_id}")
    return compile_rules([rule for name, rule in shipped.items() if name in wanted], FIELDS)


def _cells(found: "Figures", days: float) -> list[str]:
    shares = ("-" if one is None else f"{one:.3f}" for one in (found.precision, found.recall))
    return [
        found.rule_id,
        found.action,
        f"{found.hits:,}",
        f"{found.alerts_per_day(days):.1f}",
        *shares,
        f"{found.saved_minor:,}",
        f"{found.fraud_minor:,}",
        f"{found.honest_minor:,}",
        f"{found.also_live:,}",
    ]
