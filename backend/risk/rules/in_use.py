"""The sets of rules that judge now, and what they say of a payment. Pure.

Rule 1: a payment's share is fixed by its id and the candidate: a retry is judged by the same set.
Rule 2: a hit that decides nothing is told apart, never forgotten.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from backend.risk.rules.compiled import CompiledRules, Rule
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.limits import SHARE_BPS_ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the rules say. ``version`` is the set that decides; ``beside_version``, which may be
    empty, the one whose hits are only kept."""

    version: str
    hits: tuple[Rule, ...]
    """Those that decide."""
    noted: tuple[Rule, ...] = ()
    """Those of the deciding set that hit and decide nothing: suppressed, or among the rules that
    ship and not live."""
    beside_version: str = ""
    beside_hits: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesInUse:
    """The live set, the candidate and its share of the payments (0: shadow), and until when which
    rules are suppressed."""

    live: CompiledRules
    candidate: CompiledRules | None = None
    share_bps: int = 0
    suppressed_until_ms: Mapping[str, int] = field(default_factory=dict)
    live_only: frozenset[str] | None = None
    """Of the live set, the rules that decide; None: all."""

    def judge(
        self,
        payment_id: str,
        facts: Sequence[Fact],
        *,
        now_ms: int,
        is_over: Callable[[], bool] | None = None,
    ) -> Judgement:
        """What the rules say of a payment; ``facts`` as in ``CompiledRules.row``. ``is_over`` is
        asked once the deciding set has spoken; if it says so, the other one is not asked."""
        deciding, beside = self.live, self.candidate
        if beside is not None and is_in_share(payment_id, beside.version, self.share_bps):
            deciding, beside = beside, deciding
        found = deciding.row(facts)
        if is_over is not None and is_over():
            beside = None
        only = self.live_only if deciding is self.live else None
        noted = self._noted(found, only, now_ms)
        return Judgement(
            version=deciding.version,
            hits=tuple([rule for rule in found if rule not in noted]) if noted else found,
            noted=noted,
            beside_version=beside.version if beside else "",
            beside_hits=beside.row(facts) if beside else (),
        )

    def _noted(
        self, found: tuple[Rule, ...], only: frozenset[str] | None, now_ms: int
    ) -> tuple[Rule, ...]:
        """Of the rules that hit, those that decide nothing."""
        until_ms = self.suppressed_until_ms
        if only is None and not until_ms:
            return ()
        return tuple(
            [
                rule
                for rule in found
                if now_ms < until_ms.get(rule.rule_id, 0)
                or (only is not None and rule.rule_id not in only)
            ]
        )


def is_in_share(payment_id: str, version: str, share_bps: int) -> bool:
    """Whether a payment is in the share of a set, in ten-thousandths of the payments."""
    if not share_bps:
        return False
    digest = hashlib.sha256(f"{version} {payment_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % SHARE_BPS_ALL < share_bps
