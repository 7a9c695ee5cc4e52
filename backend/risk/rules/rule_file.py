"""Rules as TOML: a ``[[rule]]`` each, with facts that fire it and facts that do not.

[[rule]]
id = "payer_too_many_1m"
when = "payer.count_1m >= 10.0"
action = "decline"
severity = "medium"
owner = "risk"
zh = "短时间内付款次数过多。"
en = "Too many payments within a minute."
tags = ["velocity"]
fires = {"payer.count_1m" = 10.0}
holds = {"payer.count_1m" = 9.0}
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from backend.risk.rules.compiled import (
    Action,
    CompiledRules,
    Rule,
    RuleSetError,
    RulesTooLargeError,
    Severity,
    compile_rules,
)
from backend.risk.rules.language.parser import Fields
from backend.risk.rules.language.tree import Type
from backend.risk.rules.limits import (
    EXACT_INTEGER_MAX,
    FILE_BYTES_MAX,
    RULE_ID_CHARS_MAX,
    SET_PARTS_MAX,
)

_TEXTS = ("id", "when", "action", "severity", "owner", "zh", "en")
_KEYS = {*_TEXTS, "tags", "fires", "holds"}
_KINDS: dict[Type, tuple[type, ...]] = {
    Type.INT: (int,),
    Type.DOUBLE: (float,),
    Type.STRING: (str,),
    Type.BOOL: (bool,),
}
Facts = Mapping[str, float | str | bool]


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule with the facts that must fire it and those that must not."""

    rule: Rule
    fires: Facts
    holds: Facts


@dataclass(frozen=True, slots=True)
class WrittenSet:
    """The rules of a file, ready to judge, and as they are written."""

    rules: CompiledRules
    written: tuple[WrittenRule, ...]


def read_bounded(text: str, fields: Fields) -> WrittenSet:
    """A set that somebody brings: no larger than a running backend should build. Raises
    ``RuleSetError``."""
    if len(text.encode()) > FILE_BYTES_MAX:
        raise RulesTooLargeError(f"more than {FILE_BYTES_MAX} bytes")
    return read_set(text, fields, parts_max=SET_PARTS_MAX)


def read_set(text: str, fields: Fields, *, parts_max: int | None = None) -> WrittenSet:
    """A set, each rule checked and tried. Raises ``RuleSetError``, naming the rule."""
    try:
        told = tomllib.loads(text)
    except RecursionError as error:
        raise RuleSetError("not TOML: nested too deep") from error
    except ValueError as error:  # also a number of some thousand digits, which is no TOML's error
        raise RuleSetError(f"not TOML: {error}") from error
    if set(told) != {"rule"} or not isinstance(told["rule"], list):
        raise RuleSetError("a file of rules holds [[rule]] and nothing else")
    written = [_written(number, one, fields) for number, one in enumerate(told["rule"], 1)]
    rules = compile_rules([one.rule for one in written], fields, parts_max=parts_max)
    for number, one in enumerate(written):
        _try(rules, number, one, fields)
    return WrittenSet(rules, tuple(written))


def shipped_text() -> str:
    """The rules that ship as one file, in the order of their files' names."""
    folder = files("backend.risk.rules").joinpath("shipped")
    return "\n".join(
        one.read_text("utf-8")
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".toml")
    )


def shipped_rules(fields: Fields) -> list[WrittenRule]:
    """The rules that ship; read once in a process, as no installation changes them."""
    return list(_shipped(tuple(fields.items())).written)


def shipped_set(fields: Fields) -> CompiledRules:
    """The rules that ship, ready to judge; built once in a process."""
    return _shipped(tuple(fields.items())).rules


@cache
def _shipped(fields: tuple[tuple[str, Type], ...]) -> WrittenSet:
    return read_set(shipped_text(), dict(fields))


def row_of(facts: Facts, fields: Fields) -> list[float | str | bool | None]:
    """Facts in the order of the fields; what is not told is unknown."""
    return [facts.get(name, math.nan if kind.is_number else None) for name, kind in fields.items()]


def _written(number: int, told: object, fields: Fields) -> WrittenRule:
    if not isinstance(told, dict):
        raise RuleSetError(f"rule {number}: not a table")
    name = str(told.get("id", f"rule {number}"))
    wrong = sorted(set(told) ^ _KEYS - {"tags"} if "tags" not in told else set(told) ^ _KEYS)
    if wrong:
        raise RuleSetError(f"{name}: {wrong[0]!r} is missing or unknown")
    for key in _TEXTS:
        if not isinstance(told[key], str) or not told[key]:
            raise RuleSetError(f"{name}: {key} is not a text")
    _check_id(name)
    try:
        action, severity = Action(told["action"]), Severity(told["severity"])
    except ValueError as error:
        raise RuleSetError(f"{name}: {error}") from error
    rule = Rule(
        rule_id=told["id"],
        when=told["when"],
        action=action,
        severity=severity,
        owner=told["owner"],
        zh=told["zh"],
        en=told["en"],
        tags=_tags(name, told.get("tags", [])),
    )
    return WrittenRule(
        rule, _facts(name, told["fires"], fields), _facts(name, told["holds"], fields)
    )


def _check_id(rule_id: str) -> None:
    """A decision keeps the ids of the rules that hit joined by blanks, those of another set behind
    its version and a colon; and a case has one for its reason."""
    if len(rule_id) > RULE_ID_CHARS_MAX:
        raise RuleSetError(f"{rule_id[:20]}…: the id is longer than {RULE_ID_CHARS_MAX} characters")
    if any(character == ":" or character.isspace() for character in rule_id):
        raise RuleSetError(f"{rule_id}: an id has neither blanks nor colons")


def _tags(name: str, told: object) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(tag, str) for tag in told):
        raise RuleSetError(f"{name}: tags are a list of texts")
    return tuple(told)


def _facts(name: str, told: object, fields: Fields) -> Facts:
    if not isinstance(told, dict):
        raise RuleSetError(f"{name}: fires and holds are tables of facts")
    for fact, value in told.items():
        kind = fields.get(fact)
        if kind is None:
            raise RuleSetError(f"{name}: there is no fact {fact!r}")
        if type(value) not in _KINDS[kind]:
            raise RuleSetError(f"{name}: {fact} is a {kind}, not {value!r}")
        if type(value) is int and abs(value) > EXACT_INTEGER_MAX:
            raise RuleSetError(f"{name}: {fact} is a whole number beyond 2^53")
    return told


def _try(rules: CompiledRules, number: int, written: WrittenRule, fields: Fields) -> None:
    for facts, wanted in ((written.fires, True), (written.holds, False)):
        if rules.does_hit(number, row_of(facts, fields)) is not wanted:
            what = "does not fire on its fires" if wanted else "fires on its holds"
            raise RuleSetError(f"{written.rule.rule_id}: {what}")
