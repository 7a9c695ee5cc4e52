"""The rules that judge a payment before money moves. Pure: facts in, verdict out.

Rule 1: rules run in a stated order and the first that objects decides.
Rule 2: a verdict names its rule, the version of the rules and the reason, and is kept with the
        payment, so that it can be explained and computed again.
"""

import json
from dataclasses import dataclass
from typing import Literal

from backend.risk.limits import RECENT_PAYMENTS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskRules:
    """What the rules compare with. The defaults are the cautious ones for a small shop."""

    version: str = "rules-1"
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
class Facts:
    """What is known about an attempt when it is judged."""

    amount_minor: int
    now_ms: int
    block_reason: str | None
    recent_ms: tuple[int, ...]
    """When this payer's latest attempts were made, oldest first."""


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
        fields = {"action": self.action, "rule": self.rule, "version": self.version}
        if self.code:
            fields |= {"code": self.code, "zh": self.zh, "en": self.en}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def judge(rules: RiskRules, facts: Facts) -> Verdict:
    """The first rule that objects, else an allow."""
    for rule in (_payer_blocked, _amount_over_cap, _too_many_attempts):
        verdict = rule(rules, facts)
        if verdict is not None:
            return verdict
    return Verdict(action="allow", rule="none", version=rules.version)


def remembered(recent_ms: tuple[int, ...], now_ms: int, *, window_ms: int) -> tuple[int, ...]:
    """The attempts to keep after one more at ``now_ms``: those in the window, bounded."""
    kept = [at_ms for at_ms in recent_ms if at_ms > now_ms - window_ms]
    return (*kept, now_ms)[-RECENT_PAYMENTS_MAX:]


def _payer_blocked(rules: RiskRules, facts: Facts) -> Verdict | None:
    if facts.block_reason is None:
        return None
    return Verdict(
        action="decline",
        rule="payer_blocked",
        version=rules.version,
        code="risk_declined",
        zh="付款账户在风险名单中。",
        en="The payer is on the block list.",
    )


def _amount_over_cap(rules: RiskRules, facts: Facts) -> Verdict | None:
    if facts.amount_minor <= rules.amount_minor_max:
        return None
    return Verdict(
        action="decline",
        rule="amount_over_cap",
        version=rules.version,
        code="risk_declined",
        zh="单笔金额超过风险上限。",
        en="The amount is above the cap for one payment.",
    )


def _too_many_attempts(rules: RiskRules, facts: Facts) -> Verdict | None:
    since_ms = facts.now_ms - rules.velocity_window_ms
    count = sum(1 for at_ms in facts.recent_ms if at_ms > since_ms)
    if count < rules.velocity_count_max:
        return None
    return Verdict(
        action="decline",
        rule="too_many_attempts",
        version=rules.version,
        code="risk_velocity",
        zh="短时间内付款次数过多。",
        en="Too many attempts in a short time.",
    )
