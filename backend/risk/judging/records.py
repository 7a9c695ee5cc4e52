"""Decisions as rows, and back. Pure."""

import json
import struct
from collections.abc import Mapping, Sequence

from backend.db.tables import Row
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import Judgement, RiskDesk, known_row
from backend.risk.judging.model import Attempt
from backend.risk.judging.scoring import Scorer, doubles_from, doubles_of
from backend.risk.rules.compiled import CompiledRules
from backend.risk.rules.guards import guards, objection
from backend.risk.rules.language.fused import Fact

_DIGEST = PAYMENT.digest
"""Computed once: it takes longer than judging."""
_to_json = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
_SAME = (
    "attempt_id", "payment_id", "at_ms", "amount_minor", "currency", "payer_id", "card", "device",
    "merchant_id", "store", "method", "entry",
)  # fmt: skip

FACT_COLUMNS = (*_SAME, "is_confirmed", "facts")
"""Of a row, what ``facts_of`` reads."""


def decision_row(attempt: Attempt, judgement: Judgement, *, number: int, rule: str) -> Row:
    """The row that keeps a decision. ``rule``: what decided, if no rule of the set did."""
    decision = judgement.decision
    return {
        **{name: getattr(attempt, name) for name in _SAME},
        "is_confirmed": int(attempt.is_confirmed),
        "number": number,
        "facts": _to_json(dict(judgement.facts)),
        "vector": struct.pack(f"<{len(judgement.vector)}d", *judgement.vector),
        "feature_digest": _DIGEST,
        "rules_version": decision.version,
        "action": decision.action.value if not rule else "decline",
        "rule": rule or (decision.rule.rule_id if decision.rule else "none"),
        "live": " ".join(decision.live),
        "shadow": " ".join(decision.shadow),
        "model_id": judgement.scored.model_id,
        "score": judgement.scored.doubles,
        "challenger_id": judgement.challenged.model_id,
        "challenger_score": judgement.challenged.doubles,
        "trouble": judgement.trouble,
    }


def attempt_of(row: Row) -> Attempt:
    """The attempt that a row is about."""
    return Attempt(**{name: row[name] for name in _SAME}, is_confirmed=bool(row["is_confirmed"]))


def facts_of(row: Row) -> dict[str, Fact]:
    """What was known besides the features."""
    told: dict[str, Fact] = json.loads(row["facts"])
    return {**told, **attempt_of(row).facts()}


def is_measured(row: Row) -> bool:
    """Whether the attempt could be measured: an event of any set of features, also of one from
    before an upgrade."""
    return bool(row["vector"])


def vector_of(row: Row) -> tuple[float, ...]:
    """The features, the very doubles that were judged by; none where the set was another."""
    if row["feature_digest"] != _DIGEST:
        return ()
    return struct.unpack(f"<{len(row['vector']) // 8}d", row["vector"])


def explanation(
    row: Row,
    desk: RiskDesk,
    older: Mapping[str, CompiledRules] | None = None,
    scorers: Mapping[str, Scorer] | None = None,
) -> dict[str, object]:
    """A decision as a person reads it, judged again from what is stored: ``is_repeated`` says
    whether the sets that judged hit the same again; None if one is not at hand. ``older`` has sets
    that the desk no longer uses, and ``scorers`` the models that scored."""
    attempt, vector = attempt_of(row), vector_of(row)
    facts = facts_of(row)
    sets = {version: desk.set_of(version) or (older or {}).get(version)
            for version in versions_of(row)}  # fmt: skip
    known = known_row(attempt, facts, vector)
    again = {version: {rule.rule_id for rule in rules.row(known)}
             for version, rules in sets.items() if rules}  # fmt: skip
    return {
        "attempt_id": attempt.attempt_id,
        "payment_id": attempt.payment_id,
        "at_ms": attempt.at_ms,
        "action": row["action"],
        "rule": row["rule"],
        "rules_version": row["rules_version"],
        "is_repeated": again == _hits(row) if len(again) == len(sets) else None,
        "hits": [_told(name, row, sets) for name in f"{row['live']} {row['shadow']}".split()],
        "guards": _guards(row, facts),
        "facts": facts,
        "features": _known(vector),
        "trouble": row["trouble"],
        "score": _score(row, scorers or {}, model="model_id", doubles="score"),
        "challenger": _score(row, scorers or {}, model="challenger_id", doubles="challenger_score"),
    }


def _guards(row: Row, facts: Mapping[str, Fact]) -> dict[str, object] | None:
    """Whether the guards say the same again; None for a decision from before they were kept."""
    if "limit.attempts" not in facts:
        return None
    names = {rule.rule_id for rule in guards().rules}
    said = row["rule"] if row["rule"] in names - set(row["live"].split()) else None
    rule = objection(facts)
    again = rule.rule_id if rule else None
    return {"rule": said, "version": guards().version, "is_repeated": said == again}


def _score(
    row: Row, scorers: Mapping[str, Scorer], *, model: str, doubles: str
) -> dict[str, object] | None:
    """What a model said, by the columns that name and keep it: ``is_repeated`` says whether it
    says the same bits again; None if it is not at hand."""
    model_id, kept = row[model], row[doubles]
    if not model_id:
        return None
    scorer = scorers.get(model_id)
    again = None if scorer is None else doubles_of(scorer.score(vector_of(row))) == kept
    parts = doubles_from(kept)
    return {
        "model_id": model_id,
        "probability": parts[0],
        "raw": parts[1],
        "base": parts[2],
        "contributions": dict(zip(PAYMENT.names, parts[3:], strict=False)),
        "is_repeated": again,
    }


def versions_of(row: Row) -> set[str]:
    """The sets that judged and hit."""
    return set(_hits(row))


def _hits(row: Row) -> dict[str, set[str]]:
    """The rules that hit, by their set."""
    found: dict[str, set[str]] = {row["rules_version"]: set()}
    for name in f"{row['live']} {row['shadow']}".split():
        version, rule_id = _place(name, row)
        found.setdefault(version, set()).add(rule_id)
    return found


def _place(name: str, row: Row) -> tuple[str, str]:
    version, colon, rule_id = name.rpartition(":")
    return (version, rule_id) if colon else (row["rules_version"], name)


def _told(name: str, row: Row, sets: Mapping[str, CompiledRules | None]) -> dict[str, object]:
    version, rule_id = _place(name, row)
    rules = sets.get(version)
    rule = next((one for one in rules.rules if one.rule_id == rule_id), None) if rules else None
    return {
        "rule": name,
        "is_live": name in row["live"].split(),
        "zh": rule.zh if rule else "",
        "en": rule.en if rule else "",
    }


def _known(vector: Sequence[float]) -> dict[str, float]:
    """The features that were known, by name."""
    named = zip(PAYMENT.names, vector, strict=False)
    return {name: value for name, value in named if value == value}
