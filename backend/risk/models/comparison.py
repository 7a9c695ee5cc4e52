"""The challenger beside the champion, on the payments that both scored. Pure.

Rule 1: only payments count that both scored, so that both are asked the same.
Rule 2: what became of a payment is its latest label; one of which nothing became known for
        ``HONEST_AFTER_MS`` was honest, a younger one tells nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from backend.risk.judging.scoring import ScoredPayment
from backend.risk.models.ledger_inputs import HONEST_AFTER_MS

Floats = NDArray[np.float64]
TOP_SHARE = 0.01
"""How many payments people could look at: a hundredth, at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One model's figures. None: too little is known to say."""

    model_id: str
    mean_probability: float
    average_precision: float | None
    auc: float | None
    brier: float | None
    top_frauds: int
    """Known frauds among the ``TOP_SHARE`` that it finds the most suspicious."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two models on the same payments. ``moved``: the mean distance of their probabilities."""

    payments: int
    frauds: int
    honest: int
    moved: float
    champion: Side
    challenger: Side


def compare(
    scored: Iterable[ScoredPayment], labels: Sequence[Mapping[str, Any]], *, until_ms: int
) -> list[Comparison]:
    """A comparison for each pair of models that scored together, the latest pair first. ``labels``
    are in the order in which they became known by ``until_ms``."""
    pairs: dict[tuple[str, str], list[ScoredPayment]] = defaultdict(list)
    for one in scored:
        pairs[one.champion_id, one.challenger_id].append(one)
    told = {label["payment_id"]: bool(label["is_fraud"]) for label in labels}
    groups = sorted(pairs.values(), key=lambda group: -max(one.at_ms for one in group))
    return [_compared(group, told, until_ms) for group in groups]


def _compared(
    group: Sequence[ScoredPayment], told: Mapping[str, bool], until_ms: int
) -> Comparison:
    champion = np.array([one.champion for one in group])
    challenger = np.array([one.challenger for one in group])
    is_old = [one.at_ms < until_ms - HONEST_AFTER_MS for one in group]
    verdict = np.array(
        [
            int(told[one.payment_id]) if one.payment_id in told else 0 if old else -1
            for one, old in zip(group, is_old, strict=True)
        ]
    )
    return Comparison(
        payments=len(group),
        frauds=int((verdict == 1).sum()),
        honest=int((verdict == 0).sum()),
        moved=float(np.abs(champion - challenger).mean()),
        champion=_side(group[0].champion_id, champion, verdict),
        challenger=_side(group[0].challenger_id, challenger, verdict),
    )


def _side(model_id: str, probability: Floats, verdict: NDArray[np.int64]) -> Side:
    known = verdict >= 0
    is_fraud, told = verdict[known] == 1, probability[known]
    is_enough = len(np.unique(is_fraud)) == 2
    top = max(1, int(len(probability) * TOP_SHARE))
    highest = np.argsort(-probability, kind="stable")[:top]
    return Side(
        model_id=model_id,
        mean_probability=float(probability.mean()),
        average_precision=float(average_precision_score(is_fraud, told)) if is_enough else None,
        auc=float(roc_auc_score(is_fraud, told)) if is_enough else None,
        brier=float(brier_score_loss(is_fraud, told)) if is_enough else None,
        top_frauds=int((verdict[highest] == 1).sum()),
    )
