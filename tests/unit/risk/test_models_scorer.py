"""Scores and what each feature gave: exact, the same alone and among others, as it was trained."""

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier

from backend.risk.models.card import ModelError
from backend.risk.models.forest import LEAF, Tree, float32_down, leaf_weights
from backend.risk.models.onnx_file import write_model
from backend.risk.models.scorer import Scorer
from backend.risk.models.train import Inputs, Settings, TrainingError, _forests, best_shares, train
from tests.support.models import DIGEST, small_inputs, small_model

VECTORS = st.lists(
    st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6), st.sampled_from([0.0, 1.0, 2.0, 1e30])),
    min_size=3,
    max_size=3,
)


@pytest.fixture(params=["random_forest", "decision_tree"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return Scorer.load(small_model(request.param), DIGEST)


@settings(max_examples=60)
@given(vectors=st.lists(VECTORS, min_size=1, max_size=40))
def test_the_base_and_what_each_feature_gave_are_the_score_alone_and_among_others(
    vectors: list[list[float]],
) -> None:
    scorer = Scorer.load(small_model(), DIGEST)
    many = scorer.score_many(np.array(vectors))
    for number, vector in enumerate(vectors):
        score = scorer.score(vector)
        total = score.base
        for part in score.contributions:
            total += part
        assert total == score.raw == many.raw[number]
        assert score.probability == many.probability[number]
        assert list(score.contributions) == many.contributions[number].tolist()
        assert score.base == many.base
        assert 0 <= score.probability <= 1


def test_the_score_is_the_trained_forest_s_own() -> None:
    inputs = small_inputs()
    matrix = inputs.matrix.astype(np.float32)
    chosen = Settings(trees=12, leaf_rows_min=2, depth_max=6)
    trees, held = _forests(inputs, chosen)
    reference = RandomForestClassifier(
        12, min_samples_leaf=2, max_depth=6, random_state=0, oob_score=True
    )
    with warnings.catch_warnings(action="ignore"):  # few trees leave few rows out
        expected = reference.fit(matrix, inputs.is_fraud).predict_proba(matrix)[:, 1]
    walked = [walk(trees, row) for row in matrix.tolist()]
    assert np.allclose(walked, expected, atol=1e-12)
    left_out = reference.oob_decision_function_
    assert np.allclose(held.raw, left_out[left_out.sum(1) > 0, 1], atol=1e-12)


def test_the_shares_go_to_whoever_would_have_foretold_the_newest_rows() -> None:
    is_fraud = np.array([True, False, False, True, False])
    right, wrong = np.where(is_fraud, 0.9, 0.1), np.where(is_fraud, 0.1, 0.9)
    assert best_shares([wrong, right], is_fraud) == (0.0, 1.0)
    assert best_shares([right, wrong, wrong], is_fraud) == (1.0, 0.0, 0.0)
    halves = [np.array([0.9, 0.1, 0.1, 0.1, 0.1]), np.array([0.1, 0.1, 0.1, 0.9, 0.1])]
    assert best_shares(halves, is_fraud) == (0.5, 0.5)


def test_parts_are_one_forest_and_what_has_changed_is_followed() -> None:
    """In the newest part the frauds are the small amounts, before it the large ones."""
    luck = np.random.default_rng(2)
    matrix = luck.uniform(0, 1, (1_200, 3))
    is_fraud = matrix[:, 0] > 0.8
    is_fraud[900:] = matrix[900:, 0] < 0.2
    parts = (np.arange(900), np.arange(900, 1_200))
    inputs = Inputs(small_inputs(1).features, DIGEST, matrix, is_fraud, parts)
    chosen = Settings(trees_per_part=10, honest_min=200)
    scorer = Scorer.load(train(inputs, chosen, trained_at="2026-01-01T00:00:00Z"), DIGEST)
    assert scorer.score([0.05, 0.5, 0.5]).probability > 0.6
    assert scorer.score([0.95, 0.5, 0.5]).probability < 0.2
    assert scorer.card.metrics["auc"] > 0.95
    unsaid = (np.arange(900), np.arange(900, 1_200)[~is_fraud[900:]])
    whole = Inputs(inputs.features, DIGEST, matrix, is_fraud, unsaid)
    assert len(_forests(whole, chosen)[0]) == chosen.trees


def test_the_runtime_goes_the_way_of_a_plain_walk(scorer: Scorer) -> None:
    inputs = small_inputs()
    one = Settings(kind=scorer.card.kind, trees=12, leaf_rows_min=2, depth_max=6, honest_min=500)
    again = train(inputs, one, trained_at="2026-01-01T00:00:00Z")
    assert again == small_model(scorer.card.kind)
    raw = scorer.score_many(inputs.matrix).raw
    assert raw[inputs.is_fraud].mean() > 2 * raw[~inputs.is_fraud].mean()
    assert ((raw > -1e-6) & (raw < 1 + 1e-6)).all()


def _stump(threshold: float, *, sends_unknown_left: bool) -> Tree:
    return Tree(
        np.array([1, LEAF, LEAF]),
        np.concatenate((float32_down(np.array([threshold])), np.zeros(2, np.float32))),
        np.array([1, -1, -1]),
        np.array([2, -1, -1]),
        np.array([sends_unknown_left, False, False]),
        np.array([0.25, 0.125, 0.75]),
    )


@pytest.mark.parametrize("sends_unknown_left", [True, False])
def test_a_row_at_the_threshold_goes_left_and_an_unknown_one_where_it_was_sent(
    *, sends_unknown_left: bool
) -> None:
    threshold = (0.1 + float(np.nextafter(np.float32(0.1), np.float32(1)))) / 2
    stump = _stump(threshold, sends_unknown_left=sends_unknown_left)
    card = Scorer.load(small_model(), DIGEST).card
    scorer = Scorer.load(write_model([stump], card), DIGEST)
    at, above = float(np.float32(0.1)), float(np.nextafter(np.float32(0.1), np.float32(1)))
    assert scorer.score([0, at, 0]).contributions == (0, -0.125, 0)
    assert scorer.score([0, above, 0]).contributions == (0, 0.5, 0)
    unknown = scorer.score([0, float("nan"), 0])
    assert unknown.raw == (0.125 if sends_unknown_left else 0.75)
    assert unknown.base == 0.25


def test_what_a_feature_gave_twice_on_a_path_is_one_weight() -> None:
    tree = Tree(
        np.array([0, 0, LEAF, LEAF, LEAF]),
        np.array([1, 0.5, 0, 0, 0], np.float32),
        np.array([1, 2, -1, -1, -1]),
        np.array([4, 3, -1, -1, -1]),
        np.zeros(5, np.bool_),
        np.array([0.5, 0.25, 0.0, 1.0, 0.75]),
    )
    found = leaf_weights(tree, base=0.5)
    assert found.node.tolist() == [2, 2, 3, 3, 4, 4]
    assert found.output.tolist() == [0, 1, 0, 1, 0, 1]
    assert found.weight.tolist() == [0.5, -0.5, 0.5, 0.5, 0.5, 0.25]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_threshold_is_never_rounded_up(value: float) -> None:
    found = float32_down(np.array([value]))[0]
    largest = np.finfo(np.float32).max
    assert float(found) <= value or value < -float(largest)
    if abs(found) < largest:
        assert float(np.nextafter(found, largest)) > value


def test_an_endless_threshold_still_parts_the_known_from_the_unknown() -> None:
    stump = _stump(float("inf"), sends_unknown_left=False)
    card = Scorer.load(small_model(), DIGEST).card
    scorer = Scorer.load(write_model([stump], card), DIGEST)
    assert scorer.score([0, 1e30, 0]).raw == 0.125
    assert scorer.score([0, float("nan"), 0]).raw == 0.75


@pytest.mark.parametrize("is_fraud", [True, False])
def test_there_is_no_training_without_both_kinds(*, is_fraud: bool) -> None:
    inputs = small_inputs(50)
    one_sided = Inputs(inputs.features, DIGEST, inputs.matrix, np.full(50, is_fraud))
    with pytest.raises(TrainingError, match="only one of them"):
        train(one_sided, Settings(), trained_at="2026-01-01T00:00:00Z")


@pytest.mark.parametrize("kind", ["random_forest", "decision_tree"])
def test_one_fraud_and_few_rows_are_enough_to_train(kind: str) -> None:
    inputs = small_inputs(6)
    alone = np.array([False, False, True, False, False, False])
    model = train(
        Inputs(inputs.features, DIGEST, inputs.matrix, alone), Settings(kind=kind, trees=3),
        trained_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    assert 0 <= Scorer.load(model, DIGEST).score([1, 1, 1]).probability <= 1


def test_drawing_fewer_honest_rows_leaves_the_average_probability() -> None:
    inputs = small_inputs(3_000)
    drawn = Settings(trees=20, honest_per_fraud=1, honest_min=1)
    model = train(inputs, drawn, trained_at="2026-01-01T00:00:00Z")
    scorer = Scorer.load(model, DIGEST)
    scores = scorer.score_many(inputs.matrix)
    assert abs(scores.probability.mean() - inputs.is_fraud.mean()) < 0.02
    assert scores.base > 0.4


def test_scoring_needs_nothing_that_trains() -> None:
    code = "import sys, backend.risk.models.scorer; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_model_of_other_features_is_refused() -> None:
    with pytest.raises(ModelError, match="another set of features"):
        Scorer.load(small_model(), "e" * 64)


def test_no_rows_have_no_scores() -> None:
    scorer = Scorer.load(small_model(), DIGEST)
    assert scorer.score_many(np.zeros((0, 3))).raw.tolist() == []


def walk(trees: Sequence[Tree], row: Sequence[float]) -> float:
    """The forest's value for one row by walking its trees: slow, and plain to read."""
    total = 0.0
    for tree in trees:
        node = 0
        while (feature := int(tree.feature[node])) != LEAF:
            value = np.float32(row[feature])
            if np.isnan(value):
                goes_left = bool(tree.sends_unknown_left[node])
            else:
                goes_left = bool(value <= tree.threshold[node])
            node = int(tree.left[node] if goes_left else tree.right[node])
        total += float(tree.value[node])
    return total


def test_the_runtime_tells_its_maker_nothing(tmp_path: Path) -> None:
    """Its telemetry begins with a name for this machine, which it keeps in the user's directory."""
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{Path.cwd()}"}
    load = "import backend.risk.models.scorer"
    subprocess.run([sys.executable, "-c", load], env={**kept, "HOME": f"{tmp_path}"}, check=True)
    assert list(tmp_path.iterdir()) == []
    imports = re.compile(r"^\s*(import|from) onnxruntime\b", re.MULTILINE)
    loading = [
        file.name
        for file in Path("backend").rglob("*.py")
        if imports.search(file.read_text("utf-8"))
    ]
    assert loading == ["scorer.py"]
