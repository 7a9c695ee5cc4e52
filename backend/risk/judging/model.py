"""From facts to a decision. Pure.

Rule 1: the rules that are live decide; those in shadow are noted and decide nothing.
Rule 2: the hardest action of the live hits counts. A live *allow* outweighs *review* and
        *challenge*, and never *limit* or *decline*.
Rule 3: a challenge is met by a PIN or a biometric that came with the attempt; else the attempt is
        refused with what is lacking, and one under a mandate, which nobody is there to confirm, is
        declined.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from backend.risk.rules.compiled import Action, Rule
from backend.risk.rules.facts import PAYMENT_FACTS
from backend.risk.rules.in_use import Judgement
from backend.risk.rules.language.fused import Fact

HARD = frozenset({Action.DECLINE, Action.LIMIT})
_ORDER = {action: place for place, action in enumerate(Action)}
_ALLOW = Action.ALLOW
_UNKNOWN: tuple[tuple[str, Fact], ...] = tuple(
    (fact.name, nan if fact.type.is_number else None) for fact in PAYMENT_FACTS
)
"""The facts in their order, and what stands for one that is not known."""
_CAN_CONFIRM = frozenset({"payer_code", "merchant_code"})
"""Entries whose payer holds a wallet, in which a challenge can be met by the PIN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is known of an attempt to pay when it is judged. Empty text: there is none."""

    attempt_id: str
    payment_id: str
    at_ms: int
    amount_minor: int
    currency: str
    payer_id: str
    card: str
    device: str
    merchant_id: str
    store: str
    method: str
    entry: str
    is_confirmed: bool

    @property
    def row(self) -> tuple[int | str | None, ...]:
        """The attempt as an event of the payment's feature set."""
        return (
            self.amount_minor, self.payer_id or None, self.card or None, self.device or None,
            self.merchant_id or None, self.store or None, None, None, None,
        )  # fmt: skip

    def facts(self) -> dict[str, Fact]:
        """What rules may read of the attempt itself."""
        return {
            "payment.amount_minor": self.amount_minor,
            "payment.currency": self.currency,
            "payment.method": self.method,
            "payment.entry": self.entry,
            "payment.is_confirmed": self.is_confirmed,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, by which rules, and what was known."""

    action: Action
    rule: Rule | None
    """The live rule that decided; none: nothing stood against it."""
    live: tuple[str, ...]
    shadow: tuple[str, ...]
    """Hits that decide nothing; those of another set as ``version:rule``."""
    version: str
    """Of the rules that decided."""

    def refusal(self, attempt: Attempt) -> str | None:
        """The error with which the attempt is refused, or None."""
        if self.action in HARD:
            return "risk_declined"
        if self.action is not Action.CHALLENGE or attempt.is_confirmed:
            return None
        return "pin_required" if attempt.entry in _CAN_CONFIRM else "risk_declined"


def decide(found: Judgement) -> Decision:
    """The decision of the rules that hit, of which there may be dozens: their few actions are
    weighed, and not each rule."""
    actions = {rule.action for rule in found.hits}
    if _ALLOW in actions:
        actions &= HARD | {_ALLOW}
    action = max(actions, key=_ORDER.__getitem__, default=_ALLOW)
    return Decision(
        action=action,
        rule=next((rule for rule in found.hits if rule.action is action), None),
        live=tuple([rule.rule_id for rule in found.hits]),
        shadow=(
            *[rule.rule_id for rule in found.noted],
            *[f"{found.beside_version}:{rule.rule_id}" for rule in found.beside_hits],
        ),
        version=found.version,
    )


def rule_row(facts: Mapping[str, Fact], vector: Sequence[float]) -> list[Fact]:
    """The facts in the order of ``rules.facts.FIELDS``: those named there, then the features, of
    which the first, the amount, is a fact already."""
    named = [unknown if (value := facts.get(name)) is None else value for name, unknown in _UNKNOWN]
    return [*named, *vector[1:]]
