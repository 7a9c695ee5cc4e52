"""A set of rules ready to judge: one payment at a time, or a history in columns."""

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from backend.risk.rules.language.columns import Column, Columns
from backend.risk.rules.language.fused import Fact, Hits, fuse
from backend.risk.rules.language.parser import Fields, parse_condition
from backend.risk.rules.language.tokens import RuleError
from backend.risk.rules.language.tree import Node, fields_of, size_of
from backend.risk.rules.limits import RULES_MAX


class Action(StrEnum):
    """What a hit asks for, the mildest first."""

    ALLOW = "allow"
    REVIEW = "review"
    """Take the payment, and let a person look at it."""
    CHALLENGE = "challenge"
    """Ask the payer for the PIN or a biometric."""
    LIMIT = "limit"
    """Refuse this amount; a smaller one may pass."""
    DECLINE = "decline"


class Severity(StrEnum):
    """How bad a hit is, for the queue of people."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule as it is written. ``zh`` and ``en`` tell a person why it hit."""

    rule_id: str
    when: str
    action: Action
    severity: Severity
    owner: str
    zh: str
    en: str
    tags: tuple[str, ...] = ()


class RuleSetError(ValueError):
    """A set that cannot be: names the rule, the place and the reason."""

    code = "rule_invalid"


class RulesTooLargeError(RuleSetError):
    """More than anybody may bring."""

    code = "rules_too_large"


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """Rules in their order. ``version`` names exactly this set: the hash of its text."""

    rules: tuple[Rule, ...]
    conditions: tuple[Node, ...]
    version: str
    _fused: tuple[tuple[int, Hits], ...]

    def row(self, facts: Sequence[Fact]) -> tuple[Rule, ...]:
        """The rules that hit. ``facts`` stand in the order of the fields; an unknown number is NaN,
        an unknown text or truth None."""
        return tuple([self.rules[number] for _, hits in self._fused for number in hits(facts)])

    def does_hit(self, number: int, facts: Sequence[Fact]) -> bool:
        """Whether the rule of this number hits; the others are hardly asked."""
        place = bisect_right(self._fused, number, key=itemgetter(0)) - 1
        return number in self._fused[place][1](facts)

    def columns(self, facts: Mapping[str, Column], rows: int) -> dict[str, NDArray[np.bool_]]:
        """For each rule, by its id, the rows that it hits."""
        table = Columns(facts, rows)
        return {
            rule.rule_id: table.is_true(condition)
            for rule, condition in zip(self.rules, self.conditions, strict=True)
        }

    @property
    def fields(self) -> frozenset[str]:
        """The facts that the rules read."""
        return frozenset().union(*(fields_of(condition) for condition in self.conditions))


def compile_rules(
    rules: Sequence[Rule], fields: Fields, *, parts_max: int | None = None
) -> CompiledRules:
    """Check and build a set; ``fields`` are the facts in the order of a row, ``parts_max`` how many
    parts all conditions may have. Raises ``RuleSetError``."""
    if len(rules) > RULES_MAX:
        raise RulesTooLargeError(f"more than {RULES_MAX} rules")
    seen: set[str] = set()
    conditions: list[Node] = []
    parts = 0
    for rule in rules:
        if rule.rule_id in seen:
            raise RuleSetError(f"{rule.rule_id}: the id is taken")
        seen.add(rule.rule_id)
        try:
            conditions.append(parse_condition(rule.when, fields))
        except RuleError as error:
            raise RuleSetError(f"{rule.rule_id}: {error}") from error
        parts += size_of(conditions[-1])
        if parts_max is not None and parts > parts_max:
            why = f"the conditions up to here have more than {parts_max} parts"
            raise RulesTooLargeError(f"{rule.rule_id}: {why}")
    text = json.dumps([asdict(rule) for rule in rules], sort_keys=True, ensure_ascii=False)
    return CompiledRules(
        tuple(rules),
        tuple(conditions),
        hashlib.sha256(text.encode()).hexdigest()[:16],
        tuple(fuse(conditions, {name: place for place, name in enumerate(fields)})),
    )
