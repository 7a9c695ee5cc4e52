"""Decisions as rows, and back. Pure."""

import json
import struct
from collections.abc import Mapping, Sequence

from backend.db.tables import Row
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import Judgement, RiskDesk
from backend.risk.judging.model import Attempt
from backend.risk.rules.language.fused import Fact

_SAME = (
    "attempt_id", "payment_id", "at_ms", "amount_minor", "currency", "payer_id", "card", "device",
    "merchant_id", "store", "method", "entry",
)  # fmt: skip


def decision_row(
    attempt: Attempt, judgement: Judgement, facts: Mapping[str, Fact], *, number: int, rule: str
) -> Row:
    """The row that keeps a decision. ``rule``: what decided, if no rule of the set did."""
    decision = judgement.decision
    return {
        **{name: getattr(attempt, name) for name in _SAME},
        "is_confirmed": int(attempt.is_confirmed),
        "number": number,
        "facts": json.dumps(dict(facts), sort_keys=True, separators=(",", ":")),
        "vector": struct.pack(f"<{len(judgement.vector)}d", *judgement.vector),
        "feature_digest": PAYMENT.digest,
        "rules_version": decision.version,
        "action": decision.action.value if not rule else "decline",
        "rule": rule or (decision.rule.rule_id if decision.rule else "none"),
        "live": " ".join(decision.live),
        "shadow": " ".join(decision.shadow),
    }


def attempt_of(row: Row) -> Attempt:
    """The attempt that a row is about."""
    return Attempt(**{name: row[name] for name in _SAME}, is_confirmed=bool(row["is_confirmed"]))


def vector_of(row: Row) -> tuple[float, ...]:
    """The features, the very doubles that were judged by; none where the set was another."""
    if row["feature_digest"] != PAYMENT.digest:
        return ()
    return struct.unpack(f"<{len(row['vector']) // 8}d", row["vector"])


def explanation(row: Row, desk: RiskDesk) -> dict[str, object]:
    """A decision as a person reads it, judged again from what is stored: ``is_repeated`` says
    whether today's rules are the same and hit the same; None if the set has changed."""
    attempt, vector = attempt_of(row), vector_of(row)
    facts: dict[str, Fact] = json.loads(row["facts"])
    again = desk.again(attempt, facts, vector)
    is_same_set = again.version == row["rules_version"]
    hits = (" ".join(again.live), " ".join(again.shadow))
    texts = {rule.rule_id: rule for rule in desk.rules.rules}
    return {
        "attempt_id": attempt.attempt_id,
        "payment_id": attempt.payment_id,
        "at_ms": attempt.at_ms,
        "action": row["action"],
        "rule": row["rule"],
        "rules_version": row["rules_version"],
        "is_repeated": hits == (row["live"], row["shadow"]) if is_same_set else None,
        "hits": [
            {
                "rule": name,
                "is_live": name in row["live"].split(),
                "zh": texts[name].zh if name in texts else "",
                "en": texts[name].en if name in texts else "",
            }
            for name in f"{row['live']} {row['shadow']}".split()
        ],
        "facts": {**facts, **attempt.facts()},
        "features": _known(vector),
    }


def _known(vector: Sequence[float]) -> dict[str, float]:
    """The features that were known, by name."""
    named = zip(PAYMENT.names, vector, strict=False)
    return {name: value for name, value in named if value == value}
