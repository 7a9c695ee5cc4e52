"""``tillway risk rules``: check rules and bring them to use."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from rich.table import Table

from faces.tables import draw
from protocol.clock import HOUR_MS
from tillway.json_api import JsonApi
from tillway.operator_place import Ca, TokenFile, Url, api_of
from tillway.risk.moments import heading, moment, told
from tillway.risk.signing import Code, SignedBy, signed

app = typer.Typer(help="Rules and the facts that they read.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Rules as TOML.")]
SetId = Annotated[str, typer.Argument(help="The set's id, the hash of its rules.")]
By = Annotated[str, typer.Option(help="Who says it.")]
Words = Annotated[str, typer.Option(help="Why.")]
Share = Annotated[int, typer.Option(min=1, max=10_000, help="In ten-thousandths of the payments.")]
_PATH = "/operator/v1/risk/rules"
_SETS = ("set_id", "state", "rule_count", "share_bps", "proposed_by")
_STEPS = ("number", "at_ms", "event", "state_before", "state_after", "share_bps", "actor", "words")
_SUPPRESSED = ("rule_id", "until_ms", "actor", "words")


@app.command()
def check(file: File) -> None:
    """Check a file of rules: each is tried with the facts that must fire it and those that must
    not."""
    typer.echo(f"{_checked(file)} rules are right")


def _checked(file: Path) -> int:
    """How many rules a file has; ``rule_invalid`` with the rule, the place and the reason, or
    ``rules_too_large``."""
    from backend.risk.rules.compiled import RuleSetError
    from backend.risk.rules.facts import FIELDS
    from backend.risk.rules.rule_file import read_bounded
    from protocol.errors import CallerError

    try:
        found = read_bounded(file.read_text("utf-8"), FIELDS)
    except UnicodeDecodeError as error:
        raise CallerError("rule_invalid", f"{file.name}: {error}") from error
    except RuleSetError as error:
        raise CallerError(error.code, f"{file.name}: {error}") from error
    return len(found.written)


@app.command("list")
def list_rules() -> None:
    """The guards, which stand before every set, and the rules that ship."""
    from backend.risk.rules.facts import FIELDS
    from backend.risk.rules.guards import guards
    from backend.risk.rules.rule_file import shipped_rules

    table = Table("rule", "action", "severity", "when", "why")
    for rule in (*guards().rules, *(written.rule for written in shipped_rules(FIELDS))):
        table.add_row(rule.rule_id, rule.action, rule.severity, rule.when, rule.en)
    draw(table)


@app.command()
def facts() -> None:
    """The facts that a rule may read."""
    from backend.risk.rules.facts import FIELDS, PAYMENT_FACTS

    meanings = {fact.name: fact.meaning for fact in PAYMENT_FACTS}
    table = Table("fact", "type", "meaning")
    for name, kind in FIELDS.items():
        table.add_row(name, kind, meanings.get(name, "a feature, see backend/risk/features"))
    draw(table)


@app.command()
def sets(url: Url, ca: Ca, token_file: TokenFile) -> None:
    """The backend's sets of rules, and what it judges with now."""
    found: dict[str, Any] = api_of(url, ca, token_file).get(_PATH)
    table = Table(*_SETS)
    for row in found["sets"]:
        table.add_row(*(str(row[name]) for name in _SETS))
    draw(table)
    for name in ("live", "candidate", "share_bps"):
        typer.echo(f"{name}: {found[name] or 'none'}")
    for row in found["suppressed"]:
        typer.echo("suppressed: " + "  ".join(told(name, row[name]) for name in _SUPPRESSED))
    for row in found["suppressions_proposed"]:
        until = moment(row["proposed_until_ms"])
        typer.echo(f"suppression proposed: {row['rule_id']}  {until}  {row['proposed_by']}")


@app.command()
def show(set_id: SetId, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """A set's state and steps."""
    row: dict[str, Any] = api_of(url, ca, token_file).get(f"{_PATH}/{set_id}")
    events = row.pop("events")
    row.pop("text")
    for name, value in row.items():
        typer.echo(f"{heading(name)}: {told(name, value)}")
    for step in events:
        typer.echo("  ".join(told(name, step[name]) for name in _STEPS))


@app.command()
def text(set_id: SetId, url: Url, ca: Ca, token_file: TokenFile) -> None:
    """A set's file; of "shipped": the rules that ship, to begin a set of one's own with."""
    typer.echo(api_of(url, ca, token_file).get(f"{_PATH}/{set_id}")["text"], nl=False)


@app.command()
def draft(file: File, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words) -> None:
    """Bring a file of rules as a draft; the answer names the set by the hash of its rules."""
    _checked(file)
    asked = urlencode({"by": by, "words": words})
    answer = api_of(url, ca, token_file).call(
        "POST", f"{_PATH}?{asked}", file.read_bytes(), "application/toml"
    )
    _tell(json.loads(answer))


@app.command()
def shadow(set_id: SetId, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words) -> None:
    """Let a set judge beside the live one and decide nothing; also takes a canary back."""
    _move(api_of(url, ca, token_file), set_id, "shadow", {"by": by, "words": words})


@app.command()
def canary(
    set_id: SetId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    share_bps: Share,
    code: Code = "",
) -> None:
    """Propose, as the first of two persons, that a set in shadow decides a share of payments."""
    body = signed(by, code, words) | {"share_bps": share_bps}
    _move(api_of(url, ca, token_file), set_id, "propose_canary", body)


@app.command("approve-canary")
def approve_canary(
    set_id: SetId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    share_bps: Share,
    code: Code = "",
) -> None:
    """Agree, as the second person, to the share that was proposed."""
    body = signed(by, code, words) | {"share_bps": share_bps}
    _move(api_of(url, ca, token_file), set_id, "confirm_canary", body)


@app.command()
def propose(
    set_id: SetId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Propose, as the first of two persons, that a canary decides all payments."""
    _move(api_of(url, ca, token_file), set_id, "propose_live", signed(by, code, words))


@app.command()
def approve(
    set_id: SetId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Agree, as the second person: the set is live, and the one before is retired."""
    _move(api_of(url, ca, token_file), set_id, "confirm_live", signed(by, code, words))


@app.command()
def reject(
    set_id: SetId,
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Disagree, as the second person: the set stays what it was."""
    _move(api_of(url, ca, token_file), set_id, "reject", signed(by, code, words))


@app.command()
def retire(set_id: SetId, url: Url, ca: Ca, token_file: TokenFile, by: By, words: Words) -> None:
    """Take a set that is not live out of use."""
    _move(api_of(url, ca, token_file), set_id, "retire", {"by": by, "words": words})


@app.command()
def suppress(
    rule_id: Annotated[str, typer.Argument(help="The rule's id.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    hours: Annotated[int, typer.Option(min=1, help="How long.")],
    code: Code = "",
) -> None:
    """Propose that the hits of a rule decide nothing for a while; a second person confirms it."""
    until_ms = now_ms() + hours * HOUR_MS
    body = signed(by, code, words) | {"rule_id": rule_id, "until_ms": until_ms}
    api_of(url, ca, token_file).post(f"{_PATH}/suppress", body)
    typer.echo(f"{rule_id}: proposed until {moment(until_ms)}")


@app.command()
def release(
    rule_id: Annotated[str, typer.Argument(help="The rule's id.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: By,
    words: Words,
) -> None:
    """Let a rule decide again, at once; what is proposed is dropped, too."""
    body = {"rule_id": rule_id, "by": by, "words": words}
    api_of(url, ca, token_file).post(f"{_PATH}/release", body)
    typer.echo(f"{rule_id}: decides")


@app.command("approve-suppression")
def approve_suppression(
    rule_id: Annotated[str, typer.Argument(help="The rule's id.")],
    url: Url,
    ca: Ca,
    token_file: TokenFile,
    by: SignedBy,
    words: Words,
    code: Code = "",
) -> None:
    """Agree, as the second person, to what ``rules sets`` shows as proposed."""
    api = api_of(url, ca, token_file)
    waiting = {row["rule_id"]: row for row in api.get(_PATH)["suppressions_proposed"]}
    until_ms = waiting[rule_id]["proposed_until_ms"] if rule_id in waiting else 0
    body = signed(by, code, words) | {"rule_id": rule_id, "until_ms": until_ms}
    api.post(f"{_PATH}/confirm_suppression", body)
    typer.echo(f"{rule_id}: suppressed until {moment(until_ms)}")


def now_ms() -> int:
    """The time of this machine."""
    return time.time_ns() // 1_000_000


def _move(api: JsonApi, set_id: str, command: str, body: Mapping[str, str | int]) -> None:
    _tell(api.post(f"{_PATH}/{set_id}/{command}", body))


def _tell(rule_set: dict[str, Any]) -> None:
    typer.echo(f"{rule_set['set_id']}: {rule_set['state']}")
