"""Training of a decision tree or a random forest. Nothing on a payment's way imports this module.

Rule 1: the same matrix, labels and settings give the same file, byte for byte.
Rule 2: frauds are kept, of the far more honest rows a share is drawn by the seed, so training takes
        some seconds whatever the history. The trees vote on what was drawn; the calibration weighs
        the drawn rows back to what was there, so a probability is one of the real world.
Rule 3: fraud changes. Where the rows are in parts, each part grows its own trees, and the shares in
        which they are mixed are those that would have foretold the newest part best. Whatever the
        shares, it is one forest.
Rule 4: the metrics and the calibration come from rows that the trees concerned did not see: those
        left out of each tree's draw and of the newest part (forest), or the later fifth (tree).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from backend.risk.models import calibration
from backend.risk.models.card import ModelCard
from backend.risk.models.drift import reference
from backend.risk.models.forest import LEAF, Tree, float32_down
from backend.risk.models.onnx_file import write_model

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]

LATER_SHARE = 0.2
SHARE_STEPS = 10
SURPRISE_MIN = 1e-3
"""No row surprises more than one in a thousand: a single odd label decides nothing."""


class TrainingError(ValueError):
    """What cannot be learned from: says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train. ``honest_per_fraud``: so many honest rows are drawn for each fraud, never fewer
    than ``honest_min`` in all; of more frauds than ``frauds_max`` so many are drawn."""

    kind: str = "random_forest"
    trees: int = 100
    trees_per_part: int = 50
    leaf_rows_min: int = 3
    depth_max: int = 24
    honest_per_fraud: int = 6
    honest_min: int = 1_000
    frauds_max: int = 2_500
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """Rows in the order of time: what is known of each payment, and what it turned out to be.

    ``parts``: rows from which a forest of its own is grown each, the oldest first; none: all rows.
    """

    features: tuple[str, ...]
    feature_digest: str
    matrix: Floats
    is_fraud: Flags
    parts: tuple[Rows, ...] = ()

    @property
    def data_hash(self) -> str:
        """Names the rows and labels (SHA-256, hex)."""
        sha = hashlib.sha256(np.ascontiguousarray(self.matrix, "<f8").tobytes())
        sha.update(np.ascontiguousarray(self.is_fraud, np.uint8).tobytes())
        for part in self.parts:
            sha.update(np.ascontiguousarray(part, "<i8").tobytes())
        return sha.hexdigest()


@dataclass(frozen=True, slots=True)
class _Held:
    """Raw values of rows by trees that did not see them."""

    raw: Floats
    is_fraud: Flags
    weight: Floats


def train(inputs: Inputs, settings: Settings, *, trained_at: str) -> bytes:
    """The file of a model. Raises ``TrainingError`` when there is no fraud, or nothing else."""
    frauds = int(inputs.is_fraud.sum())
    if not 0 < frauds < len(inputs.is_fraud):
        raise TrainingError("needs frauds and honest payments, and has only one of them")
    if settings.kind == "random_forest":
        trees, held = _forests(inputs, settings)
    else:
        trees, held = _tree(inputs, settings)
    fitted = calibration.fit(held.raw, held.is_fraud, held.weight)
    probability = fitted.probabilities(held.raw)
    rows, weight = _drawn(inputs.is_fraud, np.arange(len(inputs.is_fraud)), settings)
    seen = [reference(inputs.matrix[rows, n], weight) for n in range(len(inputs.features))]
    card = ModelCard(
        kind=settings.kind,
        features=inputs.features,
        feature_digest=inputs.feature_digest,
        data_hash=inputs.data_hash,
        trained_at=trained_at,
        rows=len(inputs.is_fraud),
        frauds=frauds,
        parameters=asdict(settings),
        metrics=_metrics(held, probability),
        calibration=fitted,
        feature_references=tuple(seen),
        score_reference=reference(probability, held.weight),
    )
    return write_model(trees, card)


def _drawn(is_fraud: Flags, part: Rows, settings: Settings) -> tuple[Rows, Floats]:
    """Rule 2: the rows of a part that are kept, in order, and how many each stands for."""
    luck = np.random.default_rng(settings.seed)
    frauds = min(int(is_fraud[part].sum()), settings.frauds_max)
    weight = np.zeros(len(is_fraud))
    wanted = {True: frauds, False: max(settings.honest_min, settings.honest_per_fraud * frauds)}
    for kind, number in wanted.items():
        rows = part[is_fraud[part] == kind]
        if number < len(rows):
            weight[luck.choice(rows, number, replace=False)] = len(rows) / number
        else:
            weight[rows] = 1.0
    kept = np.nonzero(weight)[0]
    return kept, weight[kept]


def _forests(inputs: Inputs, settings: Settings) -> tuple[list[Tree], _Held]:
    """Rule 3. A part without both kinds of rows has nothing to say of its own."""
    whole = np.arange(len(inputs.is_fraud))
    parts = [p for p in inputs.parts if 0 < int(inputs.is_fraud[p].sum()) < len(p)] or [whole]
    if len(inputs.parts) and (parts[-1] is not inputs.parts[-1]):
        parts = [whole]
    drawn = [_drawn(inputs.is_fraud, part, settings) for part in parts]
    forests = [_grown(inputs, rows, settings, parts=len(parts)) for rows, _ in drawn]
    rows, weight = drawn[-1]
    matrix, is_fraud = inputs.matrix[rows].astype(np.float32), inputs.is_fraud[rows]
    left_out = _left_out(forests[-1], matrix)
    is_held = ~np.isnan(left_out)
    told = [forest.predict_proba(matrix[is_held])[:, 1] for forest in forests[:-1]]
    told.append(left_out[is_held])
    shares = best_shares(told, is_fraud[is_held])
    trees = [
        _plain(tree, share / len(forest.estimators_))
        for forest, share in zip(forests, shares, strict=True)
        if share
        for tree in forest.estimators_
    ]
    raw = sum((share * values for share, values in zip(shares, told, strict=True)), np.zeros(1))
    return trees, _Held(raw, is_fraud[is_held], weight[is_held])


def _grown(inputs: Inputs, rows: Rows, settings: Settings, *, parts: int) -> RandomForestClassifier:
    forest = RandomForestClassifier(
        n_estimators=settings.trees if parts == 1 else settings.trees_per_part,
        min_samples_leaf=settings.leaf_rows_min,
        max_depth=settings.depth_max,
        random_state=settings.seed,
        n_jobs=1,
    )
    return forest.fit(inputs.matrix[rows].astype(np.float32), inputs.is_fraud[rows])


def _left_out(forest: RandomForestClassifier, matrix: NDArray[np.float32]) -> Floats:
    """For each row that the forest was grown from, what the trees say that did not see it; NaN
    where each did."""
    summed, number = np.zeros(len(matrix)), np.zeros(len(matrix))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        unseen = np.ones(len(matrix), np.bool_)
        unseen[drawn] = False
        if unseen.any():
            summed[unseen] += tree.predict_proba(matrix[unseen], check_input=False)[:, 1]
            number[unseen] += 1
    return np.where(number > 0, summed / np.maximum(number, 1), np.nan)


def best_shares(told: Sequence[Floats], is_fraud: Flags) -> tuple[float, ...]:
    """The shares, in steps of ``1 / SHARE_STEPS``, whose mixture would have been surprised least by
    these rows (log loss)."""
    best, least = (0.0,) * (len(told) - 1) + (1.0,), np.inf
    for counts in product(range(SHARE_STEPS + 1), repeat=len(told)):
        if sum(counts) != SHARE_STEPS:
            continue
        shares = tuple(count / SHARE_STEPS for count in counts)
        mixed = sum((s * values for s, values in zip(shares, told, strict=True)), np.zeros(1))
        right = np.where(is_fraud, mixed, 1 - mixed)
        surprise = -float(np.log(np.maximum(right, SURPRISE_MIN)).sum())
        if surprise < least:
            best, least = shares, surprise
    return best


def _tree(inputs: Inputs, settings: Settings) -> tuple[list[Tree], _Held]:
    kept, weight = _drawn(inputs.is_fraud, np.arange(len(inputs.is_fraud)), settings)
    matrix, is_fraud = inputs.matrix[kept].astype(np.float32), inputs.is_fraud[kept]

    def grown(rows: slice) -> DecisionTreeClassifier:
        tree = DecisionTreeClassifier(
            min_samples_leaf=settings.leaf_rows_min,
            max_depth=settings.depth_max,
            random_state=settings.seed,
        )
        return tree.fit(matrix[rows], is_fraud[rows])

    later = len(matrix) - max(1, int(LATER_SHARE * len(matrix)))
    held = np.zeros(0)
    if len(np.unique(is_fraud[:later])) == 2:
        held = grown(slice(later)).predict_proba(matrix[later:])[:, 1]
    rest = slice(len(matrix) - len(held), None)
    return [_plain(grown(slice(None)), 1.0)], _Held(held, is_fraud[rest], weight[rest])


def _plain(estimator: DecisionTreeClassifier, share: float) -> Tree:
    """The arrays of a trained tree: the rate of frauds at each node, times its share in the sum."""
    inner = estimator.tree_
    is_leaf = inner.children_left < 0
    counted = inner.value[:, 0, :]
    rate = (
        counted[:, 1] / counted.sum(1)
        if counted.shape[1] == 2
        else counted[:, 0] * estimator.classes_
    )
    return Tree(
        np.where(is_leaf, LEAF, inner.feature).astype(np.int64),
        float32_down(inner.threshold),
        inner.children_left.astype(np.int64),
        inner.children_right.astype(np.int64),
        np.asarray(inner.missing_go_to_left, np.bool_),
        rate * share,
    )


def _metrics(held: _Held, probability: Floats) -> dict[str, float]:
    if len(np.unique(held.is_fraud)) < 2:
        return {}
    weighted = {"sample_weight": held.weight}
    return {
        "average_precision": float(average_precision_score(held.is_fraud, held.raw, **weighted)),
        "auc": float(roc_auc_score(held.is_fraud, held.raw, **weighted)),
        "brier": float(brier_score_loss(held.is_fraud, probability, **weighted)),
    }
