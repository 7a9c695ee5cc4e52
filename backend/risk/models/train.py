"""Training of a decision tree or a random forest. Nothing on a payment's way imports this module.

Rule 1: the same matrix, labels and settings give the same file, byte for byte.
Rule 2: frauds are kept, of the far more honest rows a share is drawn by the seed, so training takes
        some seconds whatever the history. The trees vote on what was drawn; the calibration weighs
        the drawn rows back to what was there, so a probability is one of the real world.
Rule 3: the metrics and the calibration come from rows that the trees concerned did not see: those
        left out of each tree's draw (forest), or the later fifth (single tree).
"""

import hashlib
from dataclasses import asdict, dataclass

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

LATER_SHARE = 0.2


class TrainingError(ValueError):
    """What cannot be learned from: says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to train. ``honest_per_fraud``: so many honest rows are drawn for each fraud, never fewer
    than ``honest_min`` in all; of more frauds than ``frauds_max`` so many are drawn."""

    kind: str = "random_forest"
    trees: int = 100
    leaf_rows_min: int = 3
    depth_max: int = 24
    honest_per_fraud: int = 6
    honest_min: int = 5_000
    frauds_max: int = 2_500
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Inputs:
    """Rows in the order of time: what is known of each payment, and what it turned out to be.

    ``worth``: how much each row matters, above zero; the chance to be drawn goes by it, and so does
    what a probability means. None: all alike.
    """

    features: tuple[str, ...]
    feature_digest: str
    matrix: Floats
    is_fraud: Flags
    worth: Floats | None = None

    @property
    def data_hash(self) -> str:
        """Names the rows and labels (SHA-256, hex)."""
        sha = hashlib.sha256(np.ascontiguousarray(self.matrix, "<f8").tobytes())
        sha.update(np.ascontiguousarray(self.is_fraud, np.uint8).tobytes())
        if self.worth is not None:
            sha.update(np.ascontiguousarray(self.worth, "<f8").tobytes())
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
    rows, weight = _drawn(inputs, settings)
    matrix, is_fraud = inputs.matrix[rows].astype(np.float32), inputs.is_fraud[rows]
    if settings.kind == "random_forest":
        trees, held = _forest(matrix, is_fraud, weight, settings)
    else:
        trees, held = _tree(matrix, is_fraud, weight, settings)
    fitted = calibration.fit(held.raw, held.is_fraud, held.weight)
    probability = fitted.probabilities(held.raw)
    seen = [reference(inputs.matrix[rows, n], weight) for n in range(matrix.shape[1])]
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


def _drawn(inputs: Inputs, settings: Settings) -> tuple[NDArray[np.int64], Floats]:
    """Rule 2: the rows that are kept, in order, and how many each stands for."""
    luck = np.random.default_rng(settings.seed)
    is_fraud = inputs.is_fraud
    worth = np.ones(len(is_fraud)) if inputs.worth is None else inputs.worth
    frauds = min(int(is_fraud.sum()), settings.frauds_max)
    weight = np.zeros(len(is_fraud))
    wanted = {True: frauds, False: max(settings.honest_min, settings.honest_per_fraud * frauds)}
    for kind, number in wanted.items():
        rows = np.nonzero(is_fraud == kind)[0]
        total = worth[rows].sum()
        if number < len(rows):
            drawn = luck.choice(rows, number, replace=False, p=worth[rows] / total)
            weight[drawn] = total / number
        else:
            weight[rows] = worth[rows]
    kept = np.nonzero(weight)[0]
    return kept, weight[kept]


def _forest(
    matrix: NDArray[np.float32], is_fraud: Flags, weight: Floats, settings: Settings
) -> tuple[list[Tree], _Held]:
    forest = RandomForestClassifier(
        n_estimators=settings.trees,
        min_samples_leaf=settings.leaf_rows_min,
        max_depth=settings.depth_max,
        random_state=settings.seed,
        n_jobs=1,
    )
    forest.fit(matrix, is_fraud)
    summed, number = np.zeros(len(matrix)), np.zeros(len(matrix))
    for tree, drawn in zip(forest.estimators_, forest.estimators_samples_, strict=True):
        left_out = np.ones(len(matrix), np.bool_)
        left_out[drawn] = False
        summed[left_out] += tree.predict_proba(matrix[left_out], check_input=False)[:, 1]
        number[left_out] += 1
    held = number > 0
    trees = [_plain(tree, len(forest.estimators_)) for tree in forest.estimators_]
    return trees, _Held(summed[held] / number[held], is_fraud[held], weight[held])


def _tree(
    matrix: NDArray[np.float32], is_fraud: Flags, weight: Floats, settings: Settings
) -> tuple[list[Tree], _Held]:
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
    return [_plain(grown(slice(None)), 1)], _Held(held, is_fraud[rest], weight[rest])


def _plain(estimator: DecisionTreeClassifier, trees: int) -> Tree:
    """The arrays of a trained tree: the share of frauds at each node, divided among the trees."""
    inner = estimator.tree_
    is_leaf = inner.children_left < 0
    share = inner.value[:, 0, :]
    fraud = share[:, 1] / share.sum(1) if share.shape[1] == 2 else share[:, 0] * estimator.classes_
    return Tree(
        np.where(is_leaf, LEAF, inner.feature).astype(np.int64),
        float32_down(inner.threshold),
        inner.children_left.astype(np.int64),
        inner.children_right.astype(np.int64),
        np.asarray(inner.missing_go_to_left, np.bool_),
        fraud / trees,
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
