"""The engine's memory and rules, in one program. Pure: no clock, no database.

Rule 1: an attempt is judged by what is durable. ``judge`` measures and leaves no trace;
``remember`` is told after the commit, so a group that is undone leaves none either. Attempts of one
group, milliseconds apart, do not see each other here: the exact count of a payer's attempts is kept
in the database (``backend.risk.service``).
Rule 2: what was remembered (``remembered``, ``shared_memory``) is told again at the start, from the
stored decisions.
Rule 3: features that cannot be computed leave the rules with what is known of the attempt, and are
marked ``features_failed``; so it is with the model (``scoring``): never silently open.
Rule 4: each stage has a deadline. Features that are not there by then are unknown
(``features_late``), a score that is not there is done without (``scoring``), and rules that decide
nothing are not asked (``rules_late``).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from math import nan

from backend.risk.features.catalogue import PAYMENT
from backend.risk.features.stream import EventError
from backend.risk.judging.limits import (
    FEATURES_NS_MAX,
    RULES_NS_MAX,
)
from backend.risk.judging.live import LIVE_BY_DEFAULT
from backend.risk.judging.model import Attempt, Decision, decide, rule_row
from backend.risk.judging.remembered import Memory, Remembered, Tried, Word
from backend.risk.judging.scoring import Scored, Scoring
from backend.risk.rules.compiled import CompiledRules, Rule
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.in_use import RulesInUse
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.rule_file import shipped_set

UNKNOWN = [nan] * len(PAYMENT.features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A decision and what it was made from: the features, none if they could not be computed; the
    facts besides them; the model's score, or which part failed; and the challenger's, by which
    nothing was decided. ``late``: the stages that were cut short, or that knew too little."""

    decision: Decision
    vector: Sequence[float]
    facts: Mapping[str, Fact]
    scored: Scored
    challenged: Scored
    late: tuple[str, ...] = ()

    @property
    def trouble(self) -> str:
        """The parts that failed or were cut short, joined by blanks."""
        return " ".join([*self.late, *([self.scored.trouble] if self.scored.trouble else [])])


class RiskDesk:
    """Judges attempts. One task at a time: the writer's thread, once it runs."""

    def __init__(
        self,
        live: Collection[str] = LIVE_BY_DEFAULT,
        *,
        scoring: Scoring | None = None,
        challenger: Scoring | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.scoring = scoring or Scoring()
        self.challenger = challenger or Scoring(name="challenger")
        self.shipped: CompiledRules = shipped_set(FIELDS)
        known = {rule.rule_id for rule in self.shipped.rules}
        unknown = sorted(set(live) - known)
        if unknown:
            raise ValueError(f"there is no rule {unknown[0]!r} to be live")
        self.live = frozenset(live)
        self._in_use = RulesInUse(live=self.shipped, live_only=self.live)
        self.memory: Memory = memory or Remembered(PAYMENT)
        self._number = 0

    def next_number(self) -> int:
        """The place of a decision among those of one millisecond."""
        self._number += 1
        return self._number

    def judge(self, attempt: Attempt, facts: Mapping[str, Fact]) -> Judgement:
        """Judge an attempt by what is remembered and these facts; nothing is remembered yet."""
        clock, watch = self.scoring.monotonic_ns, self.scoring.watch
        begin_ns = clock()
        features = _Deadline(clock, begin_ns + FEATURES_NS_MAX)
        vector = self._measured(attempt, features)
        watch.risk_took("features", clock() - begin_ns)
        scored = self.scoring.score(vector) if vector else Scored(trouble="features_failed")
        facts = {**facts, "model.probability": scored.probability}
        begin_ns = clock()
        row = known_row(attempt, facts, vector)
        rules = _Deadline(clock, begin_ns + RULES_NS_MAX)
        found = self._in_use.judge(
            attempt.payment_id, row, now_ms=attempt.at_ms, is_over=rules.is_over
        )
        watch.risk_took("rules", clock() - begin_ns)
        challenged = self.challenger.score(vector) if vector else Scored()
        return Judgement(
            decision=decide(found), vector=vector, facts=facts, scored=scored,
            challenged=challenged, late=self._late(features_late=features, rules_late=rules),
        )  # fmt: skip

    def _late(self, **deadlines: "_Deadline") -> tuple[str, ...]:
        late = [name for name, deadline in deadlines.items() if deadline.has_passed]
        late += [self.memory.trouble] if self.memory.trouble else []
        for name in late:
            self.scoring.watch.risk_trouble(name)
        return tuple(late)

    def _measured(self, attempt: Attempt, deadline: "_Deadline") -> Sequence[float]:
        try:
            return self.memory.measure(attempt.at_ms, attempt.row, deadline.is_over)
        except EventError:
            self.scoring.watch.risk_trouble("features_failed")
            return ()

    def use(self, rules: RulesInUse) -> None:
        """Judge by these rules from the next attempt on. From any thread."""
        self._in_use = rules

    def set_of(self, version: str) -> CompiledRules | None:
        """The set of this version, if it is one of those at hand."""
        at_hand = (self.shipped, self._in_use.live, self._in_use.candidate)
        return next((rules for rules in at_hand if rules and rules.version == version), None)

    def rule(self, rule_id: str) -> Rule | None:
        """A rule of the sets at hand, as the one that judges now has it."""
        at_hand = (self._in_use.live, self._in_use.candidate, self.shipped)
        rules = (rule for found in at_hand if found for rule in found.rules)
        return next((rule for rule in rules if rule.rule_id == rule_id), None)

    def remember(self, attempt: Attempt) -> None:
        """An attempt that could be measured is durable."""
        tried = Tried(attempt.attempt_id, attempt.payment_id, attempt.at_ms, attempt.row)
        self.memory.remember(tried)

    def learn(self, payment_id: str, *, is_fraud: bool, available_at_ms: int) -> None:
        """A label is durable."""
        self.memory.learn(Word(payment_id, is_fraud, available_at_ms))


class _Deadline:
    """When a stage is over, and whether anybody saw that it was."""

    __slots__ = ("_clock", "_until_ns", "has_passed")

    def __init__(self, clock: Callable[[], int], until_ns: int) -> None:
        self._clock, self._until_ns = clock, until_ns
        self.has_passed = False

    def is_over(self) -> bool:
        """Asked between the steps of a stage."""
        self.has_passed = self.has_passed or self._clock() > self._until_ns
        return self.has_passed


def known_row(
    attempt: Attempt, facts: Mapping[str, Fact], vector: Sequence[float]
) -> Sequence[Fact]:
    """All that rules may read of an attempt, in the order of the fields."""
    return rule_row({**facts, **attempt.facts()}, vector or UNKNOWN)
