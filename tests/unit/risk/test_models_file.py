"""A model's file is data: whatever else it may be made to hold is refused with the reason."""

import json
from collections.abc import Callable

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from backend.risk.models.card import ModelError, read_card
from backend.risk.models.limits import MODEL_DEPTH_MAX
from backend.risk.models.onnx_file import CARD, SEAL, _seal, read_model
from backend.risk.models.scorer import Scorer
from tests.support.models import DIGEST, small_model

Change = Callable[[onnx.ModelProto], None]


def _resealed(change: Change) -> bytes:
    """The file after a change by somebody who knows how to seal it."""
    model = onnx.ModelProto.FromString(small_model())
    kept = [entry for entry in model.metadata_props if entry.key != SEAL]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    change(model)
    body = model.SerializeToString(deterministic=True)
    return bytes(body + _seal(body))


def _attribute(model: onnx.ModelProto, name: str) -> onnx.AttributeProto:
    found: onnx.AttributeProto = next(a for a in model.graph.node[0].attribute if a.name == name)
    return found


def _first(name: str, value: int, *, at: int = 0) -> Change:
    def change(model: onnx.ModelProto) -> None:
        _attribute(model, name).ints[at] = value

    return change


def _card(**changed: object) -> Change:
    def change(model: onnx.ModelProto) -> None:
        fields = json.loads(model.metadata_props[0].value)
        model.metadata_props[0].value = json.dumps({**fields, **changed})

    return change


def _python_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type, model.graph.node[0].domain = "PyOp", "ai.onnx.contrib"


def _second_node(model: onnx.ModelProto) -> None:
    model.graph.node.append(model.graph.node[0])


def _external_tensor(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("secret", TensorProto.FLOAT, [1], [0.0])
    tensor.data_location = TensorProto.EXTERNAL
    model.graph.initializer.append(tensor)


def _function(model: onnx.ModelProto) -> None:
    model.functions.append(onnx.FunctionProto(name="f", domain="x"))


def _subgraph(model: onnx.ModelProto) -> None:
    inner = helper.make_graph([], "inner", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", inner))


def _foreign_import(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def _short(model: onnx.ModelProto) -> None:
    del _attribute(model, "nodes_values").floats[-1]


def _not_finite(model: onnx.ModelProto) -> None:
    _attribute(model, "target_weights").floats[0] = float("nan")


def _weights_beyond_a_float(model: onnx.ModelProto) -> None:
    weights = _attribute(model, "target_weights").floats
    weights[0], weights[1] = 3e38, -3e38


def _other_mode(model: onnx.ModelProto) -> None:
    modes = _attribute(model, "nodes_modes").strings
    modes[list(modes).index(b"BRANCH_LEQ")] = b"BRANCH_GT"


def _mode_with_a_zero_behind(model: onnx.ModelProto) -> None:
    modes = _attribute(model, "nodes_modes").strings
    modes[list(modes).index(b"LEAF")] = b"LEAF\0"


def _other_mode_of_no_runtime(model: onnx.ModelProto) -> None:
    _attribute(model, "nodes_modes").strings[0] = b"BRANCH_MAYBE"


def _other_type(model: onnx.ModelProto) -> None:
    _attribute(model, "nodes_values").type = onnx.AttributeProto.INTS


def _shared_child(model: onnx.ModelProto) -> None:
    # The root's second child becomes the child of its first one, too.
    falls = _attribute(model, "nodes_falsenodeids").ints
    falls[1] = falls[0]


def _comb(splits: int) -> Change:
    """One tree whose every second node is the next split: as deep as it has splits."""

    def change(model: onnx.ModelProto) -> None:
        size = 2 * splits + 1
        split = [place % 2 == 0 and place < size - 1 for place in range(size)]
        leaves = [place for place in range(size) if not split[place]]
        columns = {
            "nodes_treeids": [0] * size,
            "nodes_nodeids": list(range(size)),
            "nodes_featureids": [0] * size,
            "nodes_truenodeids": [place + 1 if split[place] else 0 for place in range(size)],
            "nodes_falsenodeids": [place + 2 if split[place] else 0 for place in range(size)],
            "nodes_missing_value_tracks_true": [0] * size,
            "target_treeids": [0] * len(leaves),
            "target_nodeids": leaves,
            "target_ids": [0] * len(leaves),
        }
        for name, numbers in columns.items():
            _attribute(model, name).ints[:] = numbers
        _attribute(model, "nodes_values").floats[:] = [float(place) for place in range(size)]
        _attribute(model, "target_weights").floats[:] = [0.01] * len(leaves)
        modes = [b"BRANCH_LEQ" if is_split else b"LEAF" for is_split in split]
        _attribute(model, "nodes_modes").strings[:] = modes

    return change


def _mean(model: onnx.ModelProto) -> None:
    _attribute(model, "aggregate_function").s = b"MAX"


def _wide_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4


def _more_props(model: onnx.ModelProto) -> None:
    model.metadata_props.add(key="run", value="me")


def test_the_file_as_it_was_written_is_read_after_sealing_it_again() -> None:
    assert _resealed(lambda _: None) == small_model()
    assert read_model(small_model()).kind == "random_forest"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_python_operator, "operator 'PyOp' is not allowed"),
        (_second_node, "one node"),
        (_external_tensor, "functions or tensors"),
        (_function, "functions or tensors"),
        (_subgraph, "other attributes"),
        (_foreign_import, "another version"),
        (_short, "other lengths"),
        (_not_finite, "not finite"),
        (_other_mode, "not those of trees"),
        (_mode_with_a_zero_behind, "not those of trees"),
        (_other_type, "other attributes"),
        (_shared_child, "no parent, or two"),
        (_comb(MODEL_DEPTH_MAX + 1), "splits on a path"),
        (_comb(20_000), "splits on a path"),
        (_weights_beyond_a_float, "more than a float32 holds"),
        (_mean, "not summed"),
        (_wide_input, "another shape"),
        (_more_props, "more than a card"),
        (_first("nodes_truenodeids", 0), "does not end"),
        (_first("nodes_falsenodeids", 1_000_000), "does not end"),
        (_first("nodes_featureids", 3), "not there"),
        (_first("nodes_featureids", -1), "not there"),
        (_first("nodes_missing_value_tracks_true", 7), "nowhere"),
        (_first("nodes_nodeids", 5), "trees"),
        (_first("nodes_treeids", 1), "not those of trees"),
        (_first("target_ids", 4), "not there"),
        (_first("target_nodeids", 99_999), "no node"),
        (_first("target_nodeids", 0), "a branch has one"),
        (_first("target_treeids", 11), "not in order"),
        (_card(kind="neural"), "no kind of model"),
        (_card(features=["a", "a", "b"]), "named twice"),
        (_card(features=["a"]), "references are not those"),
        (_card(calibration={"slope": -1.0, "shift": 0.0}), "rises"),
        (_card(metrics={"auc": "high"}), "a number belongs"),
        (_card(feature_digest=5), "a text belongs"),
        (_card(metrics=[]), "a table belongs"),
        (_card(parameters=5), "a table belongs"),
        (_card(parameters={"trees": float("nan")}), "a number belongs"),
        (_card(parameters={"trees": [1]}), "a number belongs"),
        (_card(rows=10**400), "a number belongs"),
        (_card(calibration={"slope": 10**400, "shift": 0.0}), "cannot be read"),
        (_card(score_reference={"edges": [float("nan")], "shares": [0, 0, 1]}), "is finite"),
        (_card(more=1), "cannot be read"),
        (_card(format=2), "format is not known"),
    ],
)
def test_a_changed_file_is_refused_though_its_hash_is_right(change: Change, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        read_model(_resealed(change))


def test_a_tree_as_deep_as_may_be_is_loaded_and_scores() -> None:
    data = _resealed(_comb(MODEL_DEPTH_MAX))
    assert Scorer.load(data, DIGEST).score([1e9, 0.0, 0.0]).raw == pytest.approx(0.01)


def test_what_the_runtime_refuses_is_a_model_that_is_refused() -> None:
    card = read_model(small_model())
    with pytest.raises(ModelError, match="the runtime refuses it"):
        Scorer(card, _resealed(_other_mode_of_no_runtime))


@settings(max_examples=150)
@given(place=st.integers(0), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_refused(place: int, bit: int) -> None:
    data = bytearray(small_model())
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(ModelError, match="does not match its hash"):
        read_model(bytes(data))


@pytest.mark.parametrize("data", [b"", b"no model", small_model()[:-1], small_model() + b"\0"])
def test_what_is_no_file_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        read_model(data)


def test_what_is_sealed_and_no_onnx_is_refused() -> None:
    body = b"\xff" * 40
    with pytest.raises(ModelError, match="no ONNX"):
        read_model(body + _seal(body))


@pytest.mark.parametrize("text", ["", "[]", "1", "{}", "[" * 100_000])
def test_a_card_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        read_card(text)


def test_a_card_is_bounded() -> None:
    with pytest.raises(ModelError, match="longer than"):
        read_card(" " * 300_000)


def test_the_card_says_what_the_model_was_trained_on() -> None:
    card = read_model(small_model())
    assert card.rows == 900
    assert 50 < card.frauds < 250
    assert card.parameters["trees"] == 12
    assert card.metrics["auc"] > 0.8
    assert CARD in {entry.key for entry in onnx.ModelProto.FromString(small_model()).metadata_props}
