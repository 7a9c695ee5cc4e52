"""What a set of rules would have done to a history. Pure.

Rule 1: a payment is fraud, honest or not known yet; what is not known counts for neither precision
        nor recall.
Rule 2: money is saved where a fraud would have been stopped (challenged, limited or declined). A
        review lets the payment pass, so it saves none.
Rule 3: what was known of a payment besides its features is what its decision kept. A fact that the
        history does not have is unknown, as it would be online; the report names those that the
        rules ask for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.risk.features.catalogue import PAYMENT
from backend.risk.models.ledger_inputs import HONEST_AFTER_MS, ledger_vectors
from backend.risk.rules.compiled import Action, CompiledRules
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.language.columns import Column, Texts
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.language.tree import Type
from backend.risk.rules.limits import REPLAY_CHUNK_ROWS
from protocol.clock import DAY_MS

Mask = NDArray[np.bool_]
STOPS = frozenset({Action.CHALLENGE, Action.LIMIT, Action.DECLINE})
WHOLE = "all rules"
FactsOf = Callable[[Sequence[str]], Mapping[str, Mapping[str, Fact]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Payments in columns of one length. ``verdict``: 1 fraud, 0 honest, -1 not known yet."""

    facts: Mapping[str, Column]
    amount_minor: NDArray[np.int64]
    verdict: NDArray[np.int8]


@dataclass(slots=True, kw_only=True)
class Figures:
    """What one rule, or the whole set, hit."""

    rule_id: str
    action: str
    frauds_all: int = 0
    """Frauds of the history, hit or not."""
    hits: int = 0
    frauds: int = 0
    honest: int = 0
    fraud_minor: int = 0
    honest_minor: int = 0
    saved_minor: int = 0
    also_live: int = 0
    """Hits that a rule of the live set hits, too."""

    @property
    def precision(self) -> float | None:
        """The share of fraud among the hits that are known; None where none is."""
        known = self.frauds + self.honest
        return self.frauds / known if known else None

    @property
    def recall(self) -> float | None:
        """The share of the frauds that was hit; None where there is none."""
        return self.frauds / self.frauds_all if self.frauds_all else None

    def alerts_per_day(self, days: float) -> float:
        """How many hits a day brings."""
        return self.hits / days

    def add(self, mask: Mask, history: History, live: Mask, *, is_stopped: Mask) -> None:
        """Count the hits of a part of the history; ``is_stopped``: those that were stopped."""
        fraud, honest = history.verdict == 1, history.verdict == 0
        self.frauds_all += int(np.count_nonzero(fraud))
        self.hits += int(np.count_nonzero(mask))
        self.also_live += int(np.count_nonzero(mask & live))
        self.frauds += int(np.count_nonzero(mask & fraud))
        self.honest += int(np.count_nonzero(mask & honest))
        self.fraud_minor += int(history.amount_minor[mask & fraud].sum())
        self.honest_minor += int(history.amount_minor[mask & honest].sum())
        self.saved_minor += int(history.amount_minor[is_stopped & fraud].sum())


@dataclass(slots=True)
class Replay:
    """Takes a history part by part."""

    rules: CompiledRules
    live: CompiledRules
    whole: Figures = field(init=False)
    each: dict[str, Figures] = field(init=False)
    payments: int = 0
    known: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.whole = Figures(rule_id=WHOLE, action="")
        self.each = {
            rule.rule_id: Figures(rule_id=rule.rule_id, action=rule.action.value)
            for rule in self.rules.rules
        }

    @property
    def unknown(self) -> frozenset[str]:
        """Facts that the rules ask for and no part of the history has."""
        return self.rules.fields - self.known if self.payments else frozenset()

    @property
    def fields(self) -> frozenset[str]:
        """All facts that are asked for."""
        return self.rules.fields | self.live.fields

    def add(self, history: History) -> None:
        """Judge a part of the history."""
        rows = len(history.verdict)
        self.payments += rows
        self.known |= history.facts.keys()
        facts = _filled(history.facts, self.fields, rows)
        live = _alarms(self.live, self.live.columns(facts, rows), rows)
        masks = self.rules.columns(facts, rows)
        nothing, stopped = np.zeros(rows, np.bool_), np.zeros(rows, np.bool_)
        for rule in self.rules.rules:
            mask, stops = masks[rule.rule_id], rule.action in STOPS
            self.each[rule.rule_id].add(mask, history, live, is_stopped=mask if stops else nothing)
            if stops:
                stopped |= mask
        self.whole.add(_alarms(self.rules, masks, rows), history, live, is_stopped=stopped)


def _alarms(rules: CompiledRules, masks: Mapping[str, Mask], rows: int) -> Mask:
    """The rows that any rule hits that does more than allow."""
    found = np.zeros(rows, np.bool_)
    for rule in rules.rules:
        if rule.action is not Action.ALLOW:
            found |= masks[rule.rule_id]
    return found


def _filled(facts: Mapping[str, Column], wanted: frozenset[str], rows: int) -> dict[str, Column]:
    empty: dict[Type, Column] = {
        Type.INT: np.full(rows, np.nan),
        Type.DOUBLE: np.full(rows, np.nan),
        Type.BOOL: np.full(rows, -1, np.int8),
        Type.STRING: Texts(np.full(rows, -1), ()),
    }
    return {name: empty[FIELDS[name]] for name in wanted - set(facts)} | dict(facts)


def replay_ledger(
    run: Replay,
    payments: Sequence[Mapping[str, Any]],
    labels: Sequence[Mapping[str, Any]],
    *,
    kept: Mapping[str, bytes],
    facts_of: FactsOf,
    from_ms: int,
    until_ms: int,
) -> None:
    """Judge the ledger's payments from ``from_ms`` on, with the features that each had when it was
    made; those before only fill the features' windows. Rows as in ``TrainingRepository``, ``kept``
    as in ``ledger_inputs``; ``facts_of``: what else was known of payments, by their ids."""
    at = np.array([payment["created_at_ms"] for payment in payments], np.int64)
    first = int(np.searchsorted(at, from_ms))
    vectors = ledger_vectors(payments, labels, kept=kept, first=first)
    verdict = _verdicts(payments, labels, at, until_ms)[first:]
    judged, asked = payments[first:], run.fields - set(PAYMENT.names)
    for begin in range(0, len(vectors), REPLAY_CHUNK_ROWS):
        part = slice(begin, begin + REPLAY_CHUNK_ROWS)
        rows = judged[part]
        amount = np.array([payment["amount_minor"] for payment in rows], np.int64)
        features = zip(PAYMENT.names, np.ascontiguousarray(vectors[part].T), strict=True)
        told = facts_of([payment["payment_id"] for payment in rows])
        facts = {
            **dict(features),
            **_columns([told.get(payment["payment_id"], {}) for payment in rows], asked),
            "payment.amount_minor": amount.astype(np.float64),
        }
        run.add(History(facts=facts, amount_minor=amount, verdict=verdict[part]))


def _columns(facts: Sequence[Mapping[str, Fact]], names: Iterable[str]) -> dict[str, Column]:
    """The facts of these names that are known of any payment, a column each."""
    found: dict[str, Column] = {}
    for name in names:
        values = [one.get(name) for one in facts]
        if any(value is not None and value == value for value in values):  # NaN
            found[name] = _column(FIELDS[name], values)
    return found


def _column(kind: Type, values: Sequence[Fact]) -> Column:
    if kind is Type.STRING:
        return Texts.of([None if value is None else str(value) for value in values])
    if kind is Type.BOOL:
        return np.array([-1 if value is None else int(bool(value)) for value in values], np.int8)
    return np.array([np.nan if value is None else float(value) for value in values])


def _verdicts(
    payments: Sequence[Mapping[str, Any]],
    labels: Sequence[Mapping[str, Any]],
    at: NDArray[np.int64],
    until_ms: int,
) -> NDArray[np.int8]:
    """What is known by ``until_ms``: the latest label of a payment holds, and an old payment of
    which nothing became known was honest."""
    row_of = {payment["payment_id"]: row for row, payment in enumerate(payments)}
    verdict = np.where(at < until_ms - HONEST_AFTER_MS, 0, -1).astype(np.int8)
    for label in labels:
        if label["payment_id"] in row_of:
            verdict[row_of[label["payment_id"]]] = int(bool(label["is_fraud"]))
    return verdict


def days_between(from_ms: int, until_ms: int) -> float:
    """The days of a span."""
    return (until_ms - from_ms) / DAY_MS
