"""A model's file: ONNX with one tree ensemble and nothing else, sealed with its own hash.

The one node has an output for the base and one for each feature (``forest``, rule 2), so a single
call of any ONNX runtime gives the score and what each feature gave.

Rule 1: the file is data. Before a runtime sees it, its hash is compared, then every node,
        attribute and number is checked against what ``write_model`` can write; anything else (a
        foreign operator, a sub-graph, a function, external data) is refused with the reason.
Rule 2: the trees are proved to be trees, and to end: a child's id is above its parent's, each node
        but the first has one parent, and no path is longer than a runtime can build.
Rule 3: the seal is the file's last entry, the hash of all bytes before it. It finds damage; who may
        bring a model at all is decided by two persons in the registry.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, helper

from backend.risk.models.card import ModelCard, ModelError, read_card
from backend.risk.models.forest import LEAF, Tree, leaf_weights
from backend.risk.models.limits import (
    MODEL_BYTES_MAX,
    MODEL_DEPTH_MAX,
    MODEL_NODES_MAX,
    MODEL_TREES_MAX,
    MODEL_WEIGHTS_MAX,
)

DOMAIN, OPERATOR, ML_VERSION, ONNX_VERSION, IR_VERSION = (
    "ai.onnx.ml",
    "TreeEnsembleRegressor",
    3,
    18,
    8,
)
INPUT, OUTPUT, NODE = "features", "given", "forest"
CARD, SEAL = "tillway.card", "tillway.sha256"
_INTEGERS = ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids",
             "nodes_falsenodeids", "nodes_missing_value_tracks_true", "target_treeids",
             "target_nodeids", "target_ids")  # fmt: skip
_FLOATS = ("nodes_values", "target_weights")
_OTHERS = {
    "nodes_modes": onnx.AttributeProto.STRINGS,
    "n_targets": onnx.AttributeProto.INT,
    "aggregate_function": onnx.AttributeProto.STRING,
    "post_transform": onnx.AttributeProto.STRING,
}
_TYPES = {
    **dict.fromkeys(_INTEGERS, onnx.AttributeProto.INTS),
    **dict.fromkeys(_FLOATS, onnx.AttributeProto.FLOATS),
    **_OTHERS,
}
_LEAF, _BRANCH = b"LEAF", b"BRANCH_LEQ"
_SUM_MAX = 1e38


def write_model(trees: Sequence[Tree], card: ModelCard) -> bytes:
    """The file of a forest: the same bytes for the same forest and card."""
    outputs = len(card.features) + 1
    graph = helper.make_graph(
        [helper.make_node(OPERATOR, [INPUT], [OUTPUT], name=NODE, domain=DOMAIN,
                          **_attributes(trees, outputs))],
        "model",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, outputs - 1])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [None, outputs])],
    )  # fmt: skip
    imports = [helper.make_opsetid("", ONNX_VERSION), helper.make_opsetid(DOMAIN, ML_VERSION)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)
    helper.set_model_props(model, {CARD: card.to_json()})
    body = model.SerializeToString(deterministic=True)
    data: bytes = body + _seal(body)
    read_model(data)
    return data


def read_model(data: bytes) -> ModelCard:
    """The card of a file that a runtime may load. Raises ``ModelError``."""
    if len(data) > MODEL_BYTES_MAX:
        raise ModelError(f"the file has more than {MODEL_BYTES_MAX} bytes")
    seal_size = len(_seal(b""))
    if data[-seal_size:] != _seal(data[:-seal_size]):
        raise ModelError("the file does not match its hash")
    try:
        model = onnx.ModelProto.FromString(data)
    except DecodeError as error:
        raise ModelError("the file is no ONNX") from error
    props = {entry.key: entry.value for entry in model.metadata_props}
    if set(props) != {CARD, SEAL}:
        raise ModelError("the file has no card, or more than a card")
    card = read_card(props[CARD])
    _check_graph(model, len(card.features))
    return card


def _seal(body: bytes) -> bytes:
    entry = onnx.ModelProto()
    helper.set_model_props(entry, {SEAL: hashlib.sha256(body).hexdigest()})
    sealed: bytes = entry.SerializeToString(deterministic=True)
    return sealed


def _attributes(trees: Sequence[Tree], outputs: int) -> dict[str, Any]:
    columns: dict[str, list[NDArray[np.int64]]] = {name: [] for name in _INTEGERS}
    values, weights = [], []
    base = float(sum(tree.value[0] for tree in trees))
    for number, tree in enumerate(trees):
        size, is_leaf = len(tree.feature), tree.feature == LEAF
        # Runtimes differ in what ``base_values`` does to an output that no leaf gives to, so the
        # whole forest's base is given by the leaves of its first tree.
        given = leaf_weights(tree, base=base if number == 0 else 0.0)
        columns["nodes_treeids"].append(np.full(size, number))
        columns["nodes_nodeids"].append(np.arange(size))
        columns["nodes_featureids"].append(np.where(is_leaf, 0, tree.feature))
        columns["nodes_truenodeids"].append(np.where(is_leaf, 0, tree.left))
        columns["nodes_falsenodeids"].append(np.where(is_leaf, 0, tree.right))
        unknown_left = np.where(is_leaf, 0, tree.sends_unknown_left)
        columns["nodes_missing_value_tracks_true"].append(unknown_left)
        columns["target_treeids"].append(np.full(len(given.node), number))
        columns["target_nodeids"].append(given.node)
        columns["target_ids"].append(given.output)
        values.append(np.where(is_leaf, np.float32(0), tree.threshold))
        weights.append(given.weight)
    feature = np.concatenate([tree.feature for tree in trees])
    return {
        **{
            name: np.concatenate(parts).astype(np.int64).tolist() for name, parts in columns.items()
        },
        "nodes_values": np.concatenate(values).tolist(),
        "nodes_modes": np.where(feature == LEAF, "LEAF", "BRANCH_LEQ").tolist(),
        "target_weights": np.concatenate(weights).tolist(),
        "n_targets": outputs,
        "aggregate_function": "SUM",
        "post_transform": "NONE",
    }


def _check_graph(model: onnx.ModelProto, features: int) -> None:
    imports = {(entry.domain, entry.version) for entry in model.opset_import}
    graph = model.graph
    if imports != {("", ONNX_VERSION), (DOMAIN, ML_VERSION)} or model.ir_version != IR_VERSION:
        raise ModelError("the file is of another version of ONNX")
    if model.functions or model.training_info or graph.initializer or graph.sparse_initializer:
        raise ModelError("the file has functions or tensors, where only one node belongs")
    foreign = [n.op_type for n in graph.node if (n.domain, n.op_type) != (DOMAIN, OPERATOR)]
    if foreign:
        raise ModelError(f"the operator {foreign[0]!r} is not allowed")
    if len(graph.node) != 1:
        raise ModelError("a model has one node")
    node = graph.node[0]
    if list(node.input) != [INPUT] or list(node.output) != [OUTPUT]:
        raise ModelError("the node is wired in another way")
    _check_shape(graph.input, INPUT, features)
    _check_shape(graph.output, OUTPUT, features + 1)
    _check_trees(node, features)


def _check_shape(infos: Sequence[onnx.ValueInfoProto], name: str, width: int) -> None:
    wanted = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])
    if len(infos) != 1 or infos[0] != wanted:
        raise ModelError(f"the {name} are of another shape")


def _check_trees(node: onnx.NodeProto, features: int) -> None:
    found = {attribute.name: attribute for attribute in node.attribute}
    types = {name: attribute.type for name, attribute in found.items()}
    if types != _TYPES or len(found) != len(node.attribute):
        raise ModelError("the node has other attributes")
    size, weights = len(found["nodes_treeids"].ints), len(found["target_ids"].ints)
    if not 0 < size <= MODEL_NODES_MAX or not 0 < weights <= MODEL_WEIGHTS_MAX:
        raise ModelError(f"a model has 1 to {MODEL_NODES_MAX} nodes")
    ints = {name: np.array(found[name].ints, np.int64) for name in _INTEGERS}
    floats = {name: np.array(found[name].floats, np.float64) for name in _FLOATS}
    # Compared as they stand: numpy takes the zero bytes off the end of a text.
    if not set(found["nodes_modes"].strings) <= {_LEAF, _BRANCH}:
        raise ModelError("the nodes are not those of trees")
    is_leaf = np.array([mode == _LEAF for mode in found["nodes_modes"].strings], np.bool_)
    lengths = {name: len(column) for name, column in {**ints, **floats}.items()}
    wanted = {name: weights if name.startswith("target") else size for name in lengths}
    if lengths != wanted or len(is_leaf) != size or found["n_targets"].i != features + 1:
        raise ModelError("the attributes are of other lengths")
    if found["aggregate_function"].s != b"SUM" or found["post_transform"].s != b"NONE":
        raise ModelError("the trees are not summed")
    if not all(np.isfinite(column).all() for column in floats.values()):
        raise ModelError("a number is not finite")
    if np.abs(floats["target_weights"]).sum() > _SUM_MAX:
        raise ModelError("the weights add up to more than a float32 holds")
    _check_nodes(ints, is_leaf, features)
    _check_targets(ints, is_leaf, features)


def _check_nodes(
    ints: dict[str, NDArray[np.int64]], is_leaf: NDArray[np.bool_], features: int
) -> None:
    tree, node = ints["nodes_treeids"], ints["nodes_nodeids"]
    firsts = np.nonzero(node == 0)[0]
    if not 0 < len(firsts) <= MODEL_TREES_MAX or firsts[0] != 0:
        raise ModelError(f"a model has 1 to {MODEL_TREES_MAX} trees")
    sizes = np.diff(np.append(firsts, len(node)))
    is_in_order = (tree == np.repeat(np.arange(len(firsts)), sizes)) & (
        node == np.arange(len(node)) - np.repeat(firsts, sizes)
    )
    if not is_in_order.all():
        raise ModelError("the nodes are not those of trees")
    size = np.repeat(sizes, sizes)
    left, right = ints["nodes_truenodeids"], ints["nodes_falsenodeids"]
    ends = (left > node) & (left < size) & (right > node) & (right < size) & (left != right)
    if not (is_leaf | ends).all():
        raise ModelError("a tree does not end")
    begins = np.repeat(firsts, sizes)
    _check_paths(firsts, np.stack((begins + left, begins + right)), is_leaf)
    feature = ints["nodes_featureids"]
    if not ((feature >= 0) & (feature < features)).all():
        raise ModelError("a node asks for a feature that is not there")
    if not np.isin(ints["nodes_missing_value_tracks_true"], (0, 1)).all():
        raise ModelError("a node sends unknown values nowhere")


def _check_paths(
    roots: NDArray[np.int64], children: NDArray[np.int64], is_leaf: NDArray[np.bool_]
) -> None:
    """``children``: the places of each node's two; a leaf's say nothing."""
    told = np.sort(children[:, ~is_leaf], axis=None)
    if not np.array_equal(told, np.setdiff1d(np.arange(len(is_leaf)), roots)):
        raise ModelError("a node has no parent, or two")
    level = roots
    for _ in range(MODEL_DEPTH_MAX + 1):
        level = children[:, level[~is_leaf[level]]].ravel()
        if not len(level):
            return
    raise ModelError(f"a tree has more than {MODEL_DEPTH_MAX} splits on a path")


def _check_targets(
    ints: dict[str, NDArray[np.int64]], is_leaf: NDArray[np.bool_], features: int
) -> None:
    tree, node, target = ints["target_treeids"], ints["target_nodeids"], ints["target_ids"]
    firsts = np.nonzero(ints["nodes_nodeids"] == 0)[0]
    sizes = np.diff(np.append(firsts, len(is_leaf)))
    if not ((tree >= 0) & (tree < len(firsts)) & (target >= 0) & (target <= features)).all():
        raise ModelError("a leaf gives to an output that is not there")
    if not ((node >= 0) & (node < sizes[tree])).all():
        raise ModelError("a weight belongs to no node")
    place = firsts[tree] + node
    key = place * (features + 1) + target
    if not (np.diff(key) > 0).all():
        raise ModelError("the weights are not in order")
    leaves = np.nonzero(is_leaf)[0]
    if not np.array_equal(np.unique(place), leaves):
        raise ModelError("a leaf has no weight, or a branch has one")
