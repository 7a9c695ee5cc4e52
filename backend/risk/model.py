"""The limits that judge a payment before all other rules. Pure: facts in, verdict out.

Rule 1: they are rules of the engine (``rules.guards``), in a stated order; the first that objects
        decides.
Rule 2: a verdict names its rule, the version of the rules and the reason, and is kept with the
        payment, so that it can be explained and computed again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from backend.risk.limits import RECENT_PAYMENTS_MAX, VERDICTS_REMEMBERED_MAX
from backend.risk.rules.compiled import Action
from backend.risk.rules.guards import guards, objection
from backend.risk.rules.language.fused import Fact

_to_json = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """What the guards compare with. The defaults are the cautious ones for a small shop."""

    amount_minor_max: int = 500_000
    """Two factors allow 5,000 yuan a day by code (PBoC notice 2017-296); one payment no more."""
    velocity_count_max: int = 10
    velocity_window_ms: int = 60_000

    def __post_init__(self) -> None:
        if not 0 < self.velocity_count_max <= RECENT_PAYMENTS_MAX:
            raise ValueError(f"velocity_count_max must be 1 to {RECENT_PAYMENTS_MAX}")
        if self.amount_minor_max <= 0 or self.velocity_window_ms <= 0:
            raise ValueError("risk limits must be above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement: ``code`` is the error for a decline and empty for an allow."""

    action: Literal["allow", "decline"]
    rule: str
    version: str
    code: str = ""
    zh: str = ""
    en: str = ""

    @property
    def is_allowed(self) -> bool:
        """Whether the payment may go on."""
        return self.action == "allow"

    def to_json(self) -> str:
        """The form kept with the payment."""
        return _text_of(self)


@lru_cache(VERDICTS_REMEMBERED_MAX)
def _text_of(verdict: Verdict) -> str:
    """There are as many verdicts as rules, and nearly all payments have the same."""
    fields = {"action": verdict.action, "rule": verdict.rule, "version": verdict.version}
    if verdict.code:
        fields |= {"code": verdict.code, "zh": verdict.zh, "en": verdict.en}
    return _to_json(fields)


def guard_facts(
    rules: RiskRules, *, amount_minor: int, recent_ms: Sequence[int], now_ms: int
) -> dict[str, Fact]:
    """What the guards compare, but for the lists. ``recent_ms``: when this payer's latest attempts
    were made."""
    since_ms = now_ms - rules.velocity_window_ms
    return {
        "payment.amount_minor": amount_minor,
        "limit.amount_minor_max": rules.amount_minor_max,
        "limit.attempts": sum(1 for at_ms in recent_ms if at_ms > since_ms),
        "limit.attempts_max": rules.velocity_count_max,
    }


def judge(facts: Mapping[str, Fact]) -> Verdict:
    """The first guard that objects, else an allow."""
    rule, version = objection(facts), guards().version
    if rule is None:
        return Verdict(action="allow", rule="none", version=version)
    return Verdict(
        action="decline",
        rule=rule.rule_id,
        version=version,
        code="risk_velocity" if rule.action is Action.LIMIT else "risk_declined",
        zh=rule.zh,
        en=rule.en,
    )


def remembered(recent_ms: tuple[int, ...], now_ms: int, *, window_ms: int) -> tuple[int, ...]:
    """The attempts to keep after one more at ``now_ms``: those in the window, bounded."""
    kept = [at_ms for at_ms in recent_ms if at_ms > now_ms - window_ms]
    return (*kept, now_ms)[-RECENT_PAYMENTS_MAX:]
