"""A payment's risk decisions and routing as its page tells them. Pure.

Rule: a merchant reads what was decided and in whose words. What was known of the payer, the score
      and the rules that did not decide are for operators alone: they are the payer's, and they
      would teach how to pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.console.feature_words import feature_words
from backend.risk.features.catalogue import PAYMENT
from faces.words import Words

SHOWN_CONTRIBUTIONS = 8
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one feature has added to a model's score. ``width`` is its bar's, of 100."""

    words: Words
    value: str
    effect: str
    raises: bool
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSaid:
    """A model's score."""

    model_id: str
    probability: str
    contributions: tuple[Contribution, ...]
    is_repeated: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One attempt's decision, whole."""

    at_ms: int
    action: str
    rule: str
    rules_version: str
    is_repeated: bool | None
    hits: tuple[Mapping[str, Any], ...]
    guard: str
    score: ModelSaid | None
    challenger: ModelSaid | None
    unknown: tuple[Words, ...]
    trouble: str


def judged(told: Sequence[Mapping[str, Any]]) -> list[Judged]:
    """The decisions of a payment's attempts, as ``Explainer`` tells them, for operators."""
    return [
        Judged(
            at_ms=one["at_ms"],
            action=one["action"],
            rule=one["rule"],
            rules_version=one["rules_version"],
            is_repeated=one["is_repeated"],
            hits=tuple(one["hits"]),
            guard=(one["guards"] or {}).get("rule") or "",
            score=_said(one["score"], one["features"]),
            challenger=_said(one["challenger"], one["features"]),
            unknown=tuple(
                feature_words(name) for name in PAYMENT.names if name not in one["features"]
            ),
            trouble=one["trouble"],
        )
        for one in told
    ]


def _said(score: Mapping[str, Any] | None, features: Mapping[str, float]) -> ModelSaid | None:
    if score is None:
        return None
    parts: Mapping[str, float] = score["contributions"]
    largest = sorted(parts.items(), key=lambda part: -abs(part[1]))[:SHOWN_CONTRIBUTIONS]
    most = max((abs(part) for _, part in largest), default=0)
    return ModelSaid(
        model_id=score["model_id"],
        probability=f"{score['probability']:.1%}",
        contributions=tuple(
            Contribution(
                words=feature_words(name),
                value=f"{features[name]:g}" if name in features else "",
                effect=f"{part:+.3f}",
                raises=part > 0,
                width=int(abs(part) * _WIDTH / most),
            )
            for name, part in largest
            if part
        ),
        is_repeated=score["is_repeated"],
    )
