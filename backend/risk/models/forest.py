"""A forest as plain arrays, and what each feature gave on the way to a leaf. Pure.

Rule 1: a row goes left when its value, as float32, is at most the threshold; thresholds are float32
        rounded **down**, so that a row equal to a trained threshold stays on its side.
Rule 2: along a path each split moves the expected value from the parent's to the child's, and the
        move is given to the feature that split. The root's value is the base. So a leaf's value is
        the base and its contributions, and the forest's is the sum over its trees.
Rule 3: an unknown value (NaN) goes where the training sent it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEAF = -1


@dataclass(frozen=True, slots=True)
class Tree:
    """Nodes in pre-order: a child stands after its parent; ``feature`` is ``LEAF`` for a leaf."""

    feature: Integers
    threshold: NDArray[np.float32]
    left: Integers
    right: Integers
    sends_unknown_left: NDArray[np.bool_]
    value: Floats
    """The expected value at each node, scaled so that the forest is the sum of its trees."""


@dataclass(frozen=True, slots=True)
class LeafWeights:
    """For every leaf what it adds to which output: 0 is the base, ``1 + f`` is feature ``f``.

    One entry a leaf and output, ordered by leaf, then output.
    """

    node: Integers
    output: Integers
    weight: NDArray[np.float32]


def float32_down(values: Floats) -> NDArray[np.float32]:
    """The largest finite float32 that is not above each value. Known is parted from unknown by an
    endless threshold in training: every known value is below the largest float32 as well."""
    largest = float(np.finfo(np.float32).max)
    values = np.clip(values, -largest, largest)
    near = values.astype(np.float32)
    lower = np.nextafter(near, np.float32(-largest))
    return np.where(near.astype(np.float64) > values, lower, near)


def leaf_weights(tree: Tree, *, base: float = 0.0) -> LeafWeights:
    """Rule 2 for every leaf of a tree, as float32; each leaf also adds ``base`` to the base."""
    found: list[tuple[int, dict[int, float]]] = []
    waiting: list[tuple[int, dict[int, float]]] = [(0, {0: base})]
    while waiting:
        node, given = waiting.pop()
        feature = int(tree.feature[node])
        if feature == LEAF:
            found.append((node, given))
            continue
        for child in (int(tree.right[node]), int(tree.left[node])):
            move = float(tree.value[child] - tree.value[node])
            waiting.append((child, {**given, feature + 1: given.get(feature + 1, 0.0) + move}))
    found.sort(key=lambda leaf: leaf[0])
    rows = [(leaf, output, given[output]) for leaf, given in found for output in sorted(given)]
    nodes, outputs, weights = zip(*rows, strict=True)
    return LeafWeights(
        np.array(nodes, np.int64), np.array(outputs, np.int64), np.array(weights, np.float32)
    )
